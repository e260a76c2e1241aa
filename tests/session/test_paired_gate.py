"""The order in which a gate measures its blocks, without a server: fake sides record what they are asked for."""

import errno
import sys
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from session.test_live import FACTS, Client, stops, stops_while_diagnosing
from session.test_live import cases as cases_of
from support import rows

from bench.errors import InputError
from bench.execute.runner import InterruptedRunError
from bench.plan.case import Case, Plan, ScenarioInfo
from bench.plan.settings import RunSettings
from bench.records.models import ProcessRecord
from bench.records.outcomes import Status
from bench.records.store import RESULTS, SAMPLES, Store
from bench.session import paired_gate
from bench.session.paired_gate import GateSide, StoppedError, gate_interpreters, run_paired_blocks
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


def test_what_is_not_an_executable_is_refused_before_anything_starts(tmp_path):
    with pytest.raises(InputError, match=r"^--base-python .*nothing: is not an executable; give an interpreter"):
        gate_interpreters(tmp_path / "nothing", tmp_path, RunRequest(), 0.03, Notices(quiet=True))


@pytest.fixture
def gated(tmp_path, monkeypatch):
    """Gate an interpreter against itself with these clients, without a server, and return the folder of the runs."""

    def run(base, head=None):
        clients = {"base": base, "head": head or Client()}
        plan, settings = Plan((ScenarioInfo("s", "title"),), cases_of("a")), RunSettings("cpu", "tiny")
        monkeypatch.setattr(paired_gate, "_client", lambda _python, name: nullcontext(clients[name]))
        monkeypatch.setattr(paired_gate, "_prepare", lambda *_: (plan, settings, dict.fromkeys(clients, FACTS)))
        python = Path(sys.executable)
        return gate_interpreters(python, python, RunRequest(output=tmp_path), 0.03, Notices(quiet=True))

    return run


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
