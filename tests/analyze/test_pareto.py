"""Who beats whom in time, memory and similarity."""

import math

import pandas as pd
import pytest

from bench.analyze.pareto import points
from bench.analyze.similarity import SAME
from bench.records import schema

DESIGN = "another image by design: scheduler"


def row(case, seconds, peak, psnr_db=None, similarity=None, **facts):
    known = {"status": "ok", "size": "full", "baseline": "baseline", "output_type": "pil"}
    figures = {"seconds_per_image": seconds, "peak_allocated_bytes": peak, "psnr_db": psnr_db}
    if similarity is None and psnr_db is not None:
        similarity = SAME
    return {"case": case, "similarity": similarity, **known, **figures, **facts}


def placed(*rows):
    """Return the points of these rows, by case."""
    frame = pd.DataFrame(list(rows), columns=schema.names(schema.RESULTS))
    frame = frame.astype({column.name: column.type for column in schema.RESULTS})
    return {point.case: point for point in points(frame)}


def front(*rows):
    return sorted(case for case, point in placed(*rows).items() if point.front)


def test_a_case_that_is_worse_in_everything_is_beaten():
    found = placed(row("baseline", 2.0, 100), row("slow", 3.0, 200, 40.0))
    assert (found["slow"].front, found["slow"].beaten_by) == (False, "baseline")


@pytest.mark.parametrize(("seconds", "peak"), [(1.0, 200), (3.0, 50)])
def test_a_case_that_is_better_in_one_objective_is_on_the_front(seconds, peak):
    assert front(row("baseline", 2.0, 100), row("other", seconds, peak, 40.0)) == ["baseline", "other"]


def test_the_baseline_stays_on_the_front_by_its_fidelity():
    assert front(row("baseline", 2.0, 100), row("fp16", 1.0, 50, 45.0)) == ["baseline", "fp16"]


def test_an_identical_picture_beats_the_baseline_where_it_costs_less():
    assert front(row("baseline", 2.0, 100), row("layout", 1.0, 100, math.inf)) == ["layout"]


def test_equals_do_not_beat_each_other():
    assert front(row("baseline", 2.0, 100), row("same", 2.0, 100, math.inf)) == ["baseline", "same"]


def test_fidelity_alone_can_keep_a_case_on_the_front():
    assert front(row("a", 1.0, 50, 35.0), row("b", 2.0, 60, 45.0)) == ["a", "b"]


def test_another_picture_by_design_neither_beats_nor_is_beaten_by_one_that_is_judged():
    rows = [row("baseline", 2.0, 100), row("scheduler", 1.0, 50, 12.0, DESIGN)]
    assert front(*rows) == ["baseline", "scheduler"]


def test_pictures_that_differ_by_design_are_held_against_one_another_in_time_and_memory():
    rows = [row("a", 1.0, 50, 12.0, DESIGN), row("b", 2.0, 60, 29.0, DESIGN)]
    assert front(*rows) == ["a"]


def test_a_case_without_pictures_is_not_held_against_one_that_makes_another_picture():
    rows = [row("baseline", 2.0, 100), row("lost", 1.5, 90, similarity=SAME), row("scheduler", 1.0, 50, 12.0, DESIGN)]
    assert front(*rows) == ["baseline", "lost", "scheduler"]


def test_memory_is_what_must_fit_at_the_highest():
    loads = row("loads", 1.0, 50, 45.0, load_peak_reserved_bytes=900, peak_reserved_bytes=60)
    found = placed(row("baseline", 2.0, 100, peak_reserved_bytes=110), loads)
    assert (found["baseline"].peak_bytes, found["loads"].peak_bytes) == (110, 900)


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
def test_only_what_is_alike_is_compared(other):
    assert front(row("a", 2.0, 100, 40.0), row("b", 1.0, 50, 50.0, **other)) == ["a", "b"]


@pytest.mark.parametrize("facts", [{"status": "oom"}, {"seconds_per_image": None}, {"peak_allocated_bytes": None}])
def test_what_is_not_known_has_no_place(facts):
    assert list(placed(row("baseline", 2.0, 100), row("b", 1.0, 50, 40.0) | facts)) == ["baseline"]


def test_on_a_host_memory_is_the_growth_of_the_resident_size():
    assert placed(row("baseline", 2.0, None, peak_rss_growth_bytes=70))["baseline"].peak_bytes == 70
