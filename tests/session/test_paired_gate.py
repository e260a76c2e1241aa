"""The order in which a gate measures its blocks, without a server: fake sides record what they are asked for."""

import errno
import sys
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from analyze.make import result
from session.test_live import FACTS, Client, stops, stops_while_diagnosing
from session.test_live import cases as cases_of
from support import rows

from bench.analyze.comparison import Pair
from bench.analyze.gate import GateVerdict, Judged, Reason
from bench.errors import InputError
from bench.execute.runner import InterruptedRunError
from bench.plan.case import Case, Plan, ScenarioInfo
from bench.plan.settings import RunSettings
from bench.present.verdicts import gate_reasons
from bench.records.models import ProcessRecord, Timings
from bench.records.outcomes import Status
from bench.records.store import RESULTS, SAMPLES, Store
from bench.session import paired_gate
from bench.session.fitting import ENDING_S, Budget
from bench.session.paired_gate import GateSide, StoppedError, TimeLeft, _of_blocks, gate_interpreters, run_paired_blocks
from bench.session.progress import Notices
from bench.session.request import RunRequest


@dataclass
class Sides:
    """Two sides that measure nothing, and how the processes of their cases end: ok if not listed."""

    statuses: dict = field(default_factory=dict)
    stopped_at: tuple | None = None
    order: list = field(default_factory=list)

    def __iter__(self):
        return iter([GateSide(name, Live(name, self)) for name in ("base", "head")])


@dataclass
class Live:
    name: str
    sides: Sides

    def measure(self, jobs, _listener):
        for job in jobs:
            key = (self.name, job.case.name, job.process)
            self.sides.order.append(key)
            yield ProcessRecord("s", job.case.name, job.process, Status(self.sides.statuses.get(key, "ok")))
            if key == self.sides.stopped_at:
                raise InterruptedRunError


def cases(names):
    return [Case("s", name, "model") for name in names]


def measured(names, numbers, statuses=()):
    """Measure blocks; return (side, case, block) of each process, in order."""
    sides = Sides(dict(statuses))
    run_paired_blocks(list(sides), cases(names), numbers, Notices(quiet=True).watch(None))
    return sides.order


def test_the_order_of_the_sides_reverses_from_block_to_block():
    assert [side for side, *_ in measured("a", range(4))] == [
        "base", "head", "head", "base", "base", "head", "head", "base",
    ]  # fmt: skip


def test_cases_run_forward_and_backward_in_turn():
    assert [(case, block) for _, case, block in measured("ab", range(2))[::2]] == [
        ("a", 0), ("b", 0), ("b", 1), ("a", 1),
    ]  # fmt: skip


def test_more_blocks_continue_the_alternation():
    assert [side for side, *_ in measured("a", range(6, 8))] == ["base", "head", "head", "base"]


@pytest.mark.parametrize("side", ["base", "head"])
def test_a_case_that_one_side_cannot_measure_is_not_tried_again_on_either(side):
    order = measured("ab", range(2), {(side, "a", 0): "oom"})
    assert [each for each in order if each[1] == "a"] == [("base", "a", 0), ("head", "a", 0)]


def test_the_other_cases_are_measured_all_the_same():
    order = measured("ab", range(2), {("base", "a", 0): "oom"})
    assert len([each for each in order if each[1] == "b"]) == 4


def test_an_unstable_case_is_measured_in_all_blocks():
    assert len(measured("a", range(2), {("base", "a", 0): "unstable"})) == 4


def test_an_interruption_ends_the_gate_after_the_process_in_flight():
    sides = Sides(stopped_at=("head", "a", 0))
    with pytest.raises(InterruptedRunError):
        run_paired_blocks(list(sides), cases("ab"), range(2), Notices(quiet=True).watch(None))
    assert sides.order == [("base", "a", 0), ("head", "a", 0)]


class Spent:
    """Sides whose processes take a number of seconds, on a clock that only they move."""

    def __init__(self, total_s, **seconds):
        self.now_s, self.seconds, self.order, self.records = 0.0, seconds, [], []
        self.sides = [GateSide(name, self) for name in ("base", "head")]
        self.left = TimeLeft(self.sides, Budget(total_s + ENDING_S, 0.0, lambda: self.now_s))

    def measure(self, jobs, _listener):
        for job in jobs:
            taken_s = self.seconds[job.case.name]
            self.now_s += taken_s
            self.order.append((job.case.name, job.process))
            timings = Timings(wall_s=taken_s)
            self.records.append(ProcessRecord("s", job.case.name, job.process, Status.OK, timings=timings))
            yield self.records[-1]


