"""`compare`, `gate` and `baseline` of stored results, as a person runs them."""

import csv
import io
import json
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest
from analyze.make import H200, case, ended, make_folder, measured, replicated
from support import bench

from bench.analyze.results import write_results
from bench.cli.app import main

STEADY = [1.0, 1.001, 0.999, 1.0]


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Write runs of one case with these medians below the folder of the test, where commands then run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def write(name, medians_s, outcomes=(), **options):
        folder = make_folder(
            tmp_path / name, [case(), case("fp16")], [*replicated("baseline", medians_s), *outcomes], **options
        )
        write_results(folder, pictures=False)
        return folder

    return write


@pytest.fixture
def command(monkeypatch, capsys):
    """Run a command in this process; return its exit code and what it printed."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


@pytest.mark.parametrize(
    ("medians", "options", "expected"),
    [
        (STEADY, {}, 0), ([1.5 * x for x in STEADY], {}, 1), ([1.02, 1.04, 1.03, 1.05], {}, 3), ([1.0], {}, 3),
        (STEADY, {"device_name": H200}, 4), (STEADY, {"torch": "2.10.0"}, 0), ([2.0], {"device_name": H200}, 4),
    ],
)  # fmt: skip
def test_the_exit_code_is_the_verdict(stored, command, medians, options, expected):
    assert command("gate", stored("base", STEADY), stored("new", medians, **options))[0] == expected


def test_a_case_that_runs_out_of_memory_now_is_a_regression(stored, command):
    base, new = stored("base", STEADY, [measured("fp16", 1.0)]), stored("new", STEADY, [ended("fp16", "oom", "full")])
    assert command("gate", base, new)[0] == 1


def test_a_case_that_has_gone_missing_is_not_comparable(stored, command):
    assert command("gate", stored("base", STEADY, [measured("fp16", 1.0)]), stored("new", STEADY))[0] == 4


def test_a_wide_threshold_passes_what_a_narrow_one_does_not(stored, command):
    sides = stored("base", STEADY), stored("new", [1.05 * x for x in STEADY])
    assert [command("gate", *sides, "--threshold", share)[0] for share in ("3%", "0.1", "10%")] == [1, 0, 0]


@pytest.mark.parametrize("share", ["0", "100%", "3", "nan", "-3%", "much"])
def test_a_threshold_that_is_no_share_is_refused(stored, command, share):
    code, _, told = command("gate", stored("base", STEADY), "base", f"--threshold={share}")
    assert (code, told.startswith("--threshold: ")) == (2, True)


def test_other_versions_are_listed(stored, command):
    _, told, _ = command("gate", stored("base", STEADY), stored("new", STEADY, torch="2.10.0"))
    assert "torch: 2.9.0 -> 2.10.0" in told


def test_junit_counts_every_verdict_and_can_be_parsed(stored, command, tmp_path):
    base = stored("base", STEADY, [measured("fp16", 1.0)])
    command(
        "gate",
        base,
        stored("new", [2.0] * 4, [ended("fp16", "failed", "bad \x1b[31m\ufffe & <")]),
        "--junit",
        "a/j.xml",
    )
    suite = ET.parse(tmp_path / "a" / "j.xml").getroot()[0]  # noqa: S314 - our own file
    assert (suite.get("tests"), suite.get("failures"), len(suite.findall(".//failure"))) == ("2", "2", 2)


def test_a_jobs_summary_gets_the_table(stored, command, monkeypatch, tmp_path):
    (tmp_path / "summary.md").write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    command("gate", stored("base", STEADY), stored("new", STEADY))
    told = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert told.startswith("before\n## new against base")
    assert "| sd/baseline | passed |" in told


@pytest.mark.parametrize("option", ["--junit", "--markdown"])
def test_a_file_that_cannot_be_written_is_no_regression(stored, command, option):
    stored("base", STEADY)
    code, _, told = command("gate", "base", "base/results.csv", option, "base/plan.json/x")
    assert (code, "cannot be written" in told) == (2, True)


@pytest.mark.parametrize("name", ["compare", "gate"])
@pytest.mark.parametrize("text", [b"", b"\x00\xff" * 500, b"a,b\n1,2\n"], ids=["empty", "binary", "foreign"])
def test_bad_files_are_a_usage_error_on_either_side(stored, command, tmp_path, name, text):
    stored("base", STEADY)
    (tmp_path / "bad.csv").write_bytes(text)
    for sides in (["base", "bad.csv"], ["bad.csv", "base"]):
        code, _, told = command(name, *sides)
        assert (code, told.startswith("bad.csv:1: ")) == (2, True)


def test_a_baseline_is_found_by_the_device(stored, command):
    code, told, _ = command("baseline", stored("run", STEADY))
    assert (code, told) == (0, "results/baselines/nvidia-a100-sxm4-80gb/sd.csv\n")
    assert command("gate", stored("new", [2.0] * 4))[0] == 1


def test_a_device_without_a_baseline_says_how_to_keep_one(stored, command):
    command("baseline", stored("run", STEADY))
    code, _, told = command("gate", stored("new", STEADY, device_name=H200))
    assert (code, "bench baseline RUN" in told) == (2, True)


def test_a_baseline_of_another_size_is_not_written_over(stored, command):
    command("baseline", stored("run", STEADY))
    tiny = stored("tiny", [1.0], [measured("fp16", 1.0, size="tiny")])
    assert command("baseline", tiny)[0] == 2


def test_csv_and_json_tell_the_same_ratios(stored, command):
    sides = stored("base", STEADY), stored("new", [2 * x for x in STEADY])
    rows = list(csv.DictReader(io.StringIO(command("compare", *sides, "--format", "csv")[1])))
    told = json.loads(command("compare", *sides, "--format", "json")[1])["cases"]
    assert [float(rows[0]["ratio"])] == [each["ratio"] for each in told] == [pytest.approx(2.0)]


@pytest.mark.parametrize(("more", "means"), [([], 0), ([measured("fp16", 1.0)], 1)])
def test_the_mean_of_several_ratios_is_told_and_that_of_one_is_not(stored, command, more, means):
    told = command("compare", stored("base", STEADY, more), stored("new", STEADY, more))[1]
    assert told.count("geometric mean of 2 ratios") == told.count("geometric mean") == means


def test_different_devices_can_be_compared(stored, command):
    code, told, _ = command("compare", stored("a100", STEADY), stored("h200", STEADY, device_name=H200))
    assert (code, "device_name: NVIDIA A100-SXM4-80GB" in told) == (0, True)


@pytest.mark.parametrize(("width", "titles"), [("80", 2), ("200", 1)])
def test_a_narrow_terminal_gets_a_table_a_side(stored, command, monkeypatch, width, titles):
    monkeypatch.setenv("COLUMNS", width)
    told = command("compare", stored("base", STEADY), stored("one", STEADY), stored("two", STEADY))[1]
    assert told.count(" against base") == titles


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_a_comparison_is_drawn(stored, command, tmp_path, suffix):
    sides = stored("base", STEADY), stored("new", STEADY), stored("one", [1.0])
    assert command("compare", *sides, "--plot", f"plots/p.{suffix}")[0] == 0
    assert (tmp_path / "plots" / f"p.{suffix}").stat().st_size > 1000


@pytest.mark.parametrize("path", ["p.gif", "base/plan.json/p.png"])
def test_a_plot_that_cannot_be_is_refused(stored, command, path):
    assert command("compare", stored("base", STEADY), "base/results.csv", "--plot", path)[0] == 2


# pydantic itself is imported by typer wherever it is installed; bench.plan.scenario is our only way to it
LIGHT = """
import sys
from bench.cli.app import main
sys.argv = ["bench", *sys.argv[1:]]
try:
    main()
