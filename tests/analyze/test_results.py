import pytest
from analyze.make import A100, SCENARIO, case, ended, in_passes, make_results, make_run, measured

from bench.analyze.results import Book, results
from bench.analyze.run import open_run
from bench.records.models import Peaks
from bench.records.outcomes import IntervalKind, PeakKind, Remark, RemarkKind, Status

TEN = [10.0, 1.0, 9.0, 2.0, 8.0, 3.0, 7.0, 4.0, 6.0, 5.0]


def result_of(tmp_path, *records):
    """Return the result of a run with one case."""
    return make_results(tmp_path / "run", [case("baseline")], records)["baseline"]


def statistics_of(tmp_path, *records):
    return result_of(tmp_path, *records).statistics


def interval_of(figures):
    return figures.latency_low_s, figures.latency_high_s


def test_a_run_without_a_process_has_no_results(tmp_path):
    assert results(make_run(tmp_path / "run", [case()])) == []


def test_the_latency_is_the_median_of_the_samples(tmp_path):
    assert statistics_of(tmp_path, measured("baseline", TEN)).latency_median_s == 5.5


def test_the_interval_is_of_order_statistics(tmp_path):
    found = statistics_of(tmp_path, measured("baseline", TEN))
    assert interval_of(found) == (2.0, 9.0)  # the 2nd and the 9th of ten: 97.9 %


def test_samples_that_resemble_their_neighbors_have_a_wider_interval(tmp_path):
    mixed = statistics_of(tmp_path / "mixed", measured("baseline", TEN))
    rising = statistics_of(tmp_path / "rising", measured("baseline", sorted(TEN)))
    assert rising.latency_low_s < mixed.latency_low_s
    assert rising.latency_high_s > mixed.latency_high_s


def test_five_samples_have_no_interval(tmp_path):
    found = statistics_of(tmp_path, measured("baseline", [1.0, 2.0, 3.0, 4.0, 5.0]))
    assert interval_of(found) == (None, None)


def test_an_interval_of_one_process_covers_its_own_median(tmp_path):
    assert statistics_of(tmp_path, measured("baseline", TEN)).interval is IntervalKind.WITHIN


def test_the_fastest_sample_is_kept(tmp_path):
    assert statistics_of(tmp_path, measured("baseline", TEN)).latency_min_s == 1.0


def test_the_slowest_sample_is_kept(tmp_path):
    assert statistics_of(tmp_path, measured("baseline", TEN)).latency_max_s == 10.0


def test_samples_are_counted(tmp_path):
    assert statistics_of(tmp_path, measured("baseline", TEN)).samples == 10


def test_the_time_of_a_batch_is_shared_by_its_images(tmp_path):
    assert statistics_of(tmp_path, measured("baseline", 2.0, images=8)).seconds_per_image == 0.25


def test_the_rate_of_a_batch_counts_its_images(tmp_path):
    assert statistics_of(tmp_path, measured("baseline", 2.0, images=8)).images_per_second == 4.0


def test_the_device_time_is_the_median_between_events(tmp_path):
    assert statistics_of(tmp_path, measured("baseline", 2.0, device_time_s=1.9)).device_time_median_s == 1.9


def test_a_cpu_has_no_device_time(tmp_path):
    assert statistics_of(tmp_path, measured("baseline", 2.0)).device_time_median_s is None


def test_a_result_names_the_machine(tmp_path):
    assert result_of(tmp_path, measured("baseline", 2.0)).versions.device_name == A100


@pytest.mark.parametrize("section", ["settings", "effective", "timings", "telemetry", "breakdown", "work", "score"])
def test_a_result_keeps_what_its_process_reported(tmp_path, section):
    columns = {
        "dtype": "float16", "vae_slicing": True, "first_call_s": 3.25, "power_w": 300.0, "breakdown_vae_s": 0.5,
        "operations": 5e11, "clip_score": 31.0,
    }  # fmt: skip
    record = measured("baseline", 2.0, **columns)
    assert getattr(result_of(tmp_path, record), section) == getattr(record, section)


def test_several_processes_have_the_geometric_mean_of_their_medians(tmp_path):
    found = statistics_of(tmp_path, measured("baseline", [1.0, 2.0, 3.0]), measured("baseline", [4.0, 5.0], process=1))
    assert found.latency_median_s == pytest.approx(3.0)


def test_samples_of_several_processes_are_counted_together(tmp_path):
    found = statistics_of(tmp_path, measured("baseline", [1.0, 2.0, 3.0]), measured("baseline", [4.0, 5.0], process=1))
    assert found.samples == 5


def test_the_median_of_each_process_is_kept_by_its_pass(tmp_path):
    found = statistics_of(tmp_path, measured("baseline", [1.0, 2.0, 3.0]), measured("baseline", [4.0, 5.0], process=2))
    assert found.process_medians_s == {0: 2.0, 2: 4.5}


def test_two_processes_have_no_interval(tmp_path):
    assert interval_of(statistics_of(tmp_path, *in_passes("baseline", [1.0, 1.1]))) == (None, None)


