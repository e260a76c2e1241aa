"""`compare`, `gate`, `save-baseline` and `trend` of stored results, as a person runs them."""

import csv
import io
import json
import subprocess
import sys
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import pytest
from analyze.make import H200, case, ended, in_passes, make_folder, measured
from support import assert_refused, bench, environment

from bench.analyze.results import results
from bench.analyze.run import open_run
from bench.cli.app import main
from bench.session.files import write_data

STEADY = [1.0, 1.001, 0.999, 1.0]
TWICE = [2.0, 2.002, 1.998, 2.0]


@dataclass(frozen=True)
class Ended:
    """A command that ran in this process."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Write runs of one case with these medians below the folder of the test, where commands then run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def write(name, medians_s, records=(), **options):
        cases = [case(), case("fp16")]
        folder = make_folder(tmp_path / name, cases, [*in_passes("baseline", medians_s), *records], **options)
        run = open_run(folder)
        write_data(run, results(run))
        return folder

    return write


@pytest.fixture
def command(monkeypatch, capsys):
    """Run a command in this process."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Ended(ended.value.code, printed.out, printed.err)

    return run


@pytest.mark.parametrize(
    ("medians", "options", "code"),
    [
        (STEADY, {}, 0), (TWICE, {}, 1), ([1.02, 1.04, 1.03, 1.05], {}, 3), ([1.0], {}, 3),
        (STEADY, {"device_name": H200}, 4), (STEADY, {"torch": "2.10.0"}, 0), ([2.0], {"device_name": H200}, 4),
    ],
)  # fmt: skip
def test_the_exit_code_is_the_verdict(stored, command, medians, options, code):
    assert command("gate", stored("base", STEADY), stored("new", medians, **options)).returncode == code


def test_a_case_that_now_runs_out_of_memory_is_a_regression(stored, command):
    base, new = stored("base", STEADY, [measured("fp16", 1.0)]), stored("new", STEADY, [ended("fp16", "oom", "full")])
    assert command("gate", base, new).returncode == 1


def test_a_case_that_went_missing_is_not_comparable(stored, command):
    base, new = stored("base", STEADY, [measured("fp16", 1.0)]), stored("new", STEADY)
    assert command("gate", base, new).returncode == 4


@pytest.mark.parametrize(("share", "code"), [("3%", 1), ("0.1", 0), ("10%", 0)])
def test_the_threshold_decides_what_a_regression_is(stored, command, share, code):
    sides = stored("base", STEADY), stored("new", [1.05 * x for x in STEADY])
    assert command("gate", *sides, "--threshold", share).returncode == code


@pytest.mark.parametrize("share", ["0", "100%", "3", "nan", "-3%", "much"])
def test_a_threshold_that_is_not_a_share_is_refused(stored, command, share):
    assert_refused(command("gate", stored("base", STEADY), "base", f"--threshold={share}"), "--threshold: ")


def test_more_than_two_results_are_refused(stored, command):
    assert_refused(command("gate", stored("base", STEADY), "base", "base"), "gate takes BASE and NEW", "`compare`")


@pytest.mark.parametrize(
    "options",
    [
        ("--only", "x"), ("--device", "cuda"), ("--size", "tiny"), ("--weights", "hub"), ("--samples", "6"),
        ("--output", "o"), ("--budget", "5h"),
    ],
)  # fmt: skip
def test_options_that_stored_results_have_no_use_for_are_refused(stored, command, options):
    assert_refused(command("gate", stored("base", STEADY), "base", *options), f"{options[0]}: stored results are")


def test_saved_baselines_are_refused_beside_interpreters(stored, command):
    pythons = ("--base-python", sys.executable, "--head-python", sys.executable)
    assert_refused(command("gate", "s", *pythons, "--baselines", "b"), "--baselines is for stored results")


def test_different_versions_are_listed(stored, command):
    gated = command("gate", stored("base", STEADY), stored("new", STEADY, torch="2.10.0"))
    assert "torch: 2.9.0 -> 2.10.0" in gated.stdout


def test_junit_has_every_failure(stored, command, tmp_path):
    base = stored("base", STEADY, [measured("fp16", 1.0)])
    new = stored("new", TWICE, [ended("fp16", "failed", "bad \x1b[31m\ufffe & <")])
    command("gate", base, new, "--junit", "a/j.xml")
    suite = ET.parse(tmp_path / "a" / "j.xml").getroot()[0]  # noqa: S314 - our own file
    assert [test.get("name") for test in suite if test.find("failure") is not None] == ["baseline", "fp16"]


def test_the_table_is_appended_to_the_summary_of_a_job(stored, command, monkeypatch, tmp_path):
    (tmp_path / "summary.md").write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    command("gate", stored("base", STEADY), stored("new", STEADY))
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith("before\n## new against base")
    assert "| sd/baseline | passed |" in summary


@pytest.mark.parametrize("option", ["--junit", "--markdown"])
def test_a_file_that_cannot_be_written_is_not_a_regression(stored, command, option):
    stored("base", STEADY)
    assert_refused(command("gate", "base", "base/results.csv", option, "base/plan.json/x"), "cannot be written")


