import random
from math import exp, sqrt

import pytest
from analyze.make import case, ended, make_folder, measured

from bench.analyze.run import open_run
from bench.analyze.side import of_run
from bench.analyze.trend import FEWEST_RUNS, change_points, trends


def noisy(levels, spread=0.01, seed=1):
    chance = random.Random(seed)  # noqa: S311 - noise, no secret
    return [level * exp(chance.gauss(0, spread)) for level in levels]


def make_side(tmp_path, number, latency_s, **facts):
    """Return the run of one night as a side; `number` is the day of the month."""
    began = f"2026-01-{number + 1:02}T03:00:00+00:00"
    folder = make_folder(
        tmp_path / f"night-{number:02}", [case()], [measured("baseline", latency_s, started_at=began, **facts)]
    )
    return of_run(open_run(folder))


def make_sides(tmp_path, latencies):
    return [make_side(tmp_path, number, latency) for number, latency in enumerate(latencies)]


def test_a_step_is_found_where_it_is():
    assert [at for at, _ in change_points(noisy([1.0] * 12 + [1.06] * 8))] == [12]


def test_two_steps_are_found():
    assert [at for at, _ in change_points(noisy([1.0] * 12 + [1.1] * 12 + [0.9] * 12))] == [12, 24]


def test_noise_alone_is_no_change():
    found = sum(bool(change_points(noisy([1.0] * 20, seed=seed))) for seed in range(200))
    assert found <= 200 * 0.01 + 4 * sqrt(200 * 0.01)  # four standard deviations over the nominal rate


def test_one_bad_night_is_no_change():
    assert change_points(noisy([1.0] * 10 + [1.5] + [1.0] * 10)) == []


def test_a_significant_nothing_is_no_change():
    assert change_points(noisy([1.0] * 20 + [1.005] * 20, spread=0.0005)) == []


def test_a_series_of_equal_values_has_no_change():
    assert change_points([2.0] * 30) == []


@pytest.mark.parametrize("count", range(6))
def test_a_series_that_is_too_short_has_no_change(count):
    assert change_points([1.0, 2.0, 3.0, 4.0, 5.0][:count]) == []


def test_the_shortest_series_in_which_a_clean_split_can_be_found_is_what_is_told():
    half = FEWEST_RUNS // 2
    assert [at for at, _ in change_points([1.0] * half + [2.0] * half)] == [half]


def test_a_shorter_series_cannot_be_split_in_the_middle():
    half = FEWEST_RUNS // 2 - 1
    assert change_points([1.0] * half + [2.0] * half) == []


def test_the_same_series_gives_the_same_answer():
    values = noisy([1.0] * 10 + [1.02] * 10)
    assert change_points(values) == change_points(values)


def test_the_ratio_of_levels_counts_not_their_difference():
    small = noisy([1.0] * 12 + [1.06] * 8)
    assert change_points([1e-6 * value for value in small]) == change_points(small)


def test_runs_are_ordered_by_when_they_began(tmp_path):
    sides = make_sides(tmp_path, [1.0, 2.0, 3.0])
    (series,) = trends(sides[::-1])
    assert [point.latency_s for point in series.points] == [1.0, 2.0, 3.0]


def test_a_change_has_the_ratio_of_its_levels(tmp_path):
    (series,) = trends(make_sides(tmp_path, [1.0] * 6 + [1.5] * 6))
    assert [(change.at, round(change.ratio, 6)) for change in series.changes] == [(6, 1.5)]


def test_a_change_tells_the_version_that_changed_with_it(tmp_path):
    sides = make_sides(tmp_path, [1.0] * 6 + [1.5] * 6)
    for side in sides[6:]:
        side.rows["sd/baseline"]["torch"] = "2.10.0"
    (series,) = trends(sides)
    assert series.changes[0].environment == ("torch: 2.9.0 -> 2.10.0",)


def test_a_run_with_other_settings_is_left_out_and_named(tmp_path):
    sides = [make_side(tmp_path, 0, 9.0, steps=20), make_side(tmp_path, 1, 1.0, steps=50)]
    (series,) = trends(sides)
    assert ([point.run for point in series.points], series.left_out) == (["night-01"], ("night-00",))


def test_a_run_on_another_device_is_left_out_and_named(tmp_path):
    sides = make_sides(tmp_path, [1.0, 1.0])
    sides[0].rows["sd/baseline"]["device_name"] = "NVIDIA H200"
    (series,) = trends(sides)
    assert series.left_out == ("night-00",)


def test_a_run_that_could_not_measure_a_case_has_no_point(tmp_path):
    broken = make_folder(tmp_path / "broken", [case()], [ended("baseline", "oom", started_at="2026-01-09T03:00:00")])
    (series,) = trends([*make_sides(tmp_path, [1.0, 1.0]), of_run(open_run(broken))])
    assert [point.run for point in series.points] == ["night-00", "night-01"]


def test_runs_without_a_measured_case_have_no_trend(tmp_path):
    broken = make_folder(tmp_path / "broken", [case()], [ended("baseline", "oom")])
    assert trends([of_run(open_run(broken))]) == []
