"""`run` as a person uses it, on tiny models: what it writes, prints and exits with, and what stops and resumes it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest
from support import SCENARIO, assert_ended, assert_refused, bench, environment, rows

from bench.analyze.run import open_run
from bench.records.case_result import CaseResult
from bench.records.columns import columns

pytestmark = pytest.mark.slow
LAST_LOG = "run/logs/small/batch-0.log"


def start(*arguments, cwd):
    return subprocess.Popen(
        [sys.executable, "-m", "bench", "run", *arguments], cwd=cwd, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - background jobs ignore it
    )  # fmt: skip


def wait_for(path, process):
    """Wait until a run has made this file; the wait ends early if the run does."""
    while process.poll() is None and not path.exists():
        time.sleep(0.02)


def statuses(folder):
    return [(record.case, str(record.status)) for record in open_run(folder).processes]


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A run that was killed outright during its last case: its folder, and the processes that survived it."""
    folder = tmp_path_factory.mktemp("killed")
    (folder / "small.yaml").write_text(SCENARIO, encoding="utf-8")
    with start("small.yaml", "--device", "cpu", "--output", "run", cwd=folder) as running:
        wait_for(folder / LAST_LOG, running)
        family = psutil.Process(running.pid).children(recursive=True)
        running.kill()
    return folder / "run", psutil.wait_procs(family, timeout=10)[1]


@pytest.fixture
def killed_run(killed, tmp_path):
    """A copy of the killed run."""
    return shutil.copytree(killed[0], tmp_path / "run")


@pytest.fixture(scope="module")
def with_a_fault(saved_pipeline, tmp_path_factory):
    """A run of a saved pipeline with a case that fails: its folder, and the process that made it."""
    folder = tmp_path_factory.mktemp("fault")
    (folder / "mine.yaml").write_text(
        f"title: mine\nmodel: {saved_pipeline}\nbaseline: a\ncall: {{prompt: a cat, num_inference_steps: 2}}\n"
        "samples: 2\ncases:\n  a: {}\n  broken: {call: {clip_skip: 99}}\n",
        encoding="utf-8",
    )
    return folder / "run", bench("run", "mine.yaml", "--device", "cpu", "--output", "run", cwd=folder)


def test_every_case_is_a_row(finished_run):
    folder, _ = finished_run
    assert [(row["case"], row["status"]) for row in rows(folder / "results.csv")] == [
        ("baseline", "ok"), ("tf32", "skipped"), ("batch", "ok"),
    ]  # fmt: skip


def test_results_have_the_documented_columns(finished_run):
    folder, _ = finished_run
    assert list(rows(folder / "results.csv")[0]) == [column.name for column in columns(CaseResult)]


def test_samples_are_written_at_full_precision(finished_run):
    folder, _ = finished_run
    latencies = [row["latency_s"] for row in rows(folder / "samples.csv")]
    assert len(latencies) == 12
    assert [repr(float(value)) for value in latencies] == latencies


def test_a_batch_saves_all_its_pictures(finished_run):
    folder, _ = finished_run
    assert sorted(path.name for path in (folder / "images" / "small").iterdir()) == [
        "baseline-0.png",
        "batch-0.png",
        "batch-1.png",
    ]


def test_tables_are_written(finished_run):
    folder, _ = finished_run
    assert "baseline" in (folder / "tables.md").read_text(encoding="utf-8")


def test_plots_are_drawn_in_both_formats(finished_run):
    folder, _ = finished_run
    assert {path.suffix for path in (folder / "plots").iterdir()} == {".png", ".svg"}


def test_tables_are_printed_with_the_warning_about_tiny_models(finished_run):
    _, process = finished_run
    assert "TINY MODELS" in process.stdout


def test_without_a_terminal_progress_is_one_line_per_process(finished_run):
    _, process = finished_run
    assert re.search(r"^\[1/3\] small/baseline  ok  .*n=6  \(about .* left\)$", process.stdout, re.MULTILINE)


def test_a_run_says_how_long_it_will_take_and_how_far_off_that_was(finished_run):
    _, process = finished_run
    words = r"3 cases, 3 processes\. Estimated time: about .*Measuring took .*; the estimate was "
    assert re.search(words, process.stdout, re.DOTALL)


def test_the_forecast_is_recorded(finished_run):
    folder, _ = finished_run
    forecast = json.loads((folder / "environment.json").read_text())["forecast"]
    assert forecast["processes"] == len([row for row in rows(folder / "results.csv") if row["status"] == "ok"])


def test_a_budget_leaves_out_what_does_not_fit_and_says_how_to_continue(write, tmp_path):
    process = bench("run", write(SCENARIO, "small.yaml"), "--budget", "1s", "--output", "run", cwd=tmp_path)
    assert_ended(process, 1)  # nothing was measured
    assert "left out for lack of time" in process.stdout
    assert "--resume --output run" in process.stdout


