import random
from math import exp, sqrt

import pytest
from analyze.make import H200, ended, make_side, measured

from bench.analyze.comparison import Difference
from bench.analyze.trend import FEWEST_RUNS, change_points, trends


def noisy(levels, spread=0.01, seed=1):
    chance = random.Random(seed)  # noqa: S311 - noise, no secret
    return [level * exp(chance.gauss(0, spread)) for level in levels]


def night(tmp_path, number, latency_s, *, facts=None, **columns):
    """Return the run of one night as a side; `number` is the day of the month."""
    began = f"2026-01-{number + 1:02}T03:00:00+00:00"
    record = measured("baseline", latency_s, started_at=began, **columns)
    return make_side(tmp_path / f"night-{number:02}", [record], **facts or {})


def nights(tmp_path, latencies):
    return [night(tmp_path, number, latency) for number, latency in enumerate(latencies)]


def test_a_step_is_found_where_it_is():
    assert [at for at, *_ in change_points(noisy([1.0] * 12 + [1.06] * 8))] == [12]


def test_two_steps_are_found():
    assert [at for at, *_ in change_points(noisy([1.0] * 12 + [1.1] * 12 + [0.9] * 12))] == [12, 24]


def test_noise_alone_is_no_change():
    found = sum(bool(change_points(noisy([1.0] * 20, seed=seed))) for seed in range(200))
    assert found <= 200 * 0.01 + 4 * sqrt(200 * 0.01)  # four standard deviations over the nominal rate


def autocorrelated(count, correlation, spread, seed):
    """Return the latencies of a level machine whose nights resemble the nights before them (AR(1))."""
    chance, deviation, values = random.Random(seed), 0.0, []  # noqa: S311 - noise, no secret
    for night in range(count):
        fresh = chance.gauss(0, spread) * (sqrt(1 - correlation**2) if night else 1)
        deviation = correlation * deviation + fresh
        values.append(exp(deviation))
    return values


@pytest.mark.parametrize("count", [20, 60])
def test_nights_that_resemble_each_other_are_seldom_a_change(count):
    """At most 5 % with a correlation of 0.6 and a spread of 2 %; shuffling single nights finds 22 to 37 %."""
    found = sum(bool(change_points(autocorrelated(count, 0.6, 0.02, seed))) for seed in range(100))
    assert found <= 5


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_the_autocorrelation_is_that_of_the_nights_on_either_side_of_a_change(correlation):
    before, after = (autocorrelated(300, correlation, 0.01, seed) for seed in (1, 2))
    (change,) = change_points([*before, *(1.2 * value for value in after)])
    assert change.autocorrelation == pytest.approx(correlation, abs=0.1)


def test_without_noise_there_is_no_autocorrelation():
    assert change_points([1.0] * 6 + [1.1] * 6)[0].autocorrelation == 0.0


def test_three_nights_after_twenty_good_ones_show_a_change():
    found = [bool(change_points(noisy([1.0] * 20 + [1.05] * 3, 0.005, seed))) for seed in range(20)]
    assert all(found)


def test_one_bad_night_is_no_change():
    assert change_points(noisy([1.0] * 10 + [1.5] + [1.0] * 10)) == []


def test_a_significant_nothing_is_no_change():
    assert change_points(noisy([1.0] * 20 + [1.005] * 20, spread=0.0005)) == []


def test_a_series_of_equal_values_has_no_change():
    assert change_points([2.0] * 30) == []


@pytest.mark.parametrize("count", range(6))
def test_a_series_that_is_too_short_has_no_change(count):
    assert change_points([1.0, 2.0, 3.0, 4.0, 5.0][:count]) == []


def test_the_shortest_series_in_which_a_clean_split_can_be_found_is_the_documented_one():
    half = FEWEST_RUNS // 2
    assert [at for at, *_ in change_points([1.0] * half + [2.0] * half)] == [half]


def test_a_shorter_series_cannot_be_split_in_the_middle():
    half = FEWEST_RUNS // 2 - 1
    assert change_points([1.0] * half + [2.0] * half) == []


def test_the_same_series_gives_the_same_answer():
    values = noisy([1.0] * 10 + [1.02] * 10)
    assert change_points(values) == change_points(values)


def test_the_ratio_of_levels_counts_not_their_difference():
    small = noisy([1.0] * 12 + [1.06] * 8)
    assert [at for at, *_ in change_points([1e-6 * value for value in small])] == [12]


def test_runs_are_ordered_by_when_they_began(tmp_path):
    (series,) = trends(nights(tmp_path, [1.0, 2.0, 3.0])[::-1])
    assert [point.latency_s for point in series.points] == [1.0, 2.0, 3.0]


def test_a_change_has_its_place(tmp_path):
    (series,) = trends(nights(tmp_path, [1.0] * 6 + [1.5] * 6))
    assert [change.at for change in series.changes] == [6]


def test_a_change_has_the_ratio_of_its_levels(tmp_path):
    (series,) = trends(nights(tmp_path, [1.0] * 6 + [1.5] * 6))
    assert [change.ratio for change in series.changes] == pytest.approx([1.5])


def test_a_change_names_the_version_that_changed_with_it(tmp_path):
    before = nights(tmp_path, [1.0] * 6)
    after = [night(tmp_path, number, 1.5, facts={"torch": "2.10.0", "cuda": "12.8.0"}) for number in range(6, 12)]
    (series,) = trends(before + after)
    assert series.changes[0].environment == (Difference("torch", "2.9.0", "2.10.0"),)


@pytest.mark.parametrize("other", [{"steps": 20}, {"facts": {"device_name": H200}}], ids=["settings", "device"])
def test_a_run_that_measured_something_else_is_left_out_and_named(tmp_path, other):
    (series,) = trends([night(tmp_path, 0, 9.0, **other), night(tmp_path, 1, 1.0)])
    assert series.left_out == ("night-00",)


def test_a_run_that_measured_something_else_has_no_point(tmp_path):
    (series,) = trends([night(tmp_path, 0, 9.0, steps=20), night(tmp_path, 1, 1.0)])
    assert [point.run for point in series.points] == ["night-01"]


@pytest.fixture
def broken(tmp_path):
    return make_side(tmp_path / "broken", [ended("baseline", "oom", started_at="2026-01-09T03:00:00")])


def test_a_run_that_could_not_measure_a_case_has_no_point(tmp_path, broken):
    (series,) = trends([*nights(tmp_path, [1.0, 1.0]), broken])
    assert [point.run for point in series.points] == ["night-00", "night-01"]


def test_runs_without_a_measured_case_have_no_trend(broken):
    assert trends([broken]) == []


@pytest.mark.parametrize("size", ["full", "tiny"])
def test_a_series_of_a_tiny_model_is_marked(tmp_path, size):
    (series,) = trends([night(tmp_path, 0, 1.0, size=size)])
    assert series.tiny is (size == "tiny")
