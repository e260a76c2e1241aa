import csv
import os
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest
from support import ROOT, SCENARIO, bench

from bench.records import schema


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def start(*arguments, cwd):
    return subprocess.Popen(
        [sys.executable, "-m", "bench", "run", *arguments], cwd=cwd, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - background jobs ignore it
    )  # fmt: skip


def wait_for(path, process):
    """Wait until a run has made this file; it ends early if the run does."""
    while process.poll() is None and not path.exists():
        time.sleep(0.02)


def test_every_case_is_a_row(finished_run):
    folder, _ = finished_run
    assert [(r["case"], r["status"]) for r in rows(folder / "results.csv")] == [
        ("baseline", "ok"), ("tf32", "skipped"), ("batch", "ok"),
    ]  # fmt: skip


def test_results_have_the_columns_of_the_schema(finished_run):
    folder, _ = finished_run
    assert list(rows(folder / "results.csv")[0]) == schema.names(schema.RESULTS)


def test_results_begin_as_the_documentation_says(finished_run):
    folder, _ = finished_run
    assert list(rows(folder / "results.csv")[0])[:4] == ["scenario", "case", "status", "reason"]


def test_samples_are_on_file_at_full_precision(finished_run):
    folder, _ = finished_run
    latencies = [row["latency_s"] for row in rows(folder / "samples.csv")]
    assert len(latencies) == 12
    assert all(repr(float(value)) == value for value in latencies)


def test_a_batch_saves_all_its_pictures(finished_run):
    folder, _ = finished_run
    assert sorted(path.name for path in (folder / "images" / "small").iterdir()) == [
        "baseline-0.png",
        "batch-0.png",
        "batch-1.png",
    ]


def test_tables_and_plots_are_made(finished_run):
    folder, _ = finished_run
    assert (folder / "tables.md").is_file()
    assert {path.suffix for path in (folder / "plots").iterdir()} == {".png", ".svg"}


def test_the_tables_are_printed(finished_run):
    _, process = finished_run
    assert "TINY TWINS" in process.stdout


def test_plain_lines_tell_the_progress_where_there_is_no_terminal(finished_run):
    _, process = finished_run
    assert re.search(r"^\[1/3\] small/baseline  ok  .*n=6$", process.stdout, re.MULTILINE)


def test_the_environment_is_recorded(finished_run):
    import json

    facts = json.loads((finished_run[0] / "environment.json").read_text())
    assert {"torch", "diffusers", "device_name", "cpu", "git_commit"} <= set(facts)


def test_a_finished_run_is_not_written_over(finished_run):
    folder, _ = finished_run
    again = bench("run", "small.yaml", "--device", "cpu", "--output", "run", cwd=folder.parent)
    assert (again.returncode, "--resume" in again.stderr) == (2, True)


