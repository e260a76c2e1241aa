"""What is said of the machine's cards before a run."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench import units
from bench.records.cards import Card
from bench.records.environment import CARD_UUID, EARLIER_CARDS

SPAWNED = "Forked processes cannot use this device, so each process starts a new interpreter (slow)."
SPAWNED_FOR_SLICE = (
    "Each process starts a new interpreter (slow), because a library asked torch for a GPU while it was imported. "
    "NVML does not answer that for a slice, so the driver was initialized, after which no process can be forked."
)


def named(card: Card) -> str:
    """Return the name and the number of a card."""
    return f"{card.name} (card {card.number})"


def of_slice(name: str) -> str:
    """Return what a reader should know of a run on a MIG slice."""
    return (
        f"{name} is a MIG slice: only this part of the card is measured. It has no figures for power and energy, "
        "because the driver counts them for the whole card."
    )


def no_energy(name: str) -> str:
    """Return why energy cannot be the objective of a search on a MIG slice."""
    return (
        f"--objective energy needs a whole card, but {name} is a MIG slice, and the driver counts energy for the "
        "whole card; choose another objective"
    )


def passed_over(chosen: int | None, busy: Sequence[Card]) -> Iterator[str]:
    """Yield why `auto` did not take the first card."""
    if busy:
        names = "; ".join(f"card {card.number} ({use(card)})" for card in busy)
        yield f"auto takes cuda:{chosen}, because these are in use: {names}."


def busy(card: Card, option_prefix: str, idle: Sequence[int], *, others: bool) -> str:
    """Return the warning that somebody uses the card of a run.

    Args:
        card: of the run.
        option_prefix: what precedes the names of options.
        idle: indices of idle cards.
        others: whether there is another card at all.
    """
    choose = f", or choose another card with {option_prefix}device cuda:N" if others else ""
    if idle:
        choose = f", or measure on cuda:{idle[0]}, which is idle, with {idle_options(option_prefix, idle)}"
    return (
        f"{named(card)} is in use: {use(card)}. What others compute there slows down what is measured; wait until it "
        f"is idle{choose}."
    )


def idle_options(option_prefix: str, idle: Sequence[int]) -> str:
    """Return the options that choose an idle card."""
    return f"{option_prefix}device auto or {option_prefix}device cuda:{idle[0]}"


def another(expected: Card, used: Card | None) -> str:
    """Return the warning that torch uses another card than NVML named; None is one that NVML does not know."""
    found = "a card that NVML does not list" if used is None else named(used)
    return (
        f"torch uses {found}, not {named(expected)}, which the settings name. The results name the card that torch "
        "uses. With CUDA_DEVICE_ORDER=PCI_BUS_ID, torch counts the cards as nvidia-smi does."
    )


def continued_elsewhere(environment: Mapping[str, Any], option_prefix: str) -> str:
    """Return the warning that a run is continued on another card than before."""
    before, now = environment[EARLIER_CARDS][-1], environment[CARD_UUID]
    return (
        f"This run was measured on the card {before} so far, and continues on {now}, another "
        f"{environment['device_name']}. Its results say so, because cards of one model differ in speed. To keep to one "
        f"card, make it visible, or choose it with {option_prefix}device cuda:N."
    )


def use(card: Card) -> str:
    """Return by how much a card is used, as far as that is known."""
    parts = []
    if card.processes is not None:
        parts.append("1 process" if card.processes == 1 else f"{card.processes} processes")
    if card.memory_used_bytes is not None and card.memory_bytes:
        parts.append(f"{units.memory(card.memory_used_bytes)} of {units.memory(card.memory_bytes)} used")
    if card.utilization is not None:
        parts.append(f"{card.utilization:.0%} utilized")
    return ", ".join(parts) or "by how much is unknown"
