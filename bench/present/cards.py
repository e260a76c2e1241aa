"""What is said of the machine's cards before a run."""

from collections.abc import Iterator, Sequence

from bench import units
from bench.records.cards import Card


def passed_over(chosen: int | None, busy: Sequence[Card]) -> Iterator[str]:
    """Yield why `auto` did not take the first card."""
    if busy:
        names = "; ".join(f"card {card.number} ({use(card)})" for card in busy)
        yield f"auto takes cuda:{chosen}, because these are in use: {names}."


def busy(card: Card, option_prefix: str, *, others: bool) -> str:
    """Return the warning that somebody uses the card of a run."""
    choose = f", or choose another card with {option_prefix}device cuda:N" if others else ""
    return (
        f"{card.name} (card {card.number}) is in use: {use(card)}. What others compute there slows down what is "
        f"measured; wait until it is idle{choose}."
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