def in_budget(total_s, names="a", numbers=range(6), **seconds):
    """Measure blocks of cases whose processes take this long; return how many of each, and which got fewer."""
    spent = Spent(total_s, **seconds)
    short = run_paired_blocks(spent.sides, cases(names), numbers, Notices(quiet=True).watch(None), spent.left)
    return {name: sum(each == name for each, _ in spent.order) // 2 for name in names}, short


def test_a_budget_that_suffices_cuts_nothing_short():
    assert in_budget(1000.0, a=10.0) == ({"a": 6}, [])


def test_a_block_that_does_not_fit_is_not_begun():
    assert in_budget(70.0, a=10.0) == ({"a": 3}, ["s/a"])


def test_a_shorter_case_still_gets_its_blocks():
    assert in_budget(75.0, "ab", a=10.0, b=1.0) == ({"a": 3, "b": 6}, ["s/a"])


def test_nothing_begins_after_the_budget():
    assert in_budget(0.0, a=10.0) == ({"a": 0}, ["s/a"])


@pytest.mark.parametrize(("total_s", "fitting"), [(500.0, ["a", "b"]), (300.0, ["a"]), (100.0, [])])
def test_a_second_look_is_taken_whole_or_not_at_all(total_s, fitting):
    """Eight more blocks of a case take 8 x 2 x 10 s, and a fifth more to be sure."""
    spent = Spent(total_s, a=10.0, b=10.0)
    run_paired_blocks(spent.sides, cases("ab"), range(1), Notices(quiet=True).watch(None))
    assert [case.name for case in spent.left.fitting(cases("ab"), 8)] == fitting


def test_without_a_budget_there_is_time_for_everything():
    assert TimeLeft([]).fitting(cases("ab"), 8) == cases("ab")


def test_what_is_not_an_executable_is_refused_before_anything_starts(tmp_path):
    with pytest.raises(InputError, match=r"^--base-python .*nothing: is not an executable; give an interpreter"):
        gate_interpreters(tmp_path / "nothing", tmp_path, RunRequest(), 0.03, Notices(quiet=True))


@pytest.fixture
def gated(tmp_path, monkeypatch):
    """Gate an interpreter against itself with these clients, without a server, and return the folder of the runs."""

    def run(base, head=None, budget_s=None):
        clients = {"base": base, "head": head or Client()}
        plan, settings = Plan((ScenarioInfo("s", "title"),), cases_of("a")), RunSettings("cpu", "tiny")
        monkeypatch.setattr(paired_gate, "_client", lambda _python, name, _choice: nullcontext(clients[name]))
        monkeypatch.setattr(paired_gate, "_prepare", lambda *_: (plan, settings, dict.fromkeys(clients, FACTS)))
        python = Path(sys.executable)
        request = RunRequest(output=tmp_path, budget_s=budget_s)
        return gate_interpreters(python, python, request, 0.03, Notices(quiet=True))

    return run


def test_a_gate_says_how_long_it_took(gated):
    assert gated(Client()).duration_s > 0


def test_a_case_that_has_too_few_blocks_says_what_is_missing():
    pair = Pair("s/a", result("a"), result("a"), 1.01, None, (3, 3))
    few = _of_blocks(Judged(pair, 0.03, GateVerdict.INCONCLUSIVE, (Reason.TOO_FEW_PROCESSES,)))
    assert gate_reasons(few).endswith(": 6 blocks are needed, and the budget had time for 3")


def test_a_case_that_a_gate_had_no_time_for_is_inconclusive(gated):
    found = gated(Client(), budget_s=1.0)
    assert [each.reasons for each in found.judged] == [(Reason.NO_TIME,)]
    assert found.verdict is GateVerdict.INCONCLUSIVE


@pytest.mark.parametrize("client", [Client(a=stops()), Client(a=stops_while_diagnosing())], ids=["sampling", "after"])
def test_a_gate_that_is_stopped_writes_what_it_has(gated, tmp_path, client):
    with pytest.raises(StoppedError):
        gated(Client(), client)
    assert [row["case"] for row in rows(tmp_path / "base" / RESULTS)] == ["a"]
    assert len(rows(tmp_path / "base" / SAMPLES)) == 3
    assert [row["case"] for row in rows(tmp_path / "head" / RESULTS)] == ["a"]


def test_a_disk_that_refuses_a_record_is_named(gated, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Store, "append", refuse)
    with pytest.raises(InputError, match=r"^stopped: cannot write the results .*; free some space, then gate again$"):
        gated(Client())


def test_a_server_that_cannot_be_started_is_not_a_full_disk(gated):
    def refuses():
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        yield

    with pytest.raises(BlockingIOError):
        gated(Client(a=refuses()))
