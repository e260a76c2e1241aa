"""The machine's NVIDIA cards, as they were found before anything touched them, and which of them CUDA may use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

VISIBLE = "CUDA_VISIBLE_DEVICES"
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
    twice makes CUDA reject all. A divided card stands for its slices, of which CUDA itself uses only the first.
    """
    if VISIBLE not in variables:
        return tuple(cards)
    found: list[Card] = []
    for entry in map(str.strip, variables[VISIBLE].split(",")):
        named = [card for card in cards if _names(entry, card)]
        if not named:
            break
        found += named
    return tuple(found) if len(set(found)) == len(found) else ()


def _names(entry: str, card: Card) -> bool:
    if entry.isdecimal():
        return int(entry) == card.number
    return entry.startswith(("GPU-", "MIG-")) and any(uuid.startswith(entry) for uuid in (card.uuid, card.card_uuid))