def test_the_peak_of_several_processes_is_the_highest_of_each_kind(tmp_path):
    records = [
        measured("baseline", 1.0, peak_allocated_bytes=200, peak_reserved_bytes=300),
        measured("baseline", 1.0, process=1, peak_allocated_bytes=100, peak_reserved_bytes=400),
    ]
    assert result_of(tmp_path, *records).memory.generation == Peaks(200, 400, None)


def test_the_peak_of_each_measured_process_is_kept_by_its_pass(tmp_path):
    records = [
        measured("baseline", 1.0, peak_allocated_bytes=200, peak_rss_growth_bytes=900),
        ended("baseline", "failed", process=1, peak_allocated_bytes=700),
        measured("baseline", 1.0, process=2, peak_allocated_bytes=100, peak_rss_growth_bytes=900),
    ]
    found = statistics_of(tmp_path, *records)
    assert found.process_peaks_bytes == {0: 200, 2: 100}
    assert found.process_peaks_kind is PeakKind.ALLOCATED


def test_a_peak_without_an_accelerator_is_of_the_resident_size(tmp_path):
    found = statistics_of(tmp_path, measured("baseline", 1.0, peak_rss_growth_bytes=900))
    assert found.process_peaks_bytes == {0: 900}
    assert found.process_peaks_kind is PeakKind.RSS_GROWTH


def test_a_process_that_knows_no_peak_has_none(tmp_path):
    assert statistics_of(tmp_path, measured("baseline", 1.0)).process_peaks_bytes is None


def test_the_peak_of_a_process_that_failed_does_not_count(tmp_path):
    records = [
        measured("baseline", 1.0, peak_allocated_bytes=200),
        ended("baseline", "failed", process=1, peak_allocated_bytes=900),
    ]
    assert result_of(tmp_path, *records).memory.generation.allocated_bytes == 200


def test_the_peak_of_a_case_that_was_never_measured_is_where_it_ended(tmp_path):
    record = ended("baseline", "oom", peak_allocated_bytes=900)
    assert result_of(tmp_path, record).memory.generation.allocated_bytes == 900


def test_a_case_of_which_one_process_crashed_is_not_ok(tmp_path):
    found = result_of(tmp_path, measured("baseline", 1.0), ended("baseline", "crashed", process=1))
    assert found.status is Status.CRASHED


def test_a_case_of_which_one_process_crashed_keeps_its_figures(tmp_path):
    found = statistics_of(tmp_path, measured("baseline", 1.0), ended("baseline", "crashed", process=1))
    assert found.process_medians_s == {0: 1.0}


def test_an_unstable_case_has_its_figures(tmp_path):
    assert statistics_of(tmp_path, measured("baseline", 1.0, status="unstable")).latency_median_s == 1.0


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["ok", "ok", "ok", "unstable"], Status.OK),
        (["unstable", "ok", "unstable", "ok"], Status.UNSTABLE),
        (["unstable", "unstable", "unstable", "ok"], Status.UNSTABLE),
        (["ok", "ok", "ok", "ok"], Status.OK),
    ],
)
def test_a_case_of_several_processes_is_unstable_where_at_least_half_of_them_were(tmp_path, statuses, expected):
    records = [measured("baseline", 1.0, process=number, status=status) for number, status in enumerate(statuses)]
    assert result_of(tmp_path, *records).status is expected


@pytest.fixture
def died(tmp_path):
    """A case whose second process died before it reported its settings."""
    gone = ended("baseline", "crashed", "died", size=None, images=None, process=1)
    return result_of(tmp_path, measured("baseline", 1.0, images=4), gone)


def test_a_process_that_died_early_takes_its_settings_from_the_others(died):
    assert died.settings.images == 4


def test_figures_per_image_survive_a_process_that_died_early(died):
    assert died.statistics.seconds_per_image == 0.25


@pytest.fixture
def diagnosed(tmp_path):
    """A case of which only the first of two processes was diagnosed."""
    columns = {"operations": 5e11, "breakdown_whole_s": 2.5, "undiagnosed": "profile: RuntimeError: no"}
    return result_of(tmp_path, measured("baseline", 2.0, **columns), measured("baseline", 2.0, process=1))


def test_the_process_that_was_diagnosed_has_the_breakdown(diagnosed):
    assert diagnosed.breakdown.whole_s == 2.5


def test_the_process_that_was_diagnosed_has_the_operations(diagnosed):
    assert diagnosed.work.operations == 5e11


def test_the_process_that_was_diagnosed_says_what_is_missing(diagnosed):
    assert diagnosed.undiagnosed == "profile: RuntimeError: no"


@pytest.mark.parametrize("status", ["skipped", "oom", "timeout", "crashed", "failed", "interrupted"])
def test_a_case_that_was_not_measured_has_its_status(tmp_path, status):
    assert result_of(tmp_path, ended("baseline", status, "because")).status == status


def test_a_case_that_was_not_measured_has_its_reason(tmp_path):
    assert result_of(tmp_path, ended("baseline", "oom", "because")).reason == "because"


