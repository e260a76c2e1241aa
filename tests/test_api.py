"""The Python API, as a notebook uses it."""

import subprocess
import sys

import pandas as pd
import pytest
from analyze.make import case, in_passes, make_folder
from support import ROOT, SCENARIO, environment

import bench
from bench.analyze.comparison import ComparisonVerdict
from bench.analyze.gate import GateVerdict
from bench.errors import InputError
from bench.plan.case import Plan
from bench.records.case_result import CaseResult
from bench.records.columns import columns

PUBLISHED = ROOT / "results/published/amd-epyc"


@pytest.fixture
def two_runs(tmp_path):
    """A run, and one that takes twice as long."""
    return [make_folder(tmp_path / str(n), [case()], in_passes("baseline", [n, n, n, n])) for n in (1.0, 2.0)]


def test_importing_the_package_imports_nothing_but_its_version():
    code = "import sys, bench; print(*(name for name in sys.modules if name.startswith('bench.')))"
    process = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    assert process.stdout == "bench.version\n"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_function"):
        _ = bench.no_such_function


def test_a_plan_is_loaded_by_name():
    assert {case.scenario for case in bench.load_plan("sd15-precision").cases} == {"sd15-precision"}


def test_a_plan_may_be_narrowed_to_some_cases():
    plan = bench.load_plan("sd15-precision", only=["*/fp16"])
    assert [case.name for case in plan.cases] == ["baseline", "fp16"]


def test_one_pattern_may_be_given_without_a_list():
    assert bench.load_plan("sd15-precision", only="*/fp16") == bench.load_plan("sd15-precision", only=["*/fp16"])


@pytest.mark.parametrize(
    "read",
    [bench.load_results, lambda path: bench.compare(path, PUBLISHED), lambda path: bench.gate(path, PUBLISHED)],
    ids=["load_results", "compare", "gate"],
)
def test_columns_that_are_ignored_are_a_warning_at_the_callers_line(tmp_path, read):
    header, *rows = (PUBLISHED / "results.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "mine.csv").write_text("\n".join([f"{header},note", *(f"{row}," for row in rows)]), encoding="utf-8")
    with pytest.warns(UserWarning, match="ignored columns that this tool does not write: note") as warned:
        read(tmp_path / "mine.csv")
    assert warned[0].filename == __file__


def test_a_fault_in_a_scenario_is_an_input_error(write):
    with pytest.raises(InputError, match=r"bad\.yaml:1"):
        bench.load_plan(write("titel: x\n", "bad.yaml"))


def test_results_have_one_row_per_case(two_runs):
    assert list(bench.load_results(two_runs[0])["case"]) == ["baseline"]


def test_results_have_the_documented_columns(two_runs):
    assert list(bench.load_results(two_runs[0]).columns) == [column.name for column in columns(CaseResult)]


@pytest.mark.parametrize(
    ("column", "dtype"),
    [("latency_median_s", "Float64"), ("samples", "Int64"), ("warm", "boolean"), ("status", "string"),
     ("optimizations", "string"), ("process_medians_s", "object")],
)  # fmt: skip
def test_columns_have_their_types(two_runs, column, dtype):
    assert bench.load_results(two_runs[0])[column].dtype == dtype


def test_what_is_unknown_is_missing(two_runs):
    assert bench.load_results(two_runs[0]).loc[0, "peak_allocated_bytes"] is pd.NA


def test_a_results_file_has_the_same_results_as_its_run():
    run, file = bench.load_results(PUBLISHED), bench.load_results(PUBLISHED / "results.csv")
    pd.testing.assert_frame_equal(run, file)


def test_a_folder_that_is_not_a_run_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="is not the folder of a run"):
        bench.load_results(tmp_path)


def test_two_runs_are_compared(two_runs):
    ((pair,),) = bench.compare(*two_runs).pairs
    assert pair.verdict is ComparisonVerdict.SLOWER
    assert pair.ratio == pytest.approx(2.0)


def test_a_slower_run_has_regressed(two_runs):
    assert bench.gate(*two_runs).verdict is GateVerdict.REGRESSED


def test_the_threshold_of_a_gate_may_be_set(two_runs):
    assert bench.gate(*two_runs, threshold=0.99).verdict is GateVerdict.REGRESSED
    assert bench.gate(two_runs[1], two_runs[0], threshold=0.01).verdict is GateVerdict.PASSED


@pytest.mark.slow
def test_a_plan_is_measured_without_a_word(write, tmp_path, capfd):
    plan = bench.load_plan(write(SCENARIO, "small.yaml"), only=["small/baseline"])
    folder = bench.run(plan, device="cpu", size="tiny", samples=2, output=tmp_path / "run")
    assert list(bench.load_results(folder)["samples"]) == [2]
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_scenarios_are_measured_with_progress_if_asked_for(write, tmp_path, capfd):
    bench.run(str(write(SCENARIO, "small.yaml")), device="cpu", samples=1, output=tmp_path / "run", progress=True)
    assert "[3/3] small/batch  ok" in capfd.readouterr().out


def test_a_request_that_makes_no_sense_is_an_input_error(tmp_path):
    plan = Plan((), ())
    with pytest.raises(InputError, match=r"^processes 3: "):
        bench.run(plan, processes=3, output=tmp_path / "run")
