"""`recommend` as a person uses it: on a run of a saved pipeline, and its code run as a program."""

import csv
import hashlib
import subprocess
import sys

import pytest
from PIL import Image
from support import bench

SCENARIO = """\
title: mine
model: {folder}
baseline: baseline
call: {{prompt: a cat, num_inference_steps: 2}}
samples: 6
cases:
  baseline: {{}}
  sliced: {{optimizations: [attention_slicing]}}
  euler: {{scheduler: DDIMScheduler, baseline: euler, seed: [3, 4], call: {{num_images_per_prompt: 2}}}}
"""


@pytest.fixture(scope="module")
def run_folder(saved_pipeline, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recommend")
    (folder / "mine.yaml").write_text(SCENARIO.format(folder=saved_pipeline), encoding="utf-8")
    process = bench("run", "mine.yaml", "--device", "cpu", "--output", "run", cwd=folder)
    assert process.returncode == 0, process.stderr
    return folder / "run"


def rows(folder):
    with (folder / "results.csv").open(newline="") as file:
        return {row["case"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("pattern", ["mine/sliced", "mine/euler"])
def test_the_code_draws_the_picture_of_the_recommended_case(pattern, run_folder, tmp_path):
    told = bench("recommend", run_folder, "--only", pattern, "--code", "pasted.py", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    (used,) = [name for name in rows(run_folder) if f"Use mine/{name}:" in told.stdout]
    subprocess.run([sys.executable, "pasted.py"], cwd=tmp_path, check=True, capture_output=True)
    drawn = Image.open(tmp_path / "image-0.png").convert("RGB").tobytes()
    assert hashlib.sha256(drawn).hexdigest() == rows(run_folder)[used]["image_sha256"]


def test_the_code_is_printed_as_it_is_written(run_folder, tmp_path):
    told = bench("recommend", run_folder, "--only", "mine/euler", "--code", "pasted.py", cwd=tmp_path)
    assert (tmp_path / "pasted.py").read_text(encoding="utf-8") in told.stdout


def test_each_task_has_its_recommendation(run_folder, tmp_path):
    assert bench("recommend", run_folder, cwd=tmp_path).stdout.count("  Use mine/") == 2


def test_code_of_two_tasks_does_not_go_into_one_file(run_folder, tmp_path):
    told = bench("recommend", run_folder, "--code", "pasted.py", cwd=tmp_path)
    assert (told.returncode, "choose the cases of one with --only" in told.stderr) == (2, True)
    assert not (tmp_path / "pasted.py").exists()


def test_a_constraint_that_nothing_meets_exits_with_one(run_folder, tmp_path):
    told = bench("recommend", run_folder, "--max-memory", "1 kB", cwd=tmp_path)
    assert (told.returncode, "No measured case meets the constraints." in told.stdout) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--max-memory", "8"], "--max-memory: '8' is no size"), (["--min-psnr", "20"], "--min-psnr 20: below 30 dB")],
)
def test_a_constraint_that_makes_no_sense_is_refused(arguments, words, run_folder, tmp_path):
    told = bench("recommend", run_folder, *arguments, cwd=tmp_path)
    assert (told.returncode, words in told.stderr) == (2, True)


def test_twins_are_told_before_anything_is_recommended(finished_run, tmp_path):
    told = bench("recommend", finished_run[0], "--only", "small/baseline", cwd=tmp_path).stdout
    assert told.index("TINY TWINS") < told.index("Use small/baseline")
    assert "# small/baseline. Measured was a tiny twin" in told


def test_what_was_skipped_is_told_with_its_reason(finished_run, tmp_path):
    told = bench("recommend", finished_run[0], cwd=tmp_path).stdout
    assert "small/tf32: skipped: TF32 needs cuda, this is cpu" in told