@pytest.mark.parametrize("status", ["failed", "interrupted", "timeout"])
def test_what_was_measured_before_a_bad_end_is_kept(tmp_path, status):
    assert statistics_of(tmp_path, measured("baseline", 1.0, status=status)).latency_median_s == 1.0


@pytest.mark.parametrize("status", ["failed", "interrupted", "timeout"])
def test_what_was_measured_before_a_bad_end_has_no_speed_up(tmp_path, status):
    assert result_of(tmp_path, measured("baseline", 1.0, status=status)).comparison.speedup is None


@pytest.mark.parametrize("claim", [{}, {"latency_s": 5.27}, {"speedup": 1.5}, {"status": "oom"}])
def test_a_case_whose_process_died_before_it_reported_anything_has_a_result(tmp_path, claim):
    cases = [case("baseline"), case("fp16", claim=claim)]
    records = [measured("baseline", 2.0), ended("fp16", "crashed", "died", size=None, images=None)]
    assert make_results(tmp_path / "run", cases, records)["fp16"].status is Status.CRASHED


def test_cases_that_were_not_run_yet_are_left_out(tmp_path):
    found = make_results(tmp_path / "run", [case("baseline"), case("fp16")], [measured("baseline", 1.0)])
    assert list(found) == ["baseline"]


def test_results_are_in_the_order_of_the_plan(tmp_path):
    records = [measured("b", 1.0), measured("c", 1.0), measured("a", 1.0)]
    assert list(make_results(tmp_path / "run", [case("a"), case("b"), case("c")], records)) == ["a", "b", "c"]


def test_cases_of_one_name_in_two_scenarios_are_two_results(tmp_path):
    cases = [case("fp16", scenario="sd"), case("fp16", scenario="sdxl")]
    run = make_run(tmp_path / "run", cases, [measured("fp16", 1.0), measured("fp16", 4.0, scenario="sdxl")])
    assert [result.statistics.latency_median_s for result in results(run)] == [1.0, 4.0]


def test_the_results_of_a_real_run_are_of_its_plan(finished_run):
    run = open_run(finished_run[0])
    assert [result.key for result in results(run)] == [case.key for case in run.plan.cases]


@pytest.mark.parametrize(
    ("columns", "remarks"),
    [
        ({"device_busy_s": 0.5}, (Remark(RemarkKind.HOST_BOUND, 0.5),)),
        ({"device_busy_s": 0.95}, ()),
        ({"own_cpu_share": 0.75}, (Remark(RemarkKind.DISTURBED, 0.25),)),
        ({"own_cpu_share": 0.99}, ()),
        ({"warmup_calls": 20, "warm": False}, (Remark(RemarkKind.NEVER_WARM),)),
        ({"warmup_calls": 4, "warm": False}, (Remark(RemarkKind.WARMUP_CUT_SHORT, 4),)),
        ({"warmup_calls": 6, "warm": True}, ()),
        ({"other_processes": 2}, (Remark(RemarkKind.SHARED_DEVICE, 2),)),
        ({"other_processes": 0, "sw_thermal_s": 0.0, "sw_power_cap_s": 0.1, "rejected_samples": 0}, ()),
        ({"sw_thermal_s": 0.6, "hw_thermal_s": 0.3}, (Remark(RemarkKind.THERMAL_SLOWDOWN, 0.15),)),
        ({"sw_power_cap_s": 5.4}, (Remark(RemarkKind.POWER_CAP, 0.9),)),
        ({"rejected_samples": 3}, (Remark(RemarkKind.REJECTED, 3),)),
        ({"steady": None}, (Remark(RemarkKind.STEADINESS_UNKNOWN),)),
        ({"steady": None, "size": "tiny"}, ()),
        ({"steady": False, "status": "unstable"}, ()),
        ({"remarks": "idle(tf32)"}, (Remark(RemarkKind.IDLE, subject="tf32"),)),
    ],
    ids=str,
)
def test_what_is_easily_overlooked_is_remarked(tmp_path, columns, remarks):
    assert result_of(tmp_path, measured("baseline", 1.0, **columns)).remarks == remarks


PASSES = [
    *in_passes("baseline", [2.0, 2.1]), *in_passes("fp16", [1.0, 1.1]), measured("bf16", 1.0),
    *(measured(name, 1.5, process=2) for name in ("fp16", "baseline", "bf16")),  # pass 1 turns out to lack bf16
]  # fmt: skip


def test_a_book_that_grew_has_the_results_of_one_that_was_opened_at_the_end(tmp_path):
    cases = [case(), case("fp16"), case("bf16")]
    growing = Book(make_run(tmp_path / "growing", cases))
    for record in PASSES:
        growing.add(record)
        growing.result(record.key)
    assert growing.results(pictures=False) == results(make_run(tmp_path / "whole", cases, PASSES), pictures=False)


def test_a_record_leaves_the_results_of_other_cases_alone(tmp_path):
    book = Book(make_run(tmp_path / "run", [case(), case("fp16")], [measured("baseline", 2.0), measured("fp16", 1.0)]))
    before = book.result(f"{SCENARIO}/baseline")
    book.add(measured("fp16", 1.0, process=1))
    assert book.result(f"{SCENARIO}/baseline") is before
