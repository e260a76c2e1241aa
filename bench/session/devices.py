"""Which device a run measures on: what was asked for, among the cards that are visible, and one that is idle.

The parent asks NVML and never CUDA. A chosen card becomes the only one that a worker sees, so that everywhere else the
device is simply the first.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from bench.errors import InputError
from bench.execute import interpreter
from bench.present import cards as presented
from bench.records.cards import VISIBLE, Card, Cards, hiding, is_ambiguous, visible
from bench.records.columns import adapter
from bench.records.environment import CARD, CARD_COUNT, CARD_UUID
from bench.session.progress import Notices
from bench.session.request import AUTO, RunRequest

DEVICE = re.compile(r"auto|cpu|mps|(?P<kind>cuda|xpu)(:(?P<index>\d{1,3}))?", re.ASCII)
_AFFINITY = {"cuda": VISIBLE, "xpu": "ZE_AFFINITY_MASK"}
"""The variable that says which devices a process sees; HIP has one of its own, which precedes CUDA's."""
REPORTED_UUID = "device_uuid"
"""The fact of a worker that says which card torch uses."""
ANSWER_TIMEOUT_S = 30.0
"""NVML takes seconds on a machine with many cards and no persistence daemon."""


@dataclass(frozen=True)
class Choice:
    """A device, and what makes a worker use it.

    Attributes:
        kind: a torch device type, or `auto`.
        index: among the visible devices of that kind; None if it was left to torch.
        count: of the visible cards; None if unknown.
        card: which it is, where NVML knows.
        busy: the cards that auto passed over.
        idle: the indices of other visible cards that are idle, where the card was not left to auto.
        cards: of the machine, visible or not.
        variables: to be set for the workers.
    """

    kind: str = AUTO
    index: int | None = None
    count: int | None = None
    card: Card | None = None
    busy: Sequence[Card] = ()
    idle: tuple[int, ...] = ()
    cards: Sequence[Card] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    def describe(self, machine: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a worker reported about the machine, with the card if it is known and the worker uses it."""
        facts = {name: fact for name, fact in machine.items() if name != REPORTED_UUID}
        if machine["device"] != "cuda":
            return facts
        if self.card is None:
            return facts if REPORTED_UUID not in machine else {**facts, CARD_UUID: machine[REPORTED_UUID]}
        count = len({card.number for card in self.cards})
        return {**facts, CARD: self.card.number, CARD_UUID: self.card.uuid, CARD_COUNT: count}

    def confirmed(self, machine: Mapping[str, Any], notices: Notices | None = None) -> "Choice":
        """Return this choice with the card that torch reported, and say so if that is not the one NVML named."""
        reported = machine.get(REPORTED_UUID)
        if machine["device"] != "cuda" or reported is None or self.card is None or _is(self.card, reported):
            return self
        used = next((card for card in self.cards if _is(card, reported)), None)
        if notices is not None:
            notices.warn(presented.another(self.card, used))
        return replace(self, card=used, idle=())  # torch counts otherwise


def _is(card: Card, reported: str) -> bool:
    """Return whether torch's UUID is that of a card; of a slice, some versions of CUDA report the whole card's."""
    digits = reported.removeprefix("GPU-").removeprefix("MIG-")
    return any(digits.casefold() in uuid.casefold() for uuid in (card.uuid, card.card_uuid))


def pick(request: RunRequest, notices: Notices | None, begun_on: str | None = None) -> Choice:
    """Return the device that a request measures on, and say why, if it is busy or others were passed over.

    Args:
        request: of the run.
        notices: hear why.
        begun_on: the UUID of the card on which a run that is continued was begun.

    Raises:
        InputError: there is no such device.
    """
    asks = request.device_kind in {AUTO, "cuda"}
    cards = machine_cards() if asks else Cards()
    choice = choose(request.device, request.option("device"), cards, begun_on=begun_on)
    if notices is not None:
        for line in presented.passed_over(choice.index, choice.busy):
            notices.say(line)
        if choice.card is not None and choice.card.busy:
            others = (choice.count or 1) > 1
            notices.warn(presented.busy(choice.card, request.option_prefix, choice.idle, others=others))
    return choice


def machine_cards() -> Cards:
    """Return what NVML says, asked in a process of its own, which may hang on a card that fell off the bus."""
    command = interpreter.command(sys.executable, "bench.session.card_listing")
    try:
        answer = subprocess.run(
            command, capture_output=True, timeout=ANSWER_TIMEOUT_S, env=interpreter.environment(), check=False
        )
        return adapter(Cards).validate_json(answer.stdout)
    except (OSError, subprocess.TimeoutExpired, ValidationError):
        return Cards()


def choose(
    device: str, option: str, cards: Cards, variables: Mapping[str, str] = os.environ, begun_on: str | None = None
) -> Choice:
    """Return the device that was asked for.

    Without an index, it is the card on which a run was begun, if that is visible. Otherwise `auto` takes the first idle
    card, or of different models the one with the most memory. Nothing is set for workers where CUDA takes the same card
    by itself. A slice is always named in full, because CUDA does not accept every abbreviation.

    Args:
        device: `auto`, `cpu`, `mps`, `cuda`, `xpu`, or one of the last two with an index.
        option: as it was given, for messages.
        cards: of the machine.
        variables: the environment.
        begun_on: the UUID of the card that is preferred.

    Raises:
        InputError: there is no such device.
    """
    wanted = DEVICE.fullmatch(device)
    if wanted is None:
        raise InputError(f"{option}: is not a device; give auto, cpu, mps, cuda, cuda:1, xpu or xpu:1")
    index = None if wanted["index"] is None else int(wanted["index"])
    found = visible(cards.cards, variables)
    if device == "auto" or wanted["kind"] == "cuda":
        if found:
            position = _position(found, device, index, option, variables, begun_on)
            return _choice(found, position, device, index, cards.cards)
        if cards.cards and wanted["kind"] == "cuda" and not is_ambiguous(cards.cards, variables):
            raise InputError(f"{option}: {VISIBLE}={variables[VISIBLE]} hides every card; unset it")
    if index is None:
        return Choice(device)
    name = "HIP_VISIBLE_DEVICES" if "HIP_VISIBLE_DEVICES" in variables and wanted["kind"] == "cuda" else None
    name = name or _AFFINITY[wanted["kind"]]
    return Choice(wanted["kind"], index, variables={name: _entry(option, index, name, variables)})


def _position(
    found: Sequence[Card], device: str, index: int | None, option: str, variables: Mapping[str, str],
    begun_on: str | None,
) -> int:  # fmt: skip
    """Return which of the visible cards is taken."""
    if index is not None:
        if index < len(found):
            return index
        there = ", ".join(f"cuda:{number} ({card.name})" for number, card in enumerate(found))
        raise InputError(f"{option}: there is no such device; visible here: {there}")
    begun = next((number for number, card in enumerate(found) if card.uuid == begun_on), None)
    if begun is not None:
        return begun
    by_memory = VISIBLE not in variables and _is_mixed(found)
    ranked = sorted(found, key=lambda card: -(card.memory_bytes or 0) if by_memory else 0)
    if device == AUTO:
        ranked.sort(key=lambda card: card.busy)
    return found.index(ranked[0])


def _choice(found: Sequence[Card], position: int, device: str, index: int | None, cards: Sequence[Card]) -> Choice:
    card, auto = found[position], device == AUTO
    same = len(found) == 1 or (position == 0 and index is None and not _is_mixed(found))
    before = found[:position]
    return Choice(
        kind=AUTO if auto else "cuda",
        index=position,
        count=len(found),
        card=card,
        busy=[other for other in before if other.busy] if auto and not card.busy else [],
        idle=() if auto else tuple(number for number, other in enumerate(found) if not other.busy and other != card),
        cards=cards,
        variables={} if same and not card.is_slice else {VISIBLE: card.uuid},
    )


def _is_mixed(found: Sequence[Card]) -> bool:
    return len({card.name for card in found}) > 1


def _entry(option: str, index: int, name: str, variables: Mapping[str, str]) -> str:
    """Return what selects the device with an index, among those that a variable already selects."""
    listed = [entry.strip() for entry in variables[name].split(",")] if name in variables else None
    if listed is None:
        return str(index)
    hidden_by = hiding(variables, "rocm" if name.startswith("HIP") else "cuda")
    if hidden_by is not None and hidden_by.startswith(name):
        raise InputError(f"{option}: {hidden_by} hides every card; unset it")
    if index >= len(listed):
        raise InputError(f"{option}: there is no such device, because {name}={variables[name]}")
    return listed[index]