def test_a_bad_scenario_is_refused_with_file_and_line(write, tmp_path):
    write("title: x\nmodel: stable-diffusion-v1-5\ntorch_dtype: float16\ncases: {a: {}}\n", "bad.yaml")
    refused = bench("run", "bad.yaml", cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.startswith("bad.yaml:3: unknown key 'torch_dtype'; did you mean 'dtype'?")


def test_only_adds_the_baseline_and_says_so(write, tmp_path):
    write(SCENARIO, "small.yaml")
    listed = bench("list", "small.yaml", "--only", "small/tf32", cwd=tmp_path)
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["small/baseline", "small/tf32"]
    assert "added the baseline small/baseline" in listed.stderr


def test_a_device_that_is_not_here_is_refused(write, tmp_path):
    write(SCENARIO, "small.yaml")
    refused = bench("run", "small.yaml", "--device", "xpu", cwd=tmp_path)
    assert (refused.returncode, "there is no xpu device here" in refused.stderr) == (2, True)


@pytest.mark.parametrize(("weights", "words"), [("nowhere", "is no folder"), ("hub", "toy twins have random weights")])
def test_weights_that_cannot_be_are_refused(weights, words, write, tmp_path):
    write(SCENARIO, "small.yaml")
    refused = bench(
        "run", "small.yaml", "--weights", weights, "--size", "tiny" if weights == "hub" else "auto", cwd=tmp_path
    )
    assert (refused.returncode, words in refused.stderr) == (2, True)


def test_a_saved_pipeline_is_measured_and_a_fault_exits_with_one(saved_pipeline, write, tmp_path):
    write(
        f"title: mine\nmodel: {saved_pipeline}\nbaseline: a\ncall: {{prompt: a cat, num_inference_steps: 2}}\n"
        "samples: 2\ncases:\n  a: {}\n  broken: {scheduler_config: {no_such_thing: 1}}\n",
        "mine.yaml",
    )
    process = bench("run", "mine.yaml", "--device", "cpu", "--output", "run", cwd=tmp_path)
    found = [(r["case"], r["status"], r["size"], r["weights"]) for r in rows(tmp_path / "run" / "results.csv")]
    assert found == [("a", "ok", "full", "folder"), ("broken", "failed", "full", "folder")]
    assert process.returncode == 1


def test_a_run_killed_outright_goes_on_without_measuring_a_finished_case_again(write, tmp_path):
    write(SCENARIO, "small.yaml")
    arguments = ("small.yaml", "--device", "cpu", "--output", "run")
    processes = tmp_path / "run" / "processes.csv"
    with start(*arguments, cwd=tmp_path) as killed:
        wait_for(tmp_path / "run" / "logs" / "small" / "batch-0.log", killed)
        family = psutil.Process(killed.pid).children(recursive=True)
        killed.kill()
    _, alive = psutil.wait_procs(family, timeout=10)
    before = rows(processes)
    resumed = bench("run", "--resume", "--output", "run", cwd=tmp_path)  # the plan is on file
    after = rows(processes)
    assert (alive, resumed.returncode) == ([], 0)
    assert after[: len(before)] == before
    assert [row["case"] for row in after] == ["baseline", "tf32", "batch"]


def test_ctrl_c_prints_the_partial_tables_and_exits_with_130(write, tmp_path):
    write(SCENARIO.replace("batch: {", "batch: {samples: 500, "), "small.yaml")
    with start("small.yaml", "--device", "cpu", "--output", "run", cwd=tmp_path) as running:
        wait_for(tmp_path / "run" / "logs" / "small" / "batch-0.log", running)
        os.killpg(running.pid, signal.SIGINT)
        output, _ = running.communicate(timeout=60)
    assert running.returncode == 130, output
    assert "baseline" in output.split("Speed up inference", 1)[1]
    assert [row["status"] for row in rows(tmp_path / "run" / "processes.csv")] == ["ok", "skipped", "interrupted"]


RUN = "the folder of a run"

WITHOUT_TORCH = """
import sys
from bench.cli.app import main
sys.argv = ["bench", *sys.argv[1:]]
try:
    main()
finally:
    print("torch" in sys.modules)
"""


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["list", "small.yaml"], ["optimizations"], ["schema"], ["recommend", RUN]],
)
def test_a_command_that_measures_nothing_imports_no_torch(arguments, write, finished_run, tmp_path):
    write(SCENARIO, "small.yaml")
    given = [str(finished_run[0]) if argument == RUN else argument for argument in arguments]
    command = [sys.executable, "-c", WITHOUT_TORCH, *given]
    asked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert asked.stdout.splitlines()[-1] == "False"


def test_the_published_schema_is_the_one_of_the_code():
    import json

    from bench.plan.scenario import json_schema

    published = json.loads((ROOT / "bench" / "plan" / "scenario.schema.json").read_text())
    assert published == json_schema()


def test_the_published_columns_are_those_of_the_code(tmp_path):
    assert (ROOT / "results" / "README.md").read_text(encoding="utf-8") == bench("columns", cwd=tmp_path).stdout


def test_optimizations_tells_source_conflicts_and_verification(tmp_path):
    told = bench("optimizations", cwd=tmp_path).stdout
    block = told[told.index("attention_sdpa:") : told.index("attention_slicing:")]
    assert {"source", "verified", "conflicts"} <= set(block.split())


def test_a_reader_that_goes_away_does_not_end_a_run(write, tmp_path):
    write(SCENARIO, "small.yaml")
    command = f"{sys.executable} -m bench run small.yaml --device cpu --output run | head -2"
    subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, check=False)  # noqa: S602 - it is the pipe
    assert [row["case"] for row in rows(tmp_path / "run" / "processes.csv")] == ["baseline", "tf32", "batch"]