def test_a_summary_that_is_no_regular_file_is_named_and_left_alone(stored, command, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/dev/full")
    base = stored("base", STEADY)
    assert_refused(command("gate", base, base / "results.csv"), "/dev/full: cannot be written (is not a regular file)")


@pytest.mark.parametrize("sides", [["base", "bad.csv"], ["bad.csv", "base"]], ids=["new", "base"])
@pytest.mark.parametrize("name", ["compare", "gate"])
@pytest.mark.parametrize("text", [b"", b"\x00\xff" * 500, b"a,b\n1,2\n"], ids=["empty", "binary", "foreign"])
def test_a_bad_file_is_refused_on_either_side(stored, command, tmp_path, name, text, sides):
    stored("base", STEADY)
    (tmp_path / "bad.csv").write_bytes(text)
    assert_refused(command(name, *sides), "bad.csv:1: ")


@pytest.mark.parametrize("name", ["compare", "gate", "trend"])
def test_columns_of_others_are_ignored_aloud(stored, command, name):
    path = stored("base", STEADY) / "results.csv"
    header, row = path.read_text(encoding="utf-8").splitlines()
    path.write_text(f"{header},my note\n{row},ran at night\n", encoding="utf-8")
    assert "ignored columns" in command(name, path, path).stderr


def test_a_baseline_is_saved_by_device_and_scenario(stored, command):
    saved = command("save-baseline", stored("run", STEADY))
    assert saved.stdout == "results/baselines/nvidia-a100-sxm4-80gb/sd.csv\n"


def test_one_result_is_compared_with_its_saved_baseline(stored, command):
    command("save-baseline", stored("run", STEADY))
    assert command("gate", stored("new", TWICE)).returncode == 1


def test_without_a_baseline_for_the_device_the_remedy_is_named(stored, command):
    command("save-baseline", stored("run", STEADY))
    assert_refused(command("gate", stored("new", STEADY, device_name=H200)), "bench save-baseline RUN")


def test_a_baseline_of_another_size_is_not_replaced(stored, command):
    command("save-baseline", stored("run", STEADY))
    tiny = stored("tiny", [1.0], [measured("fp16", 1.0, size="tiny")])
    assert_refused(command("save-baseline", tiny), "has size full")


def test_what_is_left_out_of_a_baseline_is_said(stored, command):
    saved = command("save-baseline", stored("run", STEADY, [ended("fp16", "crashed", "killed")]))
    assert "left out" in saved.stderr


def test_a_baseline_that_cannot_be_written_is_refused(stored, command, tmp_path):
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    assert_refused(command("save-baseline", stored("run", STEADY), "--folder", "taken"), "taken")


def test_csv_and_json_have_the_same_ratios(stored, command):
    sides = stored("base", STEADY), stored("new", TWICE)
    table = list(csv.DictReader(io.StringIO(command("compare", *sides, "--format", "csv").stdout)))
    cases = json.loads(command("compare", *sides, "--format", "json").stdout)["cases"]
    assert [float(row["ratio"]) for row in table] == [each["ratio"] for each in cases] == [pytest.approx(2.0)]


def test_different_devices_can_be_compared(stored, command):
    compared = command("compare", stored("a100", STEADY), stored("h200", STEADY, device_name=H200))
    assert compared.returncode == 0
    assert "device_name: NVIDIA A100-SXM4-80GB" in compared.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", ["compare", "trend"])
@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_a_plot_is_drawn(stored, command, tmp_path, name, suffix):
    sides = stored("base", STEADY), stored("new", STEADY), stored("one", [1.0])
    command(name, *sides, "--plot", f"plots/p.{suffix}")
    assert (tmp_path / "plots" / f"p.{suffix}").stat().st_size > 1000


@pytest.mark.parametrize("name", ["compare", "trend"])
@pytest.mark.parametrize("path", ["p.gif", "base/plan.json/p.png"])
def test_a_plot_that_cannot_be_written_is_refused(stored, command, name, path):
    stored("base", STEADY)
    assert_refused(command(name, "base", "base/results.csv", "--plot", path), path)


@pytest.mark.parametrize("name", ["compare", "gate", "trend"])
@pytest.mark.parametrize(("size", "named"), [("tiny", True), ("full", False)])
def test_tiny_models_are_named_as_such(stored, command, name, size, named):
    folder = stored("run", [1.0], [measured("fp16", 1.0, size=size)])
    assert ("TINY MODELS" in command(name, folder, folder).stdout) == named


def test_one_interpreter_alone_is_not_a_gate(command, tmp_path):
    assert_refused(command("gate", "x", "--base-python", sys.executable), "give both")


# typer imports pydantic itself if it is installed; bench.plan.scenario is our only way to it
LIGHT = """
import sys
from bench.cli.app import main
sys.argv = ["bench", *sys.argv[1:]]
try:
    main()
finally:
    heavy = {"torch", "diffusers", "transformers", "matplotlib", "ruamel.yaml"}
    print(sorted(heavy & set(sys.modules)))
"""


@pytest.mark.parametrize("name", ["compare", "gate"])
def test_comparing_files_imports_nothing_heavy(stored, name):
    sides = stored("base", STEADY), stored("new", STEADY)
    command = [sys.executable, "-c", LIGHT, name, *sides]
    process = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    assert process.stdout.splitlines()[-1] == "[]"


def test_a_path_that_is_not_a_run_is_refused(tmp_path):
    assert_refused(bench("compare", ".", ".", cwd=tmp_path), "is not the folder of a run")
