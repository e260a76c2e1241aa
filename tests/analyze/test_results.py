import csv

import pandas as pd
import pytest
from analyze.make import A100, case, ended, make_folder, make_rows, make_run, measured

from bench.analyze.results import results, write_results
from bench.records import schema

TEN = [10.0, 1.0, 9.0, 2.0, 8.0, 3.0, 7.0, 4.0, 6.0, 5.0]


def row_of(tmp_path, outcome, **options):
    """Return the row of a run with one case."""
    return make_rows(tmp_path / "run", [case("baseline", **options)], [outcome])["baseline"]


def unknown(row, *names):
    """Return which of the names are unknown in the row."""
    return [name for name in names if pd.isna(row[name])]


def test_results_has_the_columns_of_the_schema_in_order(tmp_path):
    table = results(make_run(tmp_path / "run", [case()], [measured("baseline", 0.5)]))
    assert list(table.columns) == schema.names(schema.RESULTS)


def test_every_column_of_results_has_its_type(tmp_path):
    table = results(make_run(tmp_path / "run", [case()], [measured("baseline", 0.5)]))
    types = {name: str(kind) for name, kind in table.dtypes.items()}
    assert types == {column.name: column.type for column in schema.RESULTS}


def test_a_run_without_a_row_has_the_columns_all_the_same(tmp_path):
    table = results(make_run(tmp_path / "run", [case()]))
    assert (list(table.columns), len(table)) == (schema.names(schema.RESULTS), 0)


def test_the_latency_is_the_median_of_the_samples(tmp_path):
    assert row_of(tmp_path, measured("baseline", TEN))["latency_median_s"] == 5.5


def test_the_interval_is_of_order_statistics(tmp_path):
    row = row_of(tmp_path, measured("baseline", TEN))
    assert (row["latency_low_s"], row["latency_high_s"]) == (2.0, 9.0)  # the 2nd and the 9th of ten: 97.9 %


def test_six_samples_have_an_interval_from_the_fastest_to_the_slowest(tmp_path):
    row = row_of(tmp_path, measured("baseline", [3.0, 1.0, 2.0, 6.0, 5.0, 4.0]))
    assert (row["latency_low_s"], row["latency_high_s"]) == (1.0, 6.0)


def test_five_samples_have_no_interval(tmp_path):
    row = row_of(tmp_path, measured("baseline", [1.0, 2.0, 3.0, 4.0, 5.0]))
    assert unknown(row, "latency_low_s", "latency_high_s") == ["latency_low_s", "latency_high_s"]


def test_the_fastest_and_the_slowest_sample_are_told(tmp_path):
    row = row_of(tmp_path, measured("baseline", TEN))
    assert (row["latency_min_s"], row["latency_max_s"], row["samples"], row["processes"]) == (1.0, 10.0, 10, 1)


def test_the_time_of_a_batch_is_shared_by_its_images(tmp_path):
    row = row_of(tmp_path, measured("baseline", 2.0, images=8))
    assert (row["seconds_per_image"], row["images_per_second"]) == (0.25, 4.0)


def test_the_device_time_is_the_median_between_events(tmp_path):
    assert row_of(tmp_path, measured("baseline", 2.0, device_time_s=1.9))["device_time_median_s"] == 1.9


def test_a_cpu_has_no_device_time(tmp_path):
    assert unknown(row_of(tmp_path, measured("baseline", 2.0)), "device_time_median_s") == ["device_time_median_s"]


def test_a_row_names_the_machine_and_the_versions(tmp_path):
    row = row_of(tmp_path, measured("baseline", 2.0))
    assert (row["device_name"], row["torch"], row["cuda"]) == (A100, "2.9.0", "12.8")


def test_a_row_keeps_what_its_process_told(tmp_path):
    row = row_of(tmp_path, measured("baseline", 2.0, first_call_s=3.25, attention="AttnProcessor2_0", vae_slicing=True))
    assert (row["first_call_s"], row["attention"], row["vae_slicing"]) == (3.25, "AttnProcessor2_0", True)


