"""`tune` for real, on a tiny twin; the logic of search and budget is tested on a scripted clock in tests/plan."""

import csv
import json
import re
from contextlib import nullcontext

import pytest
from bench.cli.tune import measure_best, tune, words
from support import bench

from bench.analyze.constraints import Constraints, Goal
from bench.errors import InputError
from bench.execute.events import DeadlineError
from bench.pipelines.optimizations import names
from bench.plan.case import Case, Plan
from bench.plan.settings import RunSettings
from bench.session.budget import Search, Spent
from bench.session.search import Config, Space
from bench.session.tuning import Tuning

TRIED = {"tf32", "channels_last"}
SKIPPED = [name for name in names() if name not in TRIED]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """The folder of a search among two optimizations, and the process that made it."""
    folder = tmp_path_factory.mktemp("tune")
    asked = ["--device", "cpu", "--steps", "5", "--budget", "5", "--output", "tuned", "--code", "pasted.py"]
    asked += [word for name in SKIPPED for word in ("--skip", name)]
    return folder, bench("tune", "stable-diffusion-v1-5", *asked, cwd=folder)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_search_ends_with_a_recommendation_and_its_code(tuned):
    folder, process = tuned
    assert process.returncode == 0, process.stderr
    assert "  Use tune/" in process.stdout
    assert (folder / "pasted.py").read_text(encoding="utf-8") in process.stdout


def test_screening_is_an_ordinary_run(tuned):
    folder, _ = tuned
    screening = folder / "tuned" / "screening"
    plan = Plan.from_json(json.loads((screening / "plan.json").read_text()))
    assert [case.name for case in plan.cases] == [row["case"] for row in rows(screening / "results.csv")]
    assert bench("tables", screening, cwd=folder).returncode == 0


def test_the_reference_is_screened_first_with_few_samples(tuned):
    folder, _ = tuned
    first = rows(folder / "tuned" / "screening" / "results.csv")[0]
    assert (first["case"], first["status"], first["samples"]) == ("float32", "ok", "3")


def test_what_is_to_be_skipped_is_not_tried(tuned):
    folder, _ = tuned
    tried = [row["optimizations"] for row in rows(folder / "tuned" / "screening" / "results.csv")]
    assert {name for name in tried if name} == TRIED


def test_the_best_are_measured_in_rounds_beside_the_reference(tuned):
    folder, _ = tuned
    final = rows(folder / "tuned" / "final" / "results.csv")
    assert (final[0]["case"], {row["baseline"] for row in final}) == ("float32", {"float32"})
    assert {row["interval"] for row in final} == {"between processes"}


def test_neither_part_diagnoses(tuned):
    folder, _ = tuned
    plans = [json.loads((folder / "tuned" / part / "plan.json").read_text()) for part in ("screening", "final")]
    assert [plan["run"]["diagnose"] for plan in plans] == [False, False]


def test_what_is_not_possible_here_is_told_with_its_reason(tuned):
    _, process = tuned
    assert "tune/" in process.stdout.split("nothing is said of it:")[1]


def test_screening_does_not_say_how_much_is_to_come(tuned):
    assert re.search(r"^\[1\] tune/float32  ok", tuned[1].stdout, re.MULTILINE)


def test_twins_are_told(tuned):
    assert "TINY TWINS" in tuned[1].stdout


def test_a_reference_that_does_not_end_in_time_ends_the_search(tmp_path):
    asked = ["--device", "cpu", "--steps", "1000", "--budget", "0.1", "--output", "tuned"]
    process = bench("tune", "stable-diffusion-v1-5", *asked, cwd=tmp_path)
    assert (process.returncode, "give more minutes (--budget)" in process.stderr) == (1, True)
    assert {row["case"] for row in rows(tmp_path / "tuned" / "screening" / "processes.csv")} <= {"float32"}


class Slow:
    """A server whose cases never end, on a clock that only their deadlines move."""

    def __init__(self):
        self.now = 0.0

    def request(self, _message, timeout_s):
        self.now += timeout_s
        raise DeadlineError

    def end_worker(self, _pid):
        return True

    def close(self):
        pass


def slow_search(folder, timeout_s):
    """Screen an hour with cases that never end, for all that they may take `timeout_s`; return the search."""
    server = Slow()
    found = Search(Space(("float32", "float16"), {}), 3600.0, lambda: server.now, 0.0)
    template = Case("tune", "template", "stable-diffusion-v1-5", timeout_s=timeout_s)
    settings, machine = RunSettings("cpu", "tiny"), {"started_by": "fork"}
    Tuning(folder, template, settings, machine, Constraints(Goal.LATENCY), found).screen(server)
    return found


