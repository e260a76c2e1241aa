"""The best measured case under a person's constraints, what ties with it, and what nobody measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.analyze.candidates import Candidate, Task
from bench.analyze.constraints import Goal
from bench.analyze.memory import slack_bytes
from bench.analyze.run import Run
from bench.plan.case import Case
from bench.records.case_result import CaseResult
from bench.statistics import MIN_BLOCKS, geometric_mean_interval

ONE_PROCESS = 0.07
"""With one process each, costs within 7 % of each other cannot be distinguished. Medians of one case vary by 2.4 %
between processes even on a core of their own, so the ratio of two varies by 2.4 % * sqrt(2), and this is twice that."""

DTYPES = ("float32", "float16", "bfloat16")


@dataclass(frozen=True)
class Recommendation:
    """What a run says about one task."""

    task: Task
    best: Candidate | None  # None if no case can be recommended
    ties: tuple[Candidate, ...]  # that this run cannot distinguish from the best, cheapest first
    others: tuple[Candidate, ...]  # that can be recommended but are worse, best first
    excluded: tuple[Candidate, ...]  # that have a figure but cannot be recommended, best first


@dataclass(frozen=True)
class Unmeasured:
    """What a run says nothing about, for one model."""

    optimizations: tuple[str, ...]  # in no case that was tried
    dtypes: tuple[str, ...]  # in no measured case
    without_figures: tuple[CaseResult, ...]  # tried, but not measured
    not_run: tuple[str, ...]  # keys of the plan's cases without a result


def recommend(task: Task, goal: Goal) -> Recommendation:
    """Choose among a task's cases: the cheapest, or the simplest of those that cannot be distinguished from it."""
    ranked = _ranked(task.candidates)
    allowed = [candidate for candidate in ranked if candidate.exclusion_reason is None]
    excluded = tuple(candidate for candidate in ranked if candidate.exclusion_reason is not None)
    if not allowed:
        return Recommendation(task, None, (), (), excluded)
    level = [candidate for candidate in allowed if not distinguishable(allowed[0], candidate, goal)]
    best = min(level, key=lambda candidate: (_changes(candidate, task.reference), level.index(candidate)))
    others = tuple(candidate for candidate in allowed if candidate not in level)
    return Recommendation(task, best, tuple(c for c in level if c is not best), others, excluded)


def distinguishable(one: Candidate, other: Candidate, goal: Goal) -> bool:
    """Say whether a run shows that two cases differ: by the ratios of their passes, by intervals, else by a margin.

    What a machine does from one pass to the next is in the intervals of both cases, but cancels in their ratio.
    """
    if one.cost is None or other.cost is None:
        return False
    low, high = sorted((one.cost, other.cost))
    if goal == Goal.MEMORY:
        return high - low > slack_bytes(low)
    ratios = [one.passes[number] / other.passes[number] for number in one.passes.keys() & other.passes.keys()]
    if len(ratios) >= MIN_BLOCKS:
        _, paired = geometric_mean_interval(ratios)
        return paired is not None and not paired.low <= 1 <= paired.high
    if one.interval is not None and other.interval is not None:
        return not one.interval.overlaps(other.interval)
    return high > low * (1 + ONE_PROCESS)


def unmeasured(run: Run, results: Sequence[CaseResult], model: str, optimizations: Sequence[str]) -> Unmeasured:
    """Return what a run does not say about a model.

    Args:
        run: whose plan is read.
        results: of its cases.
        model: as the scenarios name it.
        optimizations: all that exist.
    """
    by_key = {result.key: result for result in results}
    cases = [case for case in run.plan.cases if case.model == model]
    tried = [case for case in cases if case.key in by_key]
    known = {name for case in tried for name in case.optimizations}
    dtypes = {case.dtype for case in tried if by_key[case.key].status.measured}
    return Unmeasured(
        optimizations=tuple(name for name in optimizations if name not in known),
        dtypes=tuple(dtype for dtype in DTYPES if dtype not in dtypes),
        without_figures=tuple(by_key[case.key] for case in tried if not by_key[case.key].status.measured),
        not_run=tuple(case.key for case in cases if case.key not in by_key),
    )


def _changes(candidate: Candidate, reference: Case | None) -> int:
    dtype = reference is not None and candidate.case.dtype != reference.dtype
    return len(candidate.case.optimizations) + len(candidate.design) + dtype


def _ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    return sorted((c for c in candidates if c.cost is not None), key=lambda c: c.cost or 0.0)
