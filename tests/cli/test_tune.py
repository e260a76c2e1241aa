"""`tune` for real, on a tiny twin; the logic of search and budget is tested on a scripted clock in tests/plan."""

import csv
import json
import re

import pytest
from support import bench

from bench.pipelines.optimizations import names
from bench.plan.case import Plan

TRIED = {"tf32", "channels_last"}
SKIPPED = [name for name in names() if name not in TRIED]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """The folder of a search among two optimisations, and the process that made it."""
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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no-such-model"], "unknown model 'no-such-model'"),
        (["stable-diffusion-v1-5", "--height", "100"], "'height' is 100"),
        (["stable-diffusion-v1-5", "--max-memory", "8"], "--max-memory: '8' is no size"),
        (["stable-diffusion-v1-5", "--skip", "compil"], "--skip compil: there is no such optimisation; did you mean"),
        (["stable-diffusion-v1-5", "--code", "nowhere/pasted.py"], "there is no folder nowhere"),
        (["stable-diffusion-v1-5", "--device", "cpu", "--optimise", "energy"], "is told by an NVIDIA GPU, this is cpu"),
    ],
)
def test_what_cannot_be_tuned_is_refused(arguments, words, tmp_path):
    refused = bench("tune", *arguments, cwd=tmp_path)
    assert (refused.returncode, words in refused.stderr) == (2, True)
