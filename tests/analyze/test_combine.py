"""Which of several processes each figure of a result comes from."""

import pytest
from analyze.make import case, ended, in_passes, make_results, measured

from bench.records.case_result import CaseResult
from bench.records.columns import columns
from bench.records.models import Peaks
from bench.records.outcomes import Remark, RemarkKind, Status


def combined(tmp_path, *records, **facts):
    """Return the result of a run with one case, of which these are the processes."""
    return make_results(tmp_path / "run", [case()], records, **facts)["baseline"]


def processes(*columns):
    """Return one record for each mapping of columns, in passes."""
    return [measured("baseline", 1.0, process=number, **each) for number, each in enumerate(columns)]


COMPILED = [  # inductor's cache on disk survives the first process, which alone paid for it
    {"compile_cache": "cold", "first_call_s": 125.0, "compile_s": 104.0, "build_s": 3.0},
    {"compile_cache": "warm", "first_call_s": 19.0, "compile_s": 4.0, "build_s": 2.0},
    {"compile_cache": "warm", "first_call_s": 18.0, "compile_s": 5.0, "build_s": 1.0},
]
COLD = {"compile_cache": "cold", "first_call_s": 125.0, "compile_s": 104.0, "build_s": 3.0}


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (1, 2, 0)])
@pytest.mark.parametrize("column", COLD)
def test_what_compiling_costs_comes_from_the_process_with_a_cold_cache(tmp_path, order, column):
    found = combined(tmp_path, *processes(*(COMPILED[number] for number in order)))
    assert getattr(found.timings, column) == COLD[column]


def test_the_first_call_is_that_of_the_first_pass_where_no_cache_was_cold(tmp_path):
    found = combined(tmp_path, *processes({"first_call_s": 3.0}, {"first_call_s": 2.0}))
    assert found.timings.first_call_s == 3.0


def test_the_first_pass_is_the_first_even_if_its_record_came_later(tmp_path):
    late, early = processes({"first_call_s": 3.0}, {"first_call_s": 2.0})
    assert combined(tmp_path, early, late).timings.first_call_s == 3.0


def test_compiling_once_pays_off_after_six_and_a_half_images(tmp_path):
    """By hand: (125 - 30.7) s more for the first call, 28.93 - 14.5 s less for each image."""
    times = in_passes("fp16", [14.5] * 4, compiled="unet", compile_cache="warm", first_call_s=19.0)
    times[0] = measured("fp16", 14.5, compiled="unet", compile_cache="cold", first_call_s=125.0)
    records = [*in_passes("baseline", [28.93] * 4, first_call_s=30.7), *times]
    found = make_results(tmp_path / "run", [case(), case("fp16")], records)["fp16"]
    assert found.comparison.break_even_images == pytest.approx((125 - 30.7) / (28.93 - 14.5))
    assert round(found.comparison.break_even_images, 1) == 6.5


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("own_cpu_share", [0.99, 0.90, 0.98], 0.90),
        ("others_busy_cores", [0.1, 0.9, 0.0], 0.9),
        ("sm_clock_hz", [1.4e9, 1.2e9, 1.4e9], 1.2e9),
        ("temperature_c", [60.0, 71.0, 65.0], 71.0),
        ("energy_j", [100.0, 120.0, 110.0], 330.0),
        ("energy_per_image_j", [10.0, 12.0, 11.0], 11.0),
        ("rejected_samples", [1, 0, 2], 3),
        ("hw_thermal_s", [0.5, 0.0, 0.25], 0.75),
        ("other_processes", [0, 2, 1], 2),
        ("rejected_by", ["hw_thermal", "", "hw_power_brake+hw_thermal"], ("hw_thermal", "hw_power_brake")),
    ],
)
def test_the_load_is_that_of_the_most_disturbed_process_and_losses_add_up(tmp_path, column, values, expected):
    found = combined(tmp_path, *processes(*({column: value} for value in values))).telemetry
    assert getattr(found, column) == expected


def test_what_one_process_does_not_know_is_taken_from_the_others(tmp_path):
    found = combined(tmp_path, *processes({"own_cpu_share": 0.9}, {}))
    assert found.telemetry.own_cpu_share == 0.9


@pytest.mark.parametrize(("warm", "expected"), [([True, True], True), ([True, False], False), ([False, True], False)])
def test_a_case_is_warm_if_all_its_processes_were(tmp_path, warm, expected):
    found = combined(tmp_path, *processes(*({"warm": each, "warmup_calls": 9} for each in warm)))
    assert found.timings.warm is expected


def test_warm_processes_are_counted(tmp_path):
    found = combined(tmp_path, *processes({"warm": True}, {"warm": False, "warmup_calls": 9}, {"warm": True}))
    assert found.statistics.warm_processes == 2


