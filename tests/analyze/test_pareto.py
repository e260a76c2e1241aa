"""Which case beats which in time, memory and similarity."""

import math

import pytest
from analyze.make import result

from bench.analyze.pareto import points

DESIGN = {"expected_image": "another-image", "changed_by": "scheduler"}


def row(case, seconds, peak, psnr_db=None, **columns):
    known = {"baseline": "baseline", "output_type": "pil", "expected_image": "same-image", "psnr_db": psnr_db}
    figures = {"latency_median_s": seconds, "seconds_per_image": seconds, "peak_allocated_bytes": peak}
    return result(case, **known | figures | columns)


def placed(*rows):
    """Return the points of these results, by case."""
    return {point.result.case: point for point in points(rows)}


def front(*rows):
    return sorted(case for case, point in placed(*rows).items() if point.front)


def test_a_case_that_is_worse_in_everything_is_not_on_the_front():
    assert front(row("baseline", 2.0, 100), row("slow", 3.0, 200, 40.0)) == ["baseline"]


def test_a_case_that_is_worse_in_everything_names_what_beats_it():
    assert placed(row("baseline", 2.0, 100), row("slow", 3.0, 200, 40.0))["slow"].beaten_by == "baseline"


@pytest.mark.parametrize(("seconds", "peak"), [(1.0, 200), (3.0, 50)])
def test_a_case_that_is_better_in_one_objective_is_on_the_front(seconds, peak):
    assert front(row("baseline", 2.0, 100), row("other", seconds, peak, 40.0)) == ["baseline", "other"]


def test_the_baseline_stays_on_the_front_by_its_similarity():
    assert front(row("baseline", 2.0, 100), row("fp16", 1.0, 50, 45.0)) == ["baseline", "fp16"]


def test_an_identical_picture_beats_the_baseline_where_it_costs_less():
    assert front(row("baseline", 2.0, 100), row("layout", 1.0, 100, math.inf)) == ["layout"]


def test_equals_do_not_beat_each_other():
    assert front(row("baseline", 2.0, 100), row("same", 2.0, 100, math.inf)) == ["baseline", "same"]


def test_similarity_alone_can_keep_a_case_on_the_front():
    assert front(row("a", 1.0, 50, 35.0), row("b", 2.0, 60, 45.0)) == ["a", "b"]


def test_another_picture_by_design_neither_beats_nor_is_beaten_by_one_that_is_judged():
    rows = [row("baseline", 2.0, 100), row("scheduler", 1.0, 50, 12.0, **DESIGN)]
    assert front(*rows) == ["baseline", "scheduler"]


def test_pictures_that_differ_by_design_are_compared_in_time_and_memory():
    assert front(row("a", 1.0, 50, 12.0, **DESIGN), row("b", 2.0, 60, 29.0, **DESIGN)) == ["a"]


def test_a_case_without_pictures_is_not_compared_with_one_that_makes_another_picture():
    rows = [row("baseline", 2.0, 100), row("lost", 1.5, 90), row("scheduler", 1.0, 50, 12.0, **DESIGN)]
    assert front(*rows) == ["baseline", "lost", "scheduler"]


def test_memory_is_the_highest_of_what_must_fit():
    loads = row("loads", 1.0, 50, 45.0, load_peak_reserved_bytes=900, peak_reserved_bytes=60)
    assert placed(row("baseline", 2.0, 100, peak_reserved_bytes=110), loads)["loads"].peak_bytes == 900


def test_memory_is_of_one_kind_for_all_cases():
    rows = [row("baseline", 2.0, 100, peak_reserved_bytes=110), row("other", 1.0, 50, 45.0)]
    assert list(placed(*rows)) == ["baseline"]


def test_what_was_still_changing_beats_nobody():
    rows = [row("a", 2.0, 100, 40.0), row("unstable", 1.0, 50, 50.0, status="unstable")]
    assert front(*rows) == ["a", "unstable"]


def test_a_case_without_pictures_is_not_judged():
    assert placed(row("latent", 1.0, 50))["latent"].psnr_db is None


def test_a_broken_picture_is_on_no_front_and_beats_nobody():
    rows = [row("baseline", 2.0, 100), row("broken", 0.1, 1, 8.0), row("fp16", 1.0, 50, 45.0)]
    assert front(*rows) == ["baseline", "fp16"]


@pytest.mark.parametrize(
    "other", [{"size": "tiny"}, {"output_type": "latent"}, {"baseline": "another"}, {"images": 4}, {"height": 256}]
)
def test_only_cases_that_do_the_same_work_are_compared(other):
    assert front(row("a", 2.0, 100, 40.0), row("b", 1.0, 50, 50.0, **other)) == ["a", "b"]


@pytest.mark.parametrize("columns", [{"status": "oom"}, {"seconds_per_image": None}, {"peak_allocated_bytes": None}])
def test_what_is_not_known_has_no_place(columns):
    assert list(placed(row("baseline", 2.0, 100), row("b", 1.0, 50, 40.0, **columns))) == ["baseline"]


def test_on_a_host_memory_is_the_growth_of_the_resident_size():
    assert placed(row("baseline", 2.0, None, peak_rss_growth_bytes=70))["baseline"].peak_bytes == 70