def test_several_processes_have_the_geometric_mean_of_their_medians(tmp_path):
    outcomes = [measured("baseline", [1.0, 2.0, 3.0]), measured("baseline", [4.0, 5.0], process=1)]
    row = make_rows(tmp_path / "run", [case()], outcomes)["baseline"]
    assert (row["latency_median_s"], row["samples"], row["processes"]) == (pytest.approx(3.0), 5, 2)


def test_samples_of_several_processes_have_no_interval_within_one(tmp_path):
    outcomes = [measured("baseline", 1.0), measured("baseline", 1.1, process=1)]
    row = make_rows(tmp_path / "run", [case()], outcomes)["baseline"]
    assert unknown(row, "latency_low_s", "latency_high_s") == ["latency_low_s", "latency_high_s"]


def test_the_peak_of_several_processes_is_the_highest(tmp_path):
    outcomes = [
        measured("baseline", 1.0, peak_allocated_bytes=200),
        measured("baseline", 1.0, process=1, peak_allocated_bytes=100),
    ]
    assert make_rows(tmp_path / "run", [case()], outcomes)["baseline"]["peak_allocated_bytes"] == 200


def test_a_case_of_which_one_process_crashed_is_not_ok_and_keeps_its_figures(tmp_path):
    outcomes = [measured("baseline", 1.0), ended("baseline", "crashed", process=1)]
    row = make_rows(tmp_path / "run", [case()], outcomes)["baseline"]
    assert (row["status"], row["latency_median_s"], row["processes"]) == ("crashed", 1.0, 1)


def test_an_unstable_case_has_its_figures(tmp_path):
    row = row_of(tmp_path, measured("baseline", 1.0, status="unstable"))
    assert (row["status"], row["latency_median_s"]) == ("unstable", 1.0)


def test_a_process_that_died_before_it_told_its_settings_takes_them_from_the_others(tmp_path):
    died = ended("baseline", "crashed", "died", size=None, images=None, process=1)
    row = make_rows(tmp_path / "run", [case("baseline")], [measured("baseline", 1.0, images=4), died])["baseline"]
    assert (row["size"], row["images"], row["seconds_per_image"]) == ("full", 4, 0.25)


@pytest.mark.parametrize(
    ("calls", "warm", "told"),
    [
        (20, False, "never warm: its calls still changed when warm-up ended"),
        (4, False, "perhaps not warm: its calls are long, and after 4 warm-up was out of time"),
        (6, True, None),
    ],
)
def test_a_case_that_was_not_seen_to_be_warm_says_so_and_why(calls, warm, told, tmp_path):
    remarks = row_of(tmp_path, measured("baseline", 1.0, warmup_calls=calls, warm=warm))["remarks"]
    assert (remarks if told else pd.isna(remarks)) == (told or True)


def test_the_one_process_that_was_diagnosed_tells_the_split_and_the_share_of_the_limit(tmp_path):
    diagnosed = {"roofline_s": 0.5, "breakdown_whole_s": 2.5, "undiagnosed": "profile: RuntimeError: no"}
    outcomes = [measured("baseline", 2.0, **diagnosed), measured("baseline", 2.0, process=1)]
    row = make_rows(tmp_path / "run", [case("baseline")], outcomes)["baseline"]
    assert (row["breakdown_whole_s"], row["undiagnosed"]) == (2.5, "profile: RuntimeError: no")
    assert row["roofline_fraction"] == pytest.approx(0.25)


@pytest.mark.parametrize("status", ["skipped", "oom", "timeout", "crashed", "failed", "interrupted"])
def test_a_case_that_was_not_measured_is_a_row_with_its_reason(tmp_path, status):
    row = row_of(tmp_path, ended("baseline", status, "because"))
    assert (row["status"], row["reason"]) == (status, "because")