def test_what_the_budget_cut_short_is_left_out(tmp_path):
    found = slow_search(tmp_path, timeout_s=1e6)
    assert (found.scores, found.left_out(), found.out_of_time()) == ({}, ["float32", "float16"], True)


def test_what_took_longer_than_any_case_may_was_tried(tmp_path):
    found = slow_search(tmp_path, timeout_s=60.0)
    assert (list(found.scores.values()), found.left_out(), found.out_of_time()) == ([None, None], [], False)


def searched(tried, passed_over=()):
    """Return a search among three optimizations, of what each configuration that was tried costs."""
    space = Space(("float32",), dict.fromkeys("abc", frozenset()))
    found = Search(space, 600.0, lambda: 0.0, 0.0)
    for names_of, cost in tried.items():
        found.take(Config("float32", tuple(names_of)), (0.0, cost), Spent(1.0, 0.1))
    for names_of in passed_over:
        found.pass_over(Config("float32", tuple(names_of)))
    return found


def test_combinations_without_time_are_told_beside_what_was_never_tried():
    found = searched({"": 1.0, "a": 0.5, "b": 0.6, "ab": 0.4}, ["c", "abc"])
    assert "Left out for lack of time: c." in words(found, [], 0)
    found = searched({"": 1.0, "a": 0.5, "b": 0.6, "c": 0.7, "ab": 0.4}, ["abc"])
    assert "Left out for lack of time: float32+a+b+c." in words(found, [], 0)


def test_that_no_combination_was_tried_is_told():
    told = " ".join(words(searched({"": 1.0, "a": 0.5, "b": 0.4, "c": 2.0}, ["ab"]), [], 0))
    assert "No combination was tried for lack of time, though 2 optimizations help alone (b, a)" in told
    assert "Left out" not in told


@pytest.mark.parametrize(
    ("tried", "why"), [({"": 1.0, "a": 0.5}, "no time to measure"), ({"": 1.0, "a": 2.0}, "nothing to compare")]
)
def test_why_nothing_is_measured_with_care_is_told(tried, why):
    assert f"There is {why}" in list(words(searched(tried), [], 0))[-1]


class Hasty:
    """A tuning whose rounds are over at once, but for `took` seconds on its clock."""

    def __init__(self, took):
        self.interrupted = False
        self.now = 0.0
        self.took = took
        self.search = searched({"": 1.0, "a": 0.5})
        self.search.clock = lambda: self.now

    def measure_best(self, _server, configs, rounds):
        for _ in self.search.careful_rounds(configs, rounds):
            self.now += self.took
        return "final"


@pytest.mark.parametrize(("took", "told"), [(10.0, ""), (250.0, "Measured 2 of 4 rounds: there was no time for more.")])
def test_rounds_without_time_are_told(took, told, monkeypatch, capsys):
    monkeypatch.setattr("bench.execute.client.WorkerClient", nullcontext)
    assert measure_best(Hasty(took)) == "final"
    announced, *rest = capsys.readouterr().out.splitlines()[-1 - bool(told) :]
    assert ("Measuring with care, 4 rounds" in announced, rest) == (True, [told] if told else [])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["no-such-model"], "unknown model 'no-such-model'"),
        (["stable-diffusion-v1-5", "--height", "100"], "'height' is 100"),
        (["stable-diffusion-v1-5", "--max-memory", "8"], "--max-memory: '8' is no size"),
        (["stable-diffusion-v1-5", "--skip", "compil"], "--skip compil: there is no such optimization; did you mean"),
        (["stable-diffusion-v1-5", "--code", "nowhere/pasted.py"], "there is no folder nowhere"),
        (["stable-diffusion-v1-5", "--device", "cpu", "--optimize", "energy"], "is told by an NVIDIA GPU, this is cpu"),
    ],
)
def test_what_cannot_be_tuned_is_refused(arguments, told, tmp_path):
    refused = bench("tune", *arguments, cwd=tmp_path)
    assert (refused.returncode, told in refused.stderr) == (2, True)


@pytest.mark.parametrize("part", [".", "screening", "final"])
def test_a_folder_with_results_is_refused_before_anything_starts(part, tmp_path, monkeypatch):
    (tmp_path / part).mkdir(exist_ok=True)
    (tmp_path / part / "processes.csv").touch()
    monkeypatch.setattr("bench.execute.client.WorkerClient", lambda: pytest.fail("a server was started"))
    with pytest.raises(InputError, match=r"--output .*: has results already; choose another --output, or remove"):
        tune("stable-diffusion-v1-5", output=tmp_path)
