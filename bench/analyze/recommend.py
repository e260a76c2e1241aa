"""The best measured case under a person's constraints, what it is not told apart from, and what nobody measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from bench.analyze.candidates import Candidate, Task
from bench.analyze.constraints import Goal
from bench.analyze.rows import plain_rows
from bench.analyze.run import Run
from bench.plan.case import Case
from bench.records.schema import MEASURED
from bench.statistics import MIN_BLOCKS, geometric_mean_interval
from bench.units import MIB

ONE_PROCESS = 0.05
"""Costs within 5 % of two cases with a process each are not told apart: medians of one case vary by 2.4 % between
processes even on a core of their own, and this is two of that."""

SAME_MEMORY, SAME_MEMORY_BYTES = 0.005, 16 * MIB
"""Peaks nearer than both are the same: an allocator rounds."""

DTYPES = ("float32", "float16", "bfloat16")


@dataclass(frozen=True)
class Recommendation:
    """What a run says of one task.

    Attributes:
        task: with all its cases.
        best: the recommended case; None where none can be.
        ties: those that this run does not tell apart from the best, cheapest first.
        others: those that may be recommended and are worse, best first.
        excluded: those with a figure that may not be recommended, best first.
    """

    task: Task
    best: Candidate | None
    ties: tuple[Candidate, ...]
    others: tuple[Candidate, ...]
    excluded: tuple[Candidate, ...]


@dataclass(frozen=True)
class Unmeasured:
    """What a run says nothing of, about one model.

    Attributes:
        optimizations: of the table, in no case that was tried.
        dtypes: in no measured case.
        without_figures: `case: status: reason` of what was tried.
        not_run: cases of the plan without a row.
    """

    optimizations: tuple[str, ...]
    dtypes: tuple[str, ...]
    without_figures: tuple[str, ...]
    not_run: tuple[str, ...]


def recommend(task: Task, goal: Goal) -> Recommendation:
    """Choose among a task's cases: the cheapest, or the simplest of those that it is not told apart from."""
    ranked = _ranked(task.candidates)
    allowed = [candidate for candidate in ranked if not candidate.exclusion_reason and not candidate.too_big]
    excluded = tuple(candidate for candidate in ranked if candidate not in allowed)
    if not allowed:
        return Recommendation(task, None, (), (), excluded)
    level = [candidate for candidate in allowed if not distinguishable(allowed[0], candidate, goal)]
    best = min(level, key=lambda candidate: (_changes(candidate, task.reference), level.index(candidate)))
    others = tuple(candidate for candidate in allowed if candidate not in level)
    return Recommendation(task, best, tuple(c for c in level if c is not best), others, excluded)


def distinguishable(one: Candidate, other: Candidate, goal: Goal) -> bool:
    """Say whether a run shows that two cases differ: by the ratios of paired rounds, by intervals, else by a margin.

    What a machine does from one round to the next is in both cases' intervals, and cancels in their ratio.
    """
    if one.cost is None or other.cost is None:
        return False
    low, high = sorted((one.cost, other.cost))
    if goal == Goal.MEMORY:
        return high - low > max(SAME_MEMORY_BYTES, SAME_MEMORY * low)
    ratios = [one.rounds[number] / other.rounds[number] for number in one.rounds.keys() & other.rounds.keys()]
    if len(ratios) >= MIN_BLOCKS:
        _, paired = geometric_mean_interval(ratios)
        return paired is not None and not paired.low <= 1 <= paired.high
    if one.interval is not None and other.interval is not None:
        return not one.interval.overlaps(other.interval)
    return high > low * (1 + ONE_PROCESS)


def unmeasured(run: Run, table: pd.DataFrame, model: str, optimizations: Sequence[str]) -> Unmeasured:
    """Return what a run does not tell of a model.

    Args:
        run: whose plan is read.
        table: its results (`summary.results`).
        model: as the scenarios name it.
        optimizations: all that there are.
    """
    cases = [case for case in run.plan.cases if case.model == model]
    ended = {f"{row['scenario']}/{row['case']}": (row["status"], row["reason"]) for row in plain_rows(table)}
    tried = [case for case in cases if case.key in ended]
    measured = [case for case in tried if ended[case.key][0] in list(MEASURED)]
    known = {name for case in tried for name in case.optimizations}
    return Unmeasured(
        optimizations=tuple(name for name in optimizations if name not in known),
        dtypes=tuple(dtype for dtype in DTYPES if dtype not in {case.dtype for case in measured}),
        without_figures=tuple(
            ": ".join(filter(None, (case.key, *ended[case.key]))) for case in tried if case not in measured
        ),
        not_run=tuple(case.key for case in cases if case.key not in ended),
    )


def _changes(candidate: Candidate, reference: Case | None) -> int:
    """Count what is changed: optimizations, settings of another image, the dtype."""
    dtype = reference is not None and candidate.case.dtype != reference.dtype
    return len(candidate.case.optimizations) + len(candidate.design) + dtype


def _ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates that have a figure, cheapest first."""
    return sorted((c for c in candidates if c.cost is not None), key=lambda c: c.cost or 0.0)
