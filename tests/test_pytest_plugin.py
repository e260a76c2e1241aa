"""pytest as a person would run it, in a project of its own."""

import importlib.metadata
import importlib.util
import json
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pytest
from support import ROOT, environment

from bench.plan.case import Case
from bench.pytest_plugin import CaseItem
from bench.records.columns import from_flat
from bench.records.models import ProcessRecord

pytestmark = pytest.mark.slow

SCENARIO = """\
title: small
model: stable-diffusion-v1-5
call: {prompt: a cat, num_inference_steps: 5}
cases:
  plain: {}
  skipped: {optimizations: [tf32]}
  slow: {timeout_s: 0.5, call: {num_inference_steps: 250000}}
"""
SWEEP = (
    "title: sweep\nmodel: stable-diffusion-v1-5\ncall: {prompt: a cat}\nmatrix: {scheduler: compatible}\nsamples: 1\n"
)
TEST = "def test_arithmetic():\n    assert 1 + 1 == 2\n"
FOREIGN = {
    "scenarios/users.yaml": "- name: a\n- name: b\n",
    "scenarios/evaluation.yaml": "model: gpt\ncases: [a, b]\n",
    "scenarios/broken.yml": "{{ not: yaml\n",
    "elsewhere/small.yaml": SCENARIO,
    "test_arithmetic.py": TEST,
}
HEAVY = ("torch", "diffusers", "transformers", "pandas", "numpy", "pydantic", "ruamel.yaml", "typer", "psutil")
# loaded by its entry point if the project is installed as it is now, or else by name
ENTRY_POINTS = importlib.metadata.entry_points(group="pytest11")
PLUGIN = [] if any(point.value == "bench.pytest_plugin" for point in ENTRY_POINTS) else ["-p", "bench.pytest_plugin"]
ENVIRONMENT = environment(HF_HUB_OFFLINE="1")
ENVIRONMENT.pop("PYTEST_XDIST_WORKER", None)  # pytest-benchmark would believe that it is part of this run


def command(*arguments):
    return [sys.executable, "-m", "pytest", *PLUGIN, "-p", "no:cacheprovider", *map(str, arguments)]


def run(folder, *arguments):
    """Run pytest in a project and return the finished process."""
    return subprocess.run(
        command(f"--basetemp={folder / 'logs'}", *arguments), cwd=folder, env=ENVIRONMENT,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with scenarios, measured once: its folder, its output, and the JSON that it wrote."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "small.yaml").write_text(SCENARIO)
    (folder / "scenarios" / "sweep.yaml").write_text(SWEEP)
    options = ["--benchmark-json=run.json", "--benchmark-save=first", "--diffusion-bench-device=cpu"]
    histogram = ["--benchmark-histogram=plot"] if importlib.util.find_spec("pygal") else []
    process = run(folder, "scenarios/", "-W", "error", "-rs", "-k", "small or EulerDiscrete", *options, *histogram)
    written = json.loads((folder / "run.json").read_text())
    return SimpleNamespace(folder=folder, output=process.stdout, written=written)


def collected(folder, *arguments):
    """Return the ids of the items that pytest collects."""
    return [line for line in run(folder, "--collect-only", "-q", *arguments).stdout.splitlines() if "::" in line]


def test_a_measured_case_is_a_benchmark_in_the_group_of_its_scenario(project):
    row = project.written["benchmarks"][0]
    assert row["fullname"] == "scenarios/small.yaml::plain"
    assert row["name"] == "plain"
    assert row["group"] == "small"


def test_a_case_that_was_not_measured_is_not_a_benchmark(project):
    assert not {"skipped", "slow"} & {row["name"] for row in project.written["benchmarks"]}


def test_the_rounds_are_the_samples_of_the_worker(project):
    row = project.written["benchmarks"][0]
    assert row["stats"]["rounds"] == 6
    assert 0 < row["stats"]["min"] <= row["stats"]["max"] < row["extra_info"]["wall_s"]


def test_the_timer_is_the_clock_of_the_worker(project):
    assert project.written["benchmarks"][0]["options"]["timer"] == "worker's clock"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("device", "cpu"), ("size", "tiny"), ("weights", "random"), ("dtype", "float32"), ("status", "ok"),
        ("scheduler", "PNDMScheduler"), ("warmup_calls", 1),
    ],
)  # fmt: skip
def test_extra_info_has_settings_and_outcome(project, name, value):
    assert project.written["benchmarks"][0]["extra_info"][name] == value


