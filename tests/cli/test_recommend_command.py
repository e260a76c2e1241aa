"""`recommend` as a person uses it: on a run of a saved pipeline, with its code run as a program."""

import hashlib
import subprocess
import sys

import pytest
from PIL import Image
from support import assert_ended, assert_refused, bench, rows

pytestmark = pytest.mark.slow

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
    assert_ended(bench("run", "mine.yaml", "--device", "cpu", "--output", "run", cwd=folder), 0)
    return folder / "run"


@pytest.mark.parametrize("pattern", ["mine/sliced", "mine/euler"])
def test_the_code_draws_the_picture_of_the_recommended_case(pattern, run_folder, tmp_path):
    process = bench("recommend", run_folder, "--only", pattern, "--code", "pasted.py", cwd=tmp_path)
    assert_ended(process, 0)
    images = {row["case"]: row["image_sha256"] for row in rows(run_folder / "results.csv")}
    (used,) = [name for name in images if f"Use mine/{name}:" in process.stdout]
    subprocess.run([sys.executable, "pasted.py"], cwd=tmp_path, check=True, capture_output=True)
    drawn = Image.open(tmp_path / "image-0.png").convert("RGB").tobytes()
    assert hashlib.sha256(drawn).hexdigest() == images[used]


def test_the_code_is_printed_as_it_is_written(run_folder, tmp_path):
    process = bench("recommend", run_folder, "--only", "mine/euler", "--code", "pasted.py", cwd=tmp_path)
    assert (tmp_path / "pasted.py").read_text(encoding="utf-8") in process.stdout


def test_each_task_has_its_recommendation(run_folder, tmp_path):
    assert bench("recommend", run_folder, cwd=tmp_path).stdout.count("  Use mine/") == 2


def test_code_of_two_tasks_does_not_go_into_one_file(run_folder, tmp_path):
    assert_refused(bench("recommend", run_folder, "--code", "pasted.py", cwd=tmp_path), "--code pasted.py: ", "--only")
    assert not (tmp_path / "pasted.py").exists()


def test_constraints_that_no_case_meets_exit_with_one(run_folder, tmp_path):
    assert_ended(bench("recommend", run_folder, "--max-memory", "1 kB", cwd=tmp_path), 1)


@pytest.mark.parametrize(
    ("arguments", "words"), [(["--max-memory", "8"], "--max-memory: "), (["--min-psnr", "20"], "--min-psnr 20: ")]
)
def test_a_constraint_that_makes_no_sense_is_refused(arguments, words, run_folder, tmp_path):
    assert_refused(bench("recommend", run_folder, *arguments, cwd=tmp_path), words)


def test_tiny_models_are_named_as_such_before_anything_is_recommended(finished_run, tmp_path):
    printed = bench("recommend", finished_run[0], "--only", "small/baseline", cwd=tmp_path).stdout
    assert printed.index("TINY MODELS") < printed.index("Use small/baseline")


def test_what_was_skipped_is_listed_with_its_reason(finished_run, tmp_path):
    printed = bench("recommend", finished_run[0], cwd=tmp_path).stdout
    assert "small/tf32: skipped: " in printed