finally:
    heavy = {"torch", "diffusers", "transformers", "matplotlib", "bench.plan.scenario", "ruamel.yaml"}
    print(sorted(heavy & set(sys.modules)))
"""


@pytest.mark.parametrize("name", ["compare", "gate"])
def test_holding_files_against_each_other_imports_nothing_heavy(stored, name):
    sides = stored("base", STEADY), stored("new", STEADY)
    asked = subprocess.run([sys.executable, "-c", LIGHT, name, *sides], capture_output=True, text=True, check=True)
    assert asked.stdout.splitlines()[-1] == "[]"


def test_an_interpreter_alone_is_no_gate(tmp_path):
    refused = bench("gate", "x", "--base-python", sys.executable, cwd=tmp_path)
    assert (refused.returncode, "give both" in refused.stderr) == (2, True)


@pytest.mark.parametrize("command", ["compare", "trend"])
@pytest.mark.parametrize(
    ("name", "words"), [("plot.txt", "a plot is written as"), ("taken/plot.png", "cannot be written")]
)
def test_a_plot_that_cannot_be_written_is_refused_in_one_line(tmp_path, command, name, words):
    folder = make_folder(tmp_path / "run", [case()], [measured("baseline", 1.0)])
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    process = bench(command, folder, folder, "--plot", tmp_path / name, cwd=tmp_path)
    assert (process.returncode, len(process.stderr.splitlines())) == (2, 1)
    assert words in process.stderr


def test_a_baseline_that_cannot_be_written_is_refused_in_one_line(tmp_path):
    folder = make_folder(tmp_path / "run", [case()], [measured("baseline", 1.0)])
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    process = bench("baseline", folder, "--folder", tmp_path / "taken", cwd=tmp_path)
    assert process.returncode == 2
    assert "Traceback" not in process.stderr


def test_a_dollar_in_a_cases_name_is_drawn_as_one(tmp_path):
    outcomes = [measured("a$x$", 1.0)]
    folder = make_folder(tmp_path / "run", [case("a$x$", baseline=None)], outcomes)
    for command in ("compare", "trend"):
        process = bench(command, folder, folder, "--plot", tmp_path / f"{command}.svg", cwd=tmp_path)
        assert process.returncode == 0, process.stderr
        assert "a$x$" in (tmp_path / f"{command}.svg").read_text(encoding="utf-8")


def test_a_broken_case_is_no_baseline(tmp_path):
    outcomes = [measured("baseline", 1.0), ended("fp16", "crashed", "killed")]
    folder = make_folder(tmp_path / "run", [case(), case("fp16", dtype="float16")], outcomes)
    process = bench("baseline", folder, "--folder", tmp_path / "kept", cwd=tmp_path)
    assert process.returncode == 0
    assert "left out, for they are no baseline" in process.stderr
    kept = next((tmp_path / "kept").rglob("*.csv")).read_text(encoding="utf-8")
    assert "crashed" not in kept


def test_a_report_of_a_run_that_nobody_may_change_is_written_elsewhere(tmp_path):
    folder = make_folder(tmp_path / "run", [case()], [measured("baseline", 1.0)])
    (folder / "results.csv").mkdir()  # root may write everywhere, but not a file in the place of a folder
    process = bench("report", folder, "--output", tmp_path / "report.html", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    assert (tmp_path / "report.html").is_file()


@pytest.mark.parametrize("command", [["compare"], ["gate"], ["trend"]], ids=" ".join)
@pytest.mark.parametrize(("size", "named"), [("tiny", True), ("full", False)])
def test_toys_are_named_as_such_wherever_they_are_compared(tmp_path, command, size, named):
    folder = make_folder(tmp_path / "run", [case()], [measured("baseline", 1.0, size=size)])
    told = bench(*command, folder, folder, cwd=tmp_path).stdout
    assert ("tiny twins" in told.lower()) == named
