"""Fit a run into a budget: fewer samples, then fewer processes, then fewer cases, those that tell the most first."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from bench.plan.case import Case
from bench.plan.order import Job, passes
from bench.plan.settings import RunSettings
from bench.session.forecast import Forecast, Pace
from bench.statistics import MIN_SAMPLES_FOR_INTERVAL

ENDING_S = 5.0
"""To write the tables and draw the plots."""


@dataclass(frozen=True)
class Budget:
    """The time that a run may take, from its beginning on a clock; `total_s` is what a person asked for."""

    total_s: float
    began_s: float
    clock: Callable[[], float] = monotonic

    def left_s(self) -> float:
        return self.began_s + self.total_s - ENDING_S - self.clock()

    def later_by(self, seconds: float) -> "Budget":
        """Return the budget without the seconds of a download."""
        return replace(self, began_s=self.began_s + seconds)


@dataclass(frozen=True)
class Fitted:
    """What a budget has time for, by the forecast.

    Attributes:
        settings: with the samples and processes that fit.
        jobs: in the order in which they are measured.
        left_out: cases without a job.
    """

    settings: RunSettings
    jobs: Sequence[Job]
    left_out: Sequence[Case] = ()


def by_interest(cases: Sequence[Case]) -> list[Case]:
    """Return cases in the order of what they tell: documented ones, the baselines of those, then the rest."""
    claimed = {case.key for case in cases if case.claim}
    needed = {case.baseline for case in cases if case.key in claimed}
    return sorted(cases, key=lambda case: 0 if case.key in claimed else 1 if case.key in needed else 2)


def fit(
    cases: Sequence[Case], settings: RunSettings, foresee: Callable[[RunSettings], Forecast], left_s: float
) -> Fitted:
    """Return what of a new run fits into the seconds that are left; with several processes, either all cases or none.

    Args:
        cases: of the plan.
        settings: as requested.
        foresee: returns the forecast with other settings.
        left_s: of the budget.
    """
    ordered = by_interest(cases)
    chosen = settings
    for chosen in _choices(settings):
        jobs, forecast = passes(ordered, range(chosen.processes)), foresee(chosen)
        total = forecast.total(jobs)
        if total is not None and total.likely_s <= left_s:
            return Fitted(chosen, jobs)
    return fit_jobs([Job(case, 0) for case in ordered], chosen, foresee(chosen), left_s)


def fit_jobs(jobs: Sequence[Job], settings: RunSettings, forecast: Forecast, left_s: float) -> Fitted:
    """Return those jobs that fit, in their order; one of unknown length is begun if there is time at all."""
    fitting, left_out = [], []
    for job in jobs:
        span = forecast.of(job)
        expected_s = 0.0 if span is None else span.likely_s
        if expected_s <= left_s:
            left_s -= expected_s
            fitting.append(job)
        else:
            left_out.append(job.case)
    return Fitted(settings, fitting, list({case.key: case for case in left_out}.values()))


def _choices(settings: RunSettings) -> Iterator[RunSettings]:
    """Yield the settings to try: as requested, with the fewest samples, then with half as many processes each time."""
    yield settings
    fewer = replace(settings, samples=settings.samples or MIN_SAMPLES_FOR_INTERVAL)
    processes = settings.processes
    while processes >= 1:
        yield replace(fewer, processes=processes)
        processes = processes // 2 - processes // 2 % 2 if processes > 3 else processes // 2  # noqa: PLR2004 - 1 or even


def while_time(jobs: Sequence[Job], pace: Pace, left_s: Callable[[], float]) -> Iterator[Job]:
    """Yield the jobs that are still expected to end within the budget, and drop the others."""
    for job in jobs:
        expected_s, left = pace.expected_s(job), left_s()
        if left > 0 and (expected_s is None or expected_s <= left):
            yield job
        else:
            pace.drop(job)
