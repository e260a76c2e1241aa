"""When a run measures what its device can do: once, and only if a case will be compared with it."""

from types import SimpleNamespace

import pytest

from bench.execute.client import ServerError
from bench.plan.case import Case
from bench.plan.settings import RunSettings
from bench.session.rates import measure_rates

ANSWER = {"matrix_flops": {"float32": 1.0}, "copy_bytes_per_s": 1.0}


class Client:
    """Answers every question alike and keeps it; without an answer it fails."""

    def __init__(self, answer=ANSWER):
        self.answer, self.asked = answer, []

    def ask(self, message):
        self.asked.append(message)
        if self.answer is None:
            raise ServerError("'rates' failed: out of memory")
        return self.answer


class Live:
    """A run that keeps its environment in memory."""

    def __init__(self, settings):
        self.settings, self.environment = settings, {}

    def describe(self, **facts):
        self.environment |= facts


def asked(settings, *cases, client=None, before=()):
    """Return the requests that a run of these cases makes, its environment, and what it warned of."""
    client, live, warnings = client or Client(), Live(settings), []
    live.environment |= dict(before)
    measure_rates(client, live, cases, SimpleNamespace(warn=warnings.append))
    return client.asked, live.environment, warnings


def case(**settings):
    return Case("s", "a", "stable-diffusion-v1-5", **settings)


FULL, TINY = RunSettings("cpu", "full"), RunSettings("cpu", "tiny")


@pytest.mark.parametrize(
    ("settings", "cases", "types"),
    [
        (FULL, [case(dtype="bfloat16")], ["bfloat16", "float32"]),
        (FULL, [case(optimizations=("autocast",))], ["float16", "float32"]),
        (RunSettings("cuda", "full"), [case()], ["float32", "tf32"]),
        (RunSettings("cpu", "tiny", diagnose=True), [case()], ["float32"]),
    ],
    ids=["full-size", "autocast", "on a GPU", "tiny on request"],
)
def test_the_types_that_the_cases_may_compute_in_are_measured(settings, cases, types):
    (request,), environment, _ = asked(settings, *cases)
    assert request["op"] == "rates"
    assert request["types"] == types
    assert environment["rates"] == ANSWER


@pytest.mark.parametrize(
    ("settings", "before"),
    [(TINY, {}), (RunSettings("cpu", "full", diagnose=False), {}), (FULL, {"rates": ANSWER})],
    ids=["tiny models", "a gate or a search", "a resumed run"],
)
def test_no_rates_are_measured_where_they_are_not_needed(settings, before):
    assert asked(settings, case(), before=before)[0] == []


def test_a_run_without_rates_goes_on_and_says_so():
    _, environment, warnings = asked(FULL, case(), client=Client(answer=None))
    assert environment == {}
    assert warnings == [
        "there will be no roofline, because the rates of this device are unknown: 'rates' failed: out of memory"
    ]
