"""The machine's NVIDIA cards, as they were found before anything touched them, and which of them CUDA may use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

VISIBLE = "CUDA_VISIBLE_DEVICES"
SELECTING = (VISIBLE, "CUDA_DEVICE_ORDER", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK")
"""Environment variables that say which devices a process sees, and in which order."""
_NONE = frozenset({"", "-1"})
"""Values with which they select nothing."""
BUSY_UTILIZATION = 0.1
"""An idle card shows 0; a desktop's compositor stays below a tenth."""
BUSY_MEMORY = 0.1
"""Share of the memory. Drivers and desktops hold less; in a container, only its memory shows another's program."""


@dataclass(frozen=True)
class Card:
    """A card, or a MIG slice of one; None is unknown.

    Attributes:
        number: of the card, as nvidia-smi counts.
        uuid: of the card or the slice.
        card_uuid: of the card that a slice is part of; otherwise the same.
        utilization: share of the last moment in which the card computed.
        processes: of anybody, that compute on it.
    """

    number: int
    uuid: str
    card_uuid: str
    name: str
    memory_bytes: int | None = None
    memory_used_bytes: int | None = None
    utilization: float | None = None
    processes: int | None = None
    compute_capability: str | None = None

    @property
    def is_slice(self) -> bool:
        """Whether it is a MIG slice."""
        return self.uuid != self.card_uuid or self.uuid.startswith("MIG-")

    @property
    def busy(self) -> bool:
        """Whether somebody seems to use the card."""
        used = (self.memory_used_bytes or 0) >= BUSY_MEMORY * (self.memory_bytes or float("inf"))
        return bool(self.processes) or used or (self.utilization or 0) >= BUSY_UTILIZATION


@dataclass(frozen=True)
class Cards:
    """What NVML knows: its cards, the driver, and the newest CUDA that it supports; nothing where there is no NVML.

    A card that is divided is not among them, only its slices.
    """

    cards: Sequence[Card] = field(default=())
    driver: str | None = None
    cuda: str | None = None


def visible(cards: Sequence[Card], variables: Mapping[str, str]) -> tuple[Card, ...]:
    """Return the cards that CUDA may use, in the order that `CUDA_VISIBLE_DEVICES` gives them.

    An entry is a number or the beginning of a UUID; the list ends at the first that names none. A card that is listed
    twice makes CUDA reject all. A divided card stands for its slices, of which CUDA itself uses only the first. The
    beginning of several slices' UUIDs names none.
    """
    if VISIBLE not in variables:
        return tuple(cards)
    found: list[Card] = []
    for entry in map(str.strip, variables[VISIBLE].split(",")):
        named = _named(entry, cards)
        if not named or (entry.startswith("MIG-") and len(named) > 1):
            break
        found += named
    return tuple(found) if len(set(found)) == len(found) else ()


def is_ambiguous(cards: Sequence[Card], variables: Mapping[str, str]) -> bool:
    """Return whether `CUDA_VISIBLE_DEVICES` begins with what may mean several slices."""
    first = variables.get(VISIBLE, "").partition(",")[0].strip()
    return first.startswith("MIG-") and len(_named(first, cards)) > 1


def hiding(variables: Mapping[str, str], build: str) -> str | None:
    """Return which variable selects no card at all for a build of torch, as NAME=VALUE; None if none does."""
    names = [VISIBLE]
    if build.startswith("rocm"):
        names = ["ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES" if "HIP_VISIBLE_DEVICES" in variables else VISIBLE]
    return next((f"{name}={variables[name]}" for name in names if variables.get(name, "0").strip() in _NONE), None)


def hidden_by(cards: Sequence[Card], variables: Mapping[str, str], build: str) -> str | None:
    """Return which variable hides every card of a machine, as NAME=VALUE; None if none does, or if none is known."""
    if cards:
        return None if visible(cards, variables) else f"{VISIBLE}={variables[VISIBLE]}"
    return hiding(variables, build) if build.startswith("rocm") else None  # NVML lists none of AMD's cards


def is_slice(facts: Mapping[str, Any]) -> bool:
    """Return whether the device of an environment is a MIG slice, which CUDA names so."""
    return " MIG " in str(facts.get("device_name")) or str(facts.get("card_uuid")).startswith("MIG-")


def _named(entry: str, cards: Sequence[Card]) -> list[Card]:
    exact = [card for card in cards if card.uuid == entry]
    return exact or [card for card in cards if _names(entry, card)]


def _names(entry: str, card: Card) -> bool:
    if entry.isdecimal():
        return int(entry) == card.number
    return entry.startswith(("GPU-", "MIG-")) and any(uuid.startswith(entry) for uuid in (card.uuid, card.card_uuid))
