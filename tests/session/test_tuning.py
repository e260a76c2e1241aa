"""What a search reports to a person, and what it takes from processes that do not finish, without a server."""

import errno
from contextlib import nullcontext

import pytest
from session.test_live import FACTS, Client

from bench.analyze.constraints import Constraints, Goal
from bench.errors import InputError
from bench.execute.events import DeadlineError
from bench.plan.case import Case
from bench.plan.settings import RunSettings
from bench.session import tuning
from bench.session.budget import Search, Spent
from bench.session.devices import Choice
from bench.session.files import writing
from bench.session.progress import Notices
from bench.session.request import Ending, RunRequest, TuneRequest
from bench.session.search import Config, Space
from bench.session.tuning import Tuning, measure_best, screening_summary

QUIET = Notices(quiet=True)


class Slow(Client):
    """A client whose cases never end, on a clock that only their deadlines move."""

    def __init__(self):
        self.now = 0.0

    def request(self, _message, timeout_s):
        self.now += timeout_s
        raise DeadlineError


def slow_search(folder, timeout_s):
    """Screen for an hour with cases that never end, although each may take `timeout_s`; return the search."""
    client = Slow()
    found = Search(Space(("float32", "float16"), {}), 3600.0, lambda: client.now, 0.0)
    template = Case("tune", "template", "stable-diffusion-v1-5", timeout_s=timeout_s)
    Tuning(folder, template, RunSettings("cpu", "tiny"), FACTS, Choice(), Constraints(Goal.LATENCY), found).screen(
        client, QUIET
    )
    return found


def test_what_the_budget_cut_short_counts_as_untried(tmp_path):
    found = slow_search(tmp_path, timeout_s=1e6)
    assert found.scores == {}
    assert found.left_out() == ["float32", "float16"]
    assert found.out_of_time()


def test_what_took_longer_than_its_scenario_allows_counts_as_tried(tmp_path):
    found = slow_search(tmp_path, timeout_s=60.0)
    assert list(found.scores.values()) == [None, None]
    assert found.left_out() == []


def request(folder):
    return TuneRequest("m", {}, Constraints(Goal.LATENCY), 60.0, run=RunRequest(output=folder / "tune"))


def test_a_disk_that_refuses_a_record_ends_a_search(tmp_path, monkeypatch, capsys):
    def refuse(*_):
        with writing():
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tuning, "WorkerClient", lambda **_: nullcontext())
    monkeypatch.setattr(tuning, "_prepare", refuse)
    assert tuning.tune(request(tmp_path), Notices()).ending is Ending.NOT_WRITTEN
    assert capsys.readouterr().err == (
        "stopped: cannot write the results ([Errno 28] No space left on device); free some space, then start again\n"
    )


def test_a_server_that_cannot_be_started_is_not_a_full_disk(tmp_path, monkeypatch):
    def refuse(**_):
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(tuning, "WorkerClient", refuse)
    with pytest.raises(BlockingIOError):
        tuning.tune(request(tmp_path), QUIET)


class OnSlice(Client):
    """A client whose worker has a MIG slice."""

    def ask(self, _message):
        return {
            **FACTS,
            "device": "cuda",
            "device_name": "NVIDIA A100-SXM4-40GB MIG 1g.5gb",
            "torch_build": "cuda 13.0",
        }


def test_energy_is_refused_on_a_slice_before_anything_is_measured(tmp_path):
    found = TuneRequest("stable-diffusion-v1-5", {"prompt": "a cat"}, Constraints(Goal.ENERGY), 60.0)
    with pytest.raises(InputError, match=r"--objective energy needs a whole card, but .* MIG 1g.5gb is a MIG slice"):
        tuning._prepare(OnSlice(), Choice(), found, tmp_path, 0.0, QUIET)


def searched(tried, dropped=()):
    """Return a search among three optimizations that has tried configurations at these costs."""
    found = Search(Space(("float32",), dict.fromkeys("abc", frozenset())), 600.0, lambda: 0.0, 0.0)
    for names, cost in tried.items():
        found.record(Config("float32", tuple(names)), (0.0, cost), Spent(1.0, 0.1))
    for names in dropped:
        found.drop(Config("float32", tuple(names)))
    return found


def summary(found):
    return list(screening_summary(found, [], 0))


def test_optimizations_without_time_are_listed_by_name():
    lines = summary(searched({"": 1.0, "a": 0.5, "b": 0.6, "ab": 0.4}, ["c", "abc"]))
    assert "Not tried for lack of time: c." in lines


def test_combinations_without_time_are_listed_if_their_parts_were_tried():
    lines = summary(searched({"": 1.0, "a": 0.5, "b": 0.6, "c": 0.7, "ab": 0.4}, ["abc"]))
    assert "Not tried for lack of time: float32+a+b+c." in lines


def test_if_nothing_was_combined_that_is_said_instead():
    lines = summary(searched({"": 1.0, "a": 0.5, "b": 0.4, "c": 2.0}, ["ab"]))
    assert lines[1].startswith("There was no time to combine the 2 optimizations that help alone (b, a)")


@pytest.mark.parametrize(
    ("tried", "why"), [({"": 1.0, "a": 0.5}, "no time left"), ({"": 1.0, "a": 2.0}, "nothing to compare")]
)
def test_why_nothing_is_measured_carefully_is_said(tried, why):
    assert f"There is {why}" in summary(searched(tried))[-1]


class Hasty:
    """A tuning whose passes are over at once, but take `took_s` on its clock."""

    def __init__(self, took_s):
        self.now = 0.0
        self.took_s = took_s
        self.choice = Choice()
        self.search = searched({"": 1.0, "a": 0.5})
        self.search.clock = lambda: self.now

    def measure_best(self, _client, configs, passes, _notices):
        for _ in self.search.careful_passes(configs, passes):
            self.now += self.took_s
        return tuning.RunOutcome(None, (), Ending.COMPLETE)


def said_while_measuring(took_s, monkeypatch, capsys):
    monkeypatch.setattr(tuning, "WorkerClient", lambda **_: nullcontext())
    measure_best(Hasty(took_s), Notices())
    return capsys.readouterr().out.splitlines()


def test_passes_without_time_are_said(monkeypatch, capsys):
    lines = said_while_measuring(250.0, monkeypatch, capsys)
    assert lines[-1] == "Finished 2 of 4 passes; there was no time for more."


def test_after_all_passes_nothing_is_said(monkeypatch, capsys):
    assert said_while_measuring(10.0, monkeypatch, capsys)[-1].startswith("Measuring carefully, in 4 passes: ")