def test_extra_info_has_memory_versions_and_effective_settings(project):
    names = {"peak_rss_growth_bytes", "device_name", "torch", "diffusers", "first_call_s", "call", "attention"}
    assert names - project.written["benchmarks"][0]["extra_info"].keys() == set()


def test_extra_info_leaves_out_what_is_unknown(project):
    info = project.written["benchmarks"][0]["extra_info"]
    assert "peak_allocated_bytes" not in info  # a CPU does not count them
    assert [name for name, value in info.items() if value in (None, "")] == []


def test_a_case_that_this_machine_cannot_do_is_skipped_with_its_reason(project):
    assert re.search("small/skipped: TF32 needs .*cpu", project.output)


def test_a_failure_names_reason_place_and_log_without_a_traceback(project):
    failure = re.search(r"_ small/slow _+\n(.*?)\n(?:_|=|-|\n)", project.output, re.DOTALL)[1].splitlines()
    reason, place, log = failure
    assert reason.startswith("timeout: ")
    assert place == "scenarios/small.yaml:7"
    assert log.startswith("log: ")


def judge(status, claim=None, *, complete=True, reason="why", device_name="NVIDIA A100-SXM4-80GB"):
    """Judge a record without measuring anything."""
    case = Case("small", "plain", "stable-diffusion-v1-5", claim=claim or {})
    item = SimpleNamespace(
        case=case, place=(ROOT / "small.yaml", 1), claim_device="NVIDIA A100", config=SimpleNamespace()
    )
    item.config.invocation_params = SimpleNamespace(dir=ROOT)
    columns = {"status": status, "reason": reason, "rejected_by": "hw_thermal_slowdown"}
    record = from_flat(ProcessRecord, {"scenario": "small", "case": "plain", "process": 0, **columns})
    CaseItem._judge(item, record, ROOT / "plain.log", device_name, complete=complete)


@pytest.mark.parametrize("status", ["oom", "timeout", "crashed", "failed"])
def test_what_could_not_be_measured_fails(status):
    with pytest.raises(pytest.fail.Exception, match=f"^{status}: why\nsmall.yaml:1\nlog: "):
        judge(status, complete=False)


def test_out_of_memory_as_documented_is_an_expected_failure():
    with pytest.raises(pytest.xfail.Exception, match="oom, as documented: why"):
        judge("oom", {"status": "oom"}, complete=False)


def test_out_of_memory_that_is_documented_for_another_gpu_fails():
    with pytest.raises(pytest.fail.Exception, match=r"^oom: why"):
        judge("oom", {"status": "oom"}, complete=False, device_name="NVIDIA H200")


def test_too_few_samples_are_a_failure():
    with pytest.raises(pytest.fail.Exception, match="too many samples were rejected: hw_thermal_slowdown"):
        judge("ok", complete=False, reason="")


def test_an_unstable_case_is_a_warning():
    with pytest.warns(pytest.PytestWarning, match="small/plain: unstable: why"):
        judge("unstable")


@pytest.mark.skipif(not importlib.util.find_spec("pygal"), reason="pytest-benchmark needs pygal to draw, an extra")
def test_the_histogram_is_drawn(project):
    assert "<svg" in (project.folder / "plot-small.svg").read_text()


def test_a_single_item_is_compared_with_a_saved_run(project):
    compared = run(project.folder, "scenarios/small.yaml::plain", "--benchmark-compare").stdout
    rows = sorted(re.findall(r"^plain \((\w+)\) ", compared, re.MULTILINE))
    assert rows == ["0001_first", "NOW"], compared
    assert "1 passed" in compared