def test_a_budget_that_is_not_a_time_is_refused(write, tmp_path):
    assert_refused(
        bench("run", write(SCENARIO, "small.yaml"), "--budget", "soon", cwd=tmp_path), "--budget", "90s, 30m or 2h"
    )


def test_the_environment_is_recorded(finished_run):
    facts = json.loads((finished_run[0] / "environment.json").read_text())
    assert {"torch", "diffusers", "device_name", "cpu", "git_commit"} <= set(facts)


def test_a_finished_run_is_not_overwritten(finished_run):
    folder, _ = finished_run
    assert_refused(bench("run", "small.yaml", "--device", "cpu", "--output", "run", cwd=folder.parent), "--resume")


def test_a_bad_scenario_is_refused_with_file_and_line(write, tmp_path):
    write("title: x\nmodel: stable-diffusion-v1-5\ntorch_dtype: float16\ncases: {a: {}}\n", "bad.yaml")
    assert_refused(bench("run", "bad.yaml", cwd=tmp_path), "bad.yaml:3: unknown key 'torch_dtype'")


def test_a_device_that_this_machine_does_not_have_is_refused(write, tmp_path):
    write(SCENARIO, "small.yaml")
    assert_refused(bench("run", "small.yaml", "--device", "xpu", cwd=tmp_path), "--device xpu: ")


def test_an_odd_number_of_passes_is_refused(write, tmp_path):
    write(SCENARIO, "small.yaml")
    assert_refused(bench("run", "small.yaml", "--processes", "3", cwd=tmp_path), "--processes 3: ", "even number")


def test_weights_in_a_folder_that_does_not_exist_are_refused(write, tmp_path):
    write(SCENARIO, "small.yaml")
    assert_refused(bench("run", "small.yaml", "--weights", "nowhere", cwd=tmp_path), "--weights nowhere: ")


def test_weights_from_the_hub_for_tiny_models_are_refused(write, tmp_path):
    write(SCENARIO, "small.yaml")
    assert_refused(bench("run", "small.yaml", "--weights", "hub", "--size", "tiny", cwd=tmp_path), "random weights")


def test_a_saved_pipeline_is_measured_beside_a_case_that_fails(with_a_fault):
    folder, _ = with_a_fault
    assert [(row["case"], row["status"], row["size"], row["weights"]) for row in rows(folder / "results.csv")] == [
        ("a", "ok", "full", "folder"),
        ("broken", "failed", "full", "folder"),
    ]


def test_a_case_that_fails_exits_with_one(with_a_fault):
    assert_ended(with_a_fault[1], 1)


def test_only_the_failed_case_is_measured_again_if_asked_for(with_a_fault, tmp_path):
    folder = shutil.copytree(with_a_fault[0], tmp_path / "run")
    good, failed = open_run(folder).processes
    bench("run", "--retry-failed", "--output", "run", cwd=tmp_path)
    first, second = open_run(folder).processes
    assert first == good
    assert second.case == "broken"
    assert second.status == failed.status
    assert second.timings != failed.timings


def test_a_run_killed_outright_leaves_no_process_behind(killed):
    assert killed[1] == []


def test_a_killed_run_resumes_without_measuring_a_finished_case_again(killed_run):
    before = open_run(killed_run).processes
    assert_ended(bench("run", "--resume", "--output", "run", cwd=killed_run.parent), 0)  # the plan is on file
    after = open_run(killed_run).processes
    assert after[: len(before)] == before
    assert [record.case for record in after] == ["baseline", "tf32", "batch"]


def test_the_files_of_a_killed_run_are_derived_on_request(killed_run):
    assert_ended(bench("tables", killed_run, "--write", cwd=killed_run.parent), 0)
    assert [row["case"] for row in rows(killed_run / "results.csv")] == ["baseline", "tf32"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_shows_what_it_has_and_exits_with_130(write, tmp_path, number):
    write(SCENARIO.replace("batch: {", "batch: {samples: 500, "), "small.yaml")
    with start("small.yaml", "--device", "cpu", "--output", "run", cwd=tmp_path) as running:
        wait_for(tmp_path / LAST_LOG, running)
        os.killpg(running.pid, number)
        output, _ = running.communicate(timeout=60)
    assert running.returncode == 130, output
    assert "baseline" in output.split("Speed up inference", 1)[1]
    assert statuses(tmp_path / "run") == [("baseline", "ok"), ("tf32", "skipped"), ("batch", "interrupted")]
    assert [row["status"] for row in rows(tmp_path / "run" / "results.csv")] == ["ok", "skipped", "interrupted"]


def test_a_reader_that_goes_away_does_not_end_a_run(write, tmp_path):
    write(SCENARIO, "small.yaml")
    command = f"{sys.executable} -m bench run small.yaml --device cpu --output run | head -2"
    subprocess.run(command, shell=True, cwd=tmp_path, env=environment(), capture_output=True, check=False)  # noqa: S602 - it is the pipe
    assert (tmp_path / "run" / "tables.md").is_file()
