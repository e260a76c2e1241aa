"""What of a run fits into a budget, on a made-up clock."""

import pytest

from bench.plan.case import Case
from bench.plan.order import Job
from bench.plan.settings import RunSettings
from bench.records.environment import Span
from bench.records.models import ProcessRecord
from bench.records.outcomes import Status
from bench.session.fitting import ENDING_S, Budget, by_interest, fit, fit_jobs, while_time
from bench.session.forecast import Forecast, Pace

SETTINGS = RunSettings("cpu", "tiny", processes=4)
CLAIM = {"latency_s": 1.0}
CASES = [
    Case("s", "sweep", "m"),
    Case("s", "plain", "m"),
    Case("s", "documented", "m", baseline="s/plain", claim=CLAIM),
    Case("s", "extra", "m"),
]


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def job(case, process=0):
    return Job(case, process)


def foresee(settings):
    """A sample of a process takes a second; by the rules there are ten."""
    return Forecast({case.key: Span(0, settings.samples or 10, 0) for case in CASES})


def fitted(left_s, settings=SETTINGS):
    found = fit(CASES, settings, foresee, left_s)
    return found.settings.samples, found.settings.processes, len(found.jobs), [case.name for case in found.left_out]


def test_documented_cases_come_first_then_their_baselines():
    assert [case.name for case in by_interest(CASES)] == ["documented", "plain", "sweep", "extra"]


@pytest.mark.parametrize(
    ("left_s", "expected"),
    [
        (160, (None, 4, 16, [])),
        (159, (6, 4, 16, [])),
        (95, (6, 2, 8, [])),
        (47, (6, 1, 4, [])),
        (17, (6, 1, 2, ["sweep", "extra"])),
        (5, (6, 1, 0, ["documented", "plain", "sweep", "extra"])),
    ],
    ids=["everything", "fewer samples", "fewer processes", "one process", "fewer cases", "nothing"],
)
def test_a_budget_takes_samples_then_processes_then_cases_away(left_s, expected):
    assert fitted(left_s) == expected


def test_the_samples_that_a_person_asked_for_are_kept():
    assert fitted(41, RunSettings("cpu", "tiny", samples=10)) == (10, 1, 4, [])


@pytest.mark.parametrize("processes", [1, 2, 4, 6, 10, 100])
def test_passes_stay_one_or_even(processes):
    found = fit(CASES, RunSettings("cpu", "tiny", processes=processes), foresee, 0.5 * processes * 24)
    assert found.settings.processes == 1 or found.settings.processes % 2 == 0


def test_what_is_left_of_a_resumed_run_keeps_its_order():
    found = fit_jobs([job(case) for case in CASES], SETTINGS, foresee(SETTINGS), 20)
    assert [each.case.name for each in found.jobs] == ["sweep", "plain"]


def begun(expected_s, took_s, total_s=30.0):
    """Return the names of the cases that begin if each is expected to take one time and takes another."""
    clock, names = Clock(), []
    jobs = [job(case) for case in CASES]
    pace = Pace(Forecast({case.key: Span(0, expected_s, 0) for case in CASES}), jobs, clock)
    budget = Budget(total_s + ENDING_S, 0.0, clock)
    for each in while_time(jobs, pace, budget.left_s):
        names.append(each.case.name)
        pace.begin()
        clock.now += took_s
        pace.end(each, ProcessRecord("s", each.case.name, 0, Status.OK))
    return names, clock.now


def test_a_run_that_keeps_to_its_forecast_measures_everything():
    assert begun(7.0, 7.0) == (["sweep", "plain", "documented", "extra"], 28.0)


def test_a_run_that_is_slower_begins_nothing_that_does_not_fit():
    assert begun(7.0, 12.0) == (["sweep", "plain"], 24.0)


def test_a_budget_is_exceeded_by_the_running_case_at_most():
    assert begun(7.0, 500.0) == (["sweep"], 500.0)


def test_a_download_does_not_count():
    clock = Clock()
    clock.now = 20.0
    assert Budget(10 + ENDING_S, 0.0, clock).later_by(15.0).left_s() == 5.0