@pytest.mark.parametrize("status", ["failed", "interrupted", "timeout"])
def test_what_was_measured_before_a_bad_end_is_kept_and_compared_with_nothing(tmp_path, status):
    row = row_of(tmp_path, measured("baseline", 1.0, status=status))
    assert (row["latency_median_s"], row["samples"], unknown(row, "speedup")) == (1.0, 6, ["speedup"])


@pytest.mark.parametrize("claim", [{}, {"latency_s": 5.27}, {"speedup": 1.5}, {"status": "oom"}])
def test_a_case_whose_process_died_before_it_told_anything_is_a_row(tmp_path, claim):
    cases = [case("baseline"), case("fp16", claim=claim)]
    outcomes = [measured("baseline", 2.0), ended("fp16", "crashed", "died", size=None, images=None)]
    row = make_rows(tmp_path / "run", cases, outcomes)["fp16"]
    assert (row["status"], row["reason"]) == ("crashed", "died")


def test_cases_that_were_not_run_yet_are_left_out(tmp_path):
    assert list(make_rows(tmp_path / "run", [case("baseline"), case("fp16")], [measured("baseline", 1.0)])) == [
        "baseline"
    ]


def test_rows_are_in_the_order_of_the_plan(tmp_path):
    outcomes = [measured("b", 1.0), measured("c", 1.0), measured("a", 1.0)]
    assert list(make_rows(tmp_path / "run", [case("a"), case("b"), case("c")], outcomes)) == ["a", "b", "c"]


def test_cases_of_one_name_in_two_scenarios_are_two_rows(tmp_path):
    cases = [case("fp16", scenario="sd"), case("fp16", scenario="sdxl")]
    run = make_run(tmp_path / "run", cases, [measured("fp16", 1.0), measured("fp16", 4.0, scenario="sdxl")])
    assert results(run)["latency_median_s"].tolist() == [1.0, 4.0]


def test_the_file_holds_what_was_derived_at_full_precision(tmp_path):
    folder = make_folder(tmp_path / "run", [case()], [measured("baseline", 0.1 + 0.2)])
    write_results(folder)
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    assert (row["latency_median_s"], row["speedup"], row["pinned_core"]) == (repr(0.1 + 0.2), "1.0", "")


def test_deriving_the_file_again_changes_nothing(tmp_path):
    folder = make_folder(tmp_path / "run", [case()], [measured("baseline", 1 / 3)])
    write_results(folder)
    first = (folder / "results.csv").read_bytes()
    write_results(folder)
    assert (folder / "results.csv").read_bytes() == first


def test_the_rows_of_a_real_run_are_of_its_plan(finished_run):
    from bench.analyze.run import open_run

    run = open_run(finished_run[0])
    table = results(run)
    assert table["case"].tolist() == [case.name for case in run.plan.cases]


@pytest.mark.parametrize(("busy_s", "bound"), [(0.5, True), (0.95, False)])
def test_a_device_that_waits_for_the_host_is_remarked(tmp_path, busy_s, bound):
    row = row_of(tmp_path, measured("baseline", 1.0, device_busy_s=busy_s))
    assert ("host-bound" in str(row["remarks"])) is bound


def test_the_share_of_the_limit_is_the_least_time_over_the_median(tmp_path):
    assert row_of(tmp_path, measured("baseline", 2.0, roofline_s=0.5))["roofline_fraction"] == 0.25


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["ok", "ok", "ok", "unstable"], "ok"),
        (["unstable", "ok", "unstable", "ok"], "unstable"),
        (["unstable", "unstable", "unstable", "ok"], "unstable"),
        (["ok", "ok", "ok", "ok"], "ok"),
    ],
)
def test_a_case_of_several_processes_is_unstable_where_at_least_half_of_them_were(tmp_path, statuses, expected):
    outcomes = [measured("baseline", 1.0, process=n, status=status) for n, status in enumerate(statuses)]
    assert make_rows(tmp_path / "run", [case()], outcomes)["baseline"]["status"] == expected
