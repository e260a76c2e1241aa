"""How close a case comes to what the device can do."""

import pytest
from analyze.make import case, make_results, make_run, measured

from bench.analyze.results import results
from bench.errors import InputError

RATES = {"matrix_flops": {"float32": 100.0, "tf32": 400.0}, "copy_bytes_per_s": 10.0}


def roofline(folder, *records, rates=RATES):
    return make_results(folder / "run", [case()], records, rates=rates)["baseline"].roofline


def record(latency_s=10.0, **columns):
    return measured("baseline", latency_s, **{"matrix_types": "float32", "operations": 200.0, **columns})


@pytest.mark.parametrize(("weight_bytes", "seconds"), [(10, 2.0), (30, 3.0)])
def test_the_least_time_is_that_of_arithmetic_or_memory_whichever_takes_longer(tmp_path, weight_bytes, seconds):
    assert roofline(tmp_path, record(weight_bytes=weight_bytes)).roofline_s == seconds


def test_the_fraction_is_the_least_time_over_the_latency(tmp_path):
    assert roofline(tmp_path, record(8.0)).roofline_fraction == 0.25


def test_the_fraction_is_of_the_latency_over_all_processes(tmp_path):
    later = measured("baseline", 2.0, process=1)
    assert roofline(tmp_path, record(8.0), later).roofline_fraction == pytest.approx(0.5)


def test_convolutions_that_need_fewer_operations_may_exceed_the_roofline(tmp_path):
    assert roofline(tmp_path, record(1.0)).roofline_fraction == 2.0


def test_the_fastest_type_that_a_case_may_compute_in_counts(tmp_path):
    assert roofline(tmp_path, record(matrix_types="float32+tf32")).roofline_s == 0.5


def test_all_cases_of_a_type_have_the_same_rate(tmp_path):
    records = [record(), measured("other", 5.0, operations=50.0, matrix_types="float32")]
    found = make_results(tmp_path / "run", [case(), case("other")], records, rates=RATES)
    assert {each.roofline.matrix_flops for each in found.values()} == {100.0}


@pytest.mark.parametrize(
    ("columns", "rates"),
    [
        ({}, None),
        ({"operations": None}, RATES),
        ({"matrix_types": "float32+bfloat16"}, RATES),
        ({"matrix_types": ""}, RATES),
    ],
    ids=["no rates", "no operations", "a type without a rate", "no types"],
)
def test_what_is_not_known_has_no_roofline(tmp_path, columns, rates):
    facts = {} if rates is None else {"rates": rates}
    found = make_results(tmp_path / "run", [case()], [record(**columns)], **facts)["baseline"].roofline
    assert found.roofline_s is found.roofline_fraction is None


def test_the_device_is_busy_for_a_share_of_the_process_that_was_profiled(tmp_path):
    """A later process that took twice as long says nothing about that call."""
    found = roofline(tmp_path, record(1.0, device_busy_s=0.5), measured("baseline", 2.0, process=1))
    assert found.device_busy_share == 0.5


@pytest.mark.parametrize(
    "rates",
    [{**RATES, "copy_bytes_per_s": 0}, {"matrix_flops": {"float32": "fast"}, "copy_bytes_per_s": 1.0}, 3],
    ids=str,
)
def test_damaged_rates_are_refused_with_their_file(tmp_path, rates):
    run = make_run(tmp_path / "run", [case()], [record()], rates=rates)
    with pytest.raises(InputError, match=r"environment.json: rates.*; the file is damaged"):
        results(run)
