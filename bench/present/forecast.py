"""How long a run will take, before it begins; and how far off that was."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench import units
from bench.present import words
from bench.records.environment import Forecasted, Span

EXACT = 0.005
"""An error that prints as 0 %."""


def announcement(cases: int, processes: int, span: Span | None, unknown: int = 0) -> str:
    """Return what is about to be measured, and how long it is expected to take.

    Args:
        cases: to be measured.
        processes: in all.
        span: the expected time; None if nothing is known.
        unknown: cases of unknown work, which are taken to be like the others.
    """
    what = f"{words.count(cases, 'case')}, {processes} process{'es' if processes != 1 else ''}."
    if span is None:
        return f"{what} How long they will take is unknown."
    others = f", {guessed(unknown)}" if unknown else ""
    return f"{what} Estimated time: {about(span)}{others}."


def guessed(unknown: int) -> str:
    """Return what an estimate assumes about cases of unknown length."""
    return f"{words.count(unknown, 'case')} of unknown length taken to be like the others"


def about(span: Span) -> str:
    """Return an expected time with its range."""
    return f"about {units.duration(span.likely_s)} ({_range(span)})"


def downloads(found: Mapping[str, int | None]) -> str:
    """Return what will be fetched from the hub, and how much that is."""
    return f"Fetching from the hub: {sizes(found)}"


def sizes(found: Mapping[str, int | None]) -> str:
    """Return what there is to fetch with its sizes, in bytes, and their sum."""
    named = [f"{name} ({units.memory(size) if size is not None else 'size unknown'})" for name, size in found.items()]
    known = [size for size in found.values() if size is not None]
    total = f"; {'at least ' * (len(known) < len(found))}{units.memory(sum(known))} in all" if len(known) > 1 else ""
    return f"{', '.join(named)}{total}"


def accuracy(forecasted: Forecasted) -> str:
    """Return how far the first estimate was off."""
    span, took_s = forecasted.span, forecasted.took_s
    error = took_s / span.likely_s - 1
    longer = "longer" if error > 0 else "less"
    off = "as long" if abs(error) < EXACT else f"{100 * abs(error):.0f} % {longer} than that"
    return (
        f"Measuring took {units.duration(took_s)}; the estimate was {units.duration(span.likely_s)} "
        f"({_range(span)}), so it took {off}."
    )


def budget(total_s: float, samples: int | None, left_out: Sequence[str]) -> str:
    """Return what a budget has time for."""
    fewer = f"{samples} samples per process" if samples else "as many samples as the rules ask for"
    without = f"; {words.count(len(left_out), 'case')} left out: {units.listed(left_out)}" if left_out else ""
    return f"Budget: {units.duration(total_s)}, {fewer}{without}."


def left_out(names: Sequence[str]) -> str:
    """Return what the budget had no time for in the end."""
    return f"{words.count(len(names), 'case')} left out for lack of time: {units.listed(names)}."


def _range(span: Span) -> str:
    return f"{units.duration(span.low_s)} to {units.duration(span.high_s)}"


def of(environment: Mapping[str, Any], fact: str) -> Forecasted | None:
    """Return the forecast that a run has recorded; None if there is none."""
    found = environment.get(fact)
    return None if found is None else Forecasted(found["processes"], Span(**found["span"]), found["took_s"])
