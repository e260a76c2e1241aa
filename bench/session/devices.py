"""Which device a run measures on: what was asked for, among the cards that are visible, and one that is idle.

The parent asks NVML and never CUDA. A chosen card becomes the only one that a worker sees, so that everywhere else the
device is simply the first.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from bench.errors import InputError
from bench.execute import interpreter
from bench.present import cards as presented
from bench.records.cards import VISIBLE, Card, Cards, visible
from bench.records.columns import adapter
from bench.session.progress import Notices
from bench.session.request import AUTO, RunRequest

DEVICE = re.compile(r"auto|cpu|mps|(?P<kind>cuda|xpu)(:(?P<index>\d{1,3}))?", re.ASCII)
_AFFINITY = {"cuda": VISIBLE, "xpu": "ZE_AFFINITY_MASK"}
"""The variable that says which devices a process sees; HIP has one of its own, which precedes CUDA's."""
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
        variables: to be set for the workers.
    """

    kind: str = AUTO
    index: int | None = None
    count: int | None = None
    card: Card | None = None
    busy: Sequence[Card] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    def describe(self, machine: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a worker reported about the machine, with the card if it is known and the worker uses it."""
        used = self.card if machine["device"] == "cuda" else None
        return dict(machine) if used is None else {**machine, "card": used.number, "card_uuid": used.uuid}


def pick(request: RunRequest, notices: Notices | None) -> Choice:
    """Return the device that a request measures on, and say why, if it is busy or others were passed over.

    Raises:
        InputError: there is no such device.
    """
    asks = request.device_kind in {AUTO, "cuda"}
    choice = choose(request.device, request.option("device"), machine_cards() if asks else Cards())
    if notices is not None:
        for line in presented.passed_over(choice.index, choice.busy):
            notices.say(line)
        if choice.card is not None and choice.card.busy:
            notices.warn(presented.busy(choice.card, request.option_prefix, others=(choice.count or 1) > 1))
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


def choose(device: str, option: str, cards: Cards, variables: Mapping[str, str] = os.environ) -> Choice:
    """Return the device that was asked for.

    `auto` takes the first idle card, or of different models the one with the most memory. Nothing is set for workers
    where CUDA takes the same card by itself.

    Args:
        device: `auto`, `cpu`, `mps`, `cuda`, `xpu`, or one of the last two with an index.
        option: as it was given, for messages.
        cards: of the machine.
        variables: the environment.

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
            return _among(found, device, index, option, variables)
        if cards.cards and wanted["kind"] == "cuda":
            raise InputError(f"{option}: {VISIBLE}={variables[VISIBLE]} hides every card; unset it")
    if index is None:
        return Choice(device)
    name = "HIP_VISIBLE_DEVICES" if "HIP_VISIBLE_DEVICES" in variables and wanted["kind"] == "cuda" else None
    name = name or _AFFINITY[wanted["kind"]]
    return Choice(wanted["kind"], index, variables={name: _entry(option, index, name, variables)})


def _among(found: Sequence[Card], device: str, index: int | None, option: str, variables: Mapping[str, str]) -> Choice:
    mixed = len({card.name for card in found}) > 1
    if index is None:
        ranked = sorted(found, key=lambda card: 0 if VISIBLE in variables or not mixed else -(card.memory_bytes or 0))
        if device == "auto":
            ranked.sort(key=lambda card: card.busy)
        position = found.index(ranked[0])
    elif index < len(found):
        position = index
    else:
        there = ", ".join(f"cuda:{number} ({card.name})" for number, card in enumerate(found))
        raise InputError(f"{option}: there is no such device; visible here: {there}")
    card = found[position]
    same = len(found) == 1 or (position == 0 and index is None and not mixed)
    passed = [other for other in found[:position] if other.busy] if device == "auto" else []
    return Choice(
        "auto" if device == "auto" else "cuda", position, len(found), card, passed, {} if same else {VISIBLE: card.uuid}
    )


def _entry(option: str, index: int, name: str, variables: Mapping[str, str]) -> str:
    """Return what selects the device with an index, among those that a variable already selects."""
    listed = [entry.strip() for entry in variables[name].split(",")] if name in variables else None
    if listed is None:
        return str(index)
    if index >= len(listed):
        raise InputError(f"{option}: there is no such device, because {name}={variables[name]}")
    return listed[index]
