"""`tune` for real, on a tiny model. Search and budget are tested on a made-up clock in tests/session."""

import json
import re

import pytest
from support import assert_ended, assert_refused, bench, rows

from bench.analyze.run import open_run
from bench.cli.recommend import tune
from bench.errors import InputError
from bench.pipelines.optimizations import names
from bench.plan.case import Plan

pytestmark = pytest.mark.slow
TRIED = {"tf32", "channels_last"}
SKIPPED = [name for name in names() if name not in TRIED]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """The folder of a search among two optimizations, and the process that made it."""
    folder = tmp_path_factory.mktemp("tune")
    options = ["--device", "cpu", "--steps", "5", "--budget", "5", "--output", "tuned", "--code", "pasted.py"]
    options += [word for name in SKIPPED for word in ("--skip", name)]
    return folder, bench("tune", "stable-diffusion-v1-5", *options, cwd=folder)


def test_a_search_ends_with_a_recommendation(tuned):
    _, process = tuned
    assert_ended(process, 0)
    assert "  Use tune/" in process.stdout


def test_the_code_is_printed_and_written(tuned):
    folder, process = tuned
    assert (folder / "pasted.py").read_text(encoding="utf-8") in process.stdout


def test_screening_is_an_ordinary_run(tuned):
    folder, _ = tuned
    screening = folder / "tuned" / "screening"
    plan = Plan.from_json(json.loads((screening / "plan.json").read_text()))
    assert [case.name for case in plan.cases] == [row["case"] for row in rows(screening / "results.csv")]
    assert_ended(bench("tables", screening, cwd=folder), 0)


def test_the_reference_is_screened_first_with_few_samples(tuned):
    folder, _ = tuned
    first = rows(folder / "tuned" / "screening" / "results.csv")[0]
    assert first["case"] == "float32"
    assert first["status"] == "ok"
    assert first["samples"] == "3"


def test_what_is_skipped_is_not_tried(tuned):
    folder, _ = tuned
    tried = [row["optimizations"] for row in rows(folder / "tuned" / "screening" / "results.csv")]
    assert {name for name in tried if name} == TRIED


def test_the_best_are_measured_in_passes_beside_the_reference(tuned):
    folder, _ = tuned
    final = rows(folder / "tuned" / "final" / "results.csv")
    assert final[0]["case"] == "float32"
    assert {row["baseline"] for row in final} == {"float32"}
    assert {row["interval"] for row in final} == {"between-processes"}


@pytest.mark.parametrize("stage", ["screening", "final"])
def test_neither_stage_diagnoses(tuned, stage):
    plan = json.loads((tuned[0] / "tuned" / stage / "plan.json").read_text())
    assert plan["run"]["diagnose"] is False


def test_what_this_machine_cannot_do_is_listed(tuned):
    _, process = tuned
    assert re.search(r"tune/float32\+tf32: skipped: .*tf32", process.stdout, re.IGNORECASE)


def test_screening_does_not_say_how_much_is_to_come(tuned):
    assert re.search(r"^\[1\] tune/float32  ok", tuned[1].stdout, re.MULTILINE)


def test_tiny_models_are_named_as_such(tuned):
    assert "TINY MODELS" in tuned[1].stdout


def test_a_reference_that_does_not_finish_in_time_ends_the_search(tmp_path):
    options = ["--device", "cpu", "--steps", "1000", "--budget", "0.1", "--output", "tuned"]
    process = bench("tune", "stable-diffusion-v1-5", *options, cwd=tmp_path)
    assert_ended(process, 1)
    assert "--budget" in process.stderr
    assert {record.case for record in open_run(tmp_path / "tuned" / "screening").processes} <= {"float32"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["no-such-model"], "unknown model 'no-such-model'"),
        (["stable-diffusion-v1-5", "--height", "100"], "height"),
        (["stable-diffusion-v1-5", "--max-memory", "8"], "--max-memory: "),
        (["stable-diffusion-v1-5", "--skip", "compil"], "--skip compil: there is no such optimization; did you mean"),
        (["stable-diffusion-v1-5", "--code", "nowhere/pasted.py"], "there is no folder nowhere"),
        (
            ["stable-diffusion-v1-5", "--device", "cpu", "--objective", "energy"],
            "--objective energy needs an NVIDIA GPU, but this run is on cpu",
        ),
    ],
)
def test_what_cannot_be_tuned_is_refused(options, words, tmp_path):
    assert_refused(bench("tune", *options, cwd=tmp_path), words)


@pytest.mark.parametrize("part", [".", "screening", "final"])
def test_a_folder_with_results_is_refused_before_anything_starts(part, tmp_path, monkeypatch):
    (tmp_path / part).mkdir(exist_ok=True)
    (tmp_path / part / "processes.jsonl").touch()
    monkeypatch.setattr("bench.session.tuning.WorkerClient", lambda: pytest.fail("a server was started"))
    with pytest.raises(InputError, match=r"--output .*: already has results; choose another --output, or remove"):
        tune("stable-diffusion-v1-5", output=tmp_path)