def test_a_remark_says_how_many_processes_were_not_warm(tmp_path):
    found = combined(tmp_path, *processes({"warm": True, "warmup_calls": 6}, {"warm": False, "warmup_calls": 9}))
    assert found.remarks == (Remark(RemarkKind.NEVER_WARM, None, "1 of 2"),)


def test_a_process_that_was_warm_early_does_not_make_the_others_short_of_time(tmp_path):
    found = combined(tmp_path, *processes({"warm": True, "warmup_calls": 3}, {"warm": False, "warmup_calls": 9}))
    assert [remark.kind for remark in found.remarks] == [RemarkKind.NEVER_WARM]


def test_processes_whose_core_was_shared_are_counted(tmp_path):
    found = combined(tmp_path, *processes({"own_cpu_share": 0.9}, {"own_cpu_share": 0.99}, {"own_cpu_share": 0.85}))
    assert found.statistics.disturbed_processes == 2
    assert found.remarks == (Remark(RemarkKind.DISTURBED, pytest.approx(0.15), "2 of 3"),)


@pytest.mark.parametrize(("busy", "count"), [([0.5, 0.49], 1), ([0.1, 0.1], 0), ([0.9, 1.0], 2)])
def test_a_quarter_of_the_machine_at_work_elsewhere_is_a_disturbance(tmp_path, busy, count):
    records = processes(*({"others_busy_cores": cores} for cores in busy))
    assert combined(tmp_path, *records, cpu_threads=2).statistics.disturbed_processes == count


def test_half_a_core_of_many_is_not_a_disturbance(tmp_path):
    found = combined(tmp_path, *processes({"others_busy_cores": 0.5}), cpu_threads=64)
    assert found.statistics.disturbed_processes == 0


def test_a_process_that_waits_for_an_accelerator_is_not_disturbed(tmp_path):
    found = combined(tmp_path, *processes({"own_cpu_share": 0.2, "device": "mps"}))
    assert found.statistics.disturbed_processes == 0
    assert found.status is Status.OK


@pytest.mark.parametrize(
    ("shares", "status"),
    [([0.4], Status.UNSTABLE), ([0.85], Status.OK), ([0.4, 0.99, 0.99], Status.OK), ([0.4, 0.99], Status.UNSTABLE)],
)
def test_a_case_without_its_core_is_not_simply_ok(tmp_path, shares, status):
    assert combined(tmp_path, *processes(*({"own_cpu_share": share} for share in shares))).status is status


def test_a_case_without_its_core_says_so(tmp_path):
    assert combined(tmp_path, *processes({"own_cpu_share": 0.4})).reason == "it had its core for only 40% of the time"


def test_a_tiny_model_without_its_core_is_ok_with_a_remark(tmp_path):
    found = combined(tmp_path, *processes({"own_cpu_share": 0.4, "size": "tiny"}))
    assert found.status is Status.OK
    assert found.remarks == (Remark(RemarkKind.DISTURBED, 0.6),)


def test_a_process_that_crashed_has_no_say_in_the_figures(tmp_path):
    found = combined(tmp_path, *processes({"first_call_s": 3.0, "warm": True}), ended("baseline", "crashed", process=1))
    assert found.timings.first_call_s == 3.0
    assert found.timings.warm is True


def test_remarks_of_all_processes_are_kept_once(tmp_path):
    found = combined(tmp_path, *processes({"remarks": "idle(tf32)"}, {"remarks": "idle(tf32)"}, {}))
    assert found.remarks == (Remark(RemarkKind.IDLE, subject="tf32"),)


def test_the_peak_is_the_highest_of_each_kind(tmp_path):
    peaks = [{"peak_allocated_bytes": 200, "peak_reserved_bytes": 300}, {"peak_allocated_bytes": 100}]
    assert combined(tmp_path, *processes(*peaks)).memory.generation == Peaks(200, 300, None)


def test_device_time_and_latency_are_one_estimator(tmp_path):
    """Four processes, one of them 10 % slow: pooled samples would hide it (1.0), their medians do not (1.024)."""
    records = [
        measured("baseline", seconds, process=number, device_time_s=seconds)
        for number, seconds in enumerate([1.0, 1.0, 1.0, 1.1])
    ]
    figures = combined(tmp_path, *records).statistics
    assert figures.device_time_median_s == pytest.approx(1.1**0.25)
    assert figures.device_time_median_s == figures.latency_median_s


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("first_call_s", "; of the first process whose compile cache was cold, or else of the first"),
        ("others_busy_cores", "; the highest of several processes"),
        ("own_cpu_share", "; the lowest of several processes"),
        ("peak_allocated_bytes", ", after the first call: weights and a generation; the highest of several processes"),
        ("rejected_samples", "; the sum over several processes"),
    ],
)
def test_a_columns_documentation_says_which_process_it_shows(name, ending):
    assert next(each.doc for each in columns(CaseResult) if each.name == name).endswith(ending)