def test_under_xdist_an_item_makes_one_call_and_is_not_a_benchmark(project):
    distributed = run(project.folder, "scenarios/small.yaml", "-k", "plain", "-n", "1", "--benchmark-json=none.json")
    assert "1 passed" in distributed.stdout, distributed.stdout
    assert not (project.folder / "none.json").exists()


def test_dash_k_selects_cases(project):
    assert collected(project.folder, "scenarios/small.yaml", "-k", "plain or slow") == [
        "scenarios/small.yaml::plain",
        "scenarios/small.yaml::slow",
    ]


def test_a_sweep_of_compatible_schedulers_is_expanded(project):
    row = project.written["benchmarks"][-1]
    assert row["fullname"] == "scenarios/sweep.yaml::EulerDiscreteScheduler"
    assert row["extra_info"]["scheduler"] == "EulerDiscreteScheduler"


def test_a_file_named_on_the_command_line_may_be_anywhere(write, tmp_path):
    write(SCENARIO, "mine.yaml")
    assert len(collected(tmp_path, "mine.yaml")) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SCENARIO.replace("timeout_s", "timeouts"), "scenarios/small.yaml:7: unknown key 'timeouts'"),
        (SCENARIO.replace("plain: {}", "plain: {"), "scenarios/small.yaml:7: not valid YAML"),
    ],
    ids=["unknown key", "torn"],
)
def test_a_fault_in_a_scenario_is_a_collection_error_with_its_line(write, tmp_path, text, words):
    write(text, "scenarios/small.yaml")
    process = run(tmp_path)
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert re.search(rf"^{re.escape(words)}", process.stdout, re.MULTILINE), process.stdout
    assert "Traceback" not in process.stdout


def test_options_that_make_no_sense_end_the_session_at_once(write, tmp_path):
    write(SCENARIO, "scenarios/small.yaml")
    process = run(tmp_path, "--diffusion-bench-size=tiny", "--diffusion-bench-weights=hub")
    assert process.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--diffusion-bench-size tiny --diffusion-bench-weights hub: tiny models" in process.stdout


@pytest.mark.parametrize("number", ["0", "-1", "x"])
def test_a_number_below_one_is_refused(tmp_path, number):
    process = run(tmp_path, f"--diffusion-bench-samples={number}")
    assert process.returncode == pytest.ExitCode.USAGE_ERROR
    assert "give a whole number of at least 1" in process.stderr


def test_yaml_files_of_others_are_left_alone(write, tmp_path):
    for name, text in FOREIGN.items():
        write(text, name)
    assert collected(tmp_path) == ["test_arithmetic.py::test_arithmetic"]


def test_in_a_project_without_scenarios_nothing_is_imported(write, tmp_path):
    for name, text in FOREIGN.items():
        write(text, name)
    arguments = [*PLUGIN, "-q", "-p", "no:cacheprovider", "-p", "no:benchmark"]
    report = f"print('heavy:', *(name for name in {HEAVY!r} if name in sys.modules))"
    code = f"import sys, pytest; pytest.main({arguments!r}); print('bench.pytest_plugin' in sys.modules); {report}"
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60,
        check=True,
    ).stdout.splitlines()  # fmt: skip
    assert printed[-2:] == ["True", "heavy:"]


def test_without_pytest_benchmark_there_are_no_items(write, tmp_path):
    write(SCENARIO, "scenarios/small.yaml")
    assert collected(tmp_path, "-p", "no:benchmark") == []


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill"])
def test_a_session_that_is_stopped_leaves_no_process_behind(write, tmp_path, signal_number):
    write(SCENARIO, "scenarios/small.yaml")
    long = command("scenarios/small.yaml::plain", f"--basetemp={tmp_path / 'logs'}", "--diffusion-bench-samples=100000")
    with subprocess.Popen(
        long, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - background jobs ignore it
    ) as process:  # fmt: skip
        log = tmp_path / "logs" / "diffusion-bench" / "small" / "plain.log"
        while process.poll() is None and not log.exists():
            time.sleep(0.02)
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal_number)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert len(family) >= 2  # the server, and the worker
    assert alive == []
