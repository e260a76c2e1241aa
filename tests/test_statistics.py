"""Medians and their order-statistic intervals, held against scipy."""

import random
from statistics import StatisticsError

import numpy as np
import pytest
from scipy import stats
from scipy.stats import quantile_test

from bench.statistics import MIN_SAMPLES_FOR_INTERVAL, Interval, median, median_interval, ratio_interval


def latencies(n, seed=0):
    """Return `n` latencies as they are measured: skewed to the right, in no order."""
    generator = random.Random(seed)  # noqa: S311 - no secret
    return [generator.lognormvariate(0, 0.1) for _ in range(n)]


def by_scipy(values, confidence=0.95):
    """Return scipy's interval of the median."""
    interval = quantile_test(values, p=0.5).confidence_interval(confidence_level=confidence)
    return Interval(low=interval.low, high=interval.high)


@pytest.mark.parametrize("n", range(6, 61))
def test_the_interval_of_the_median_is_that_of_scipy(n):
    values = latencies(n)
    assert by_scipy(values) == median_interval(values)


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.9, 0.99, 0.999])
@pytest.mark.parametrize("n", [11, 30, 50])
def test_the_interval_at_another_confidence_is_that_of_scipy(n, confidence):
    values = latencies(n)
    assert by_scipy(values, confidence) == median_interval(values, confidence)


def test_the_interval_of_thousands_of_samples_is_that_of_scipy():
    values = latencies(5000)
    assert by_scipy(values) == median_interval(values)


@pytest.mark.parametrize("n", range(MIN_SAMPLES_FOR_INTERVAL))
def test_too_few_samples_have_no_interval(n):
    assert median_interval(latencies(n)) is None


def test_six_samples_have_their_ends_for_an_interval():
    assert median_interval([3.0, 1.0, 2.0, 6.0, 5.0, 4.0]) == Interval(1.0, 6.0)


def test_ten_samples_have_their_second_and_ninth_for_an_interval():
    """The ranks of Conover, Practical Nonparametric Statistics, 3rd ed., for n = 10."""
    assert median_interval([float(value) for value in range(10)]) == Interval(1.0, 8.0)


def test_a_wider_confidence_needs_more_samples():
    assert median_interval(latencies(7), confidence=0.99) is None


def test_equal_samples_have_an_interval_without_width():
    assert median_interval([2.0] * 10) == Interval(2.0, 2.0)


def test_the_samples_stay_in_their_order():
    values = [3.0, 1.0, 2.0, 6.0, 5.0, 4.0]
    median_interval(values)
    assert values == [3.0, 1.0, 2.0, 6.0, 5.0, 4.0]


def test_an_interval_covers_the_median_as_often_as_it_promises():
    intervals = [median_interval(latencies(10, seed)) for seed in range(400)]
    covered = sum(interval.low <= 1.0 <= interval.high for interval in intervals)  # the median of these is 1
    assert covered / len(intervals) >= 0.95


@pytest.mark.parametrize(
    ("values", "expected"), [([3.0], 3.0), ([3.0, 1.0], 2.0), ([9.0, 1.0, 2.0], 2.0), ([1, 2, 3, 40], 2.5)]
)
def test_the_median_is_the_middle_or_between_the_two_middles(values, expected):
    assert expected == median(values)


def test_the_median_is_a_float_also_of_integers():
    assert isinstance(median([1, 2, 3]), float)


def test_no_values_have_no_median():
    with pytest.raises(StatisticsError):
        median([])


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.9, 1.1, 0.1), (0.9, 1.3, 0.3), (0.6, 1.1, 0.4), (1.0, 1.0, 0.0)]
)
def test_the_relative_half_width_is_the_larger_distance_to_an_end(low, high, expected):
    assert Interval(low, high).relative_half_width(1.0) == pytest.approx(expected)


def test_the_relative_half_width_is_a_share_of_the_centre():
    assert Interval(1.5, 2.5).relative_half_width(2.0) == 0.25


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (Interval(3.0, 4.0), False),
        (Interval(2.0, 4.0), True),
        (Interval(1.5, 1.6), True),
        (Interval(0.0, 9.0), True),
        (Interval(0.0, 1.0), True),
        (Interval(0.0, 0.9), False),
    ],
)
def test_intervals_overlap_where_they_have_a_point_in_common(other, expected):
    interval = Interval(1.0, 2.0)
    assert (expected, expected) == (interval.overlaps(other), other.overlaps(interval))


STEADY, NOISY, WIDE = [1.0, 1.01, 0.99], [2.0, 2.1, 1.9, 2.02, 1.97], [0.5, 3.0, 9.0, 0.1]


@pytest.mark.parametrize("new", [STEADY, NOISY, WIDE])
@pytest.mark.parametrize("base", [STEADY, NOISY, WIDE])
def test_the_interval_of_a_ratio_is_welchs_on_the_logarithms(new, base):
    welch = stats.ttest_ind(np.log(new), np.log(base), equal_var=False).confidence_interval(0.95)
    ratio, interval = ratio_interval([*new], [*base])
    expected = stats.gmean(new) / stats.gmean(base), *np.exp([welch.low, welch.high])
    assert expected == pytest.approx((ratio, interval.low, interval.high))


def test_turning_a_ratio_about_turns_its_interval_about():
    ratio, interval = ratio_interval(NOISY, STEADY)
    turned, other = ratio_interval(STEADY, NOISY)
    assert (1 / ratio, 1 / interval.high, 1 / interval.low) == pytest.approx((turned, other.low, other.high))


@pytest.mark.parametrize(("new", "base"), [([1.0] * 2, [1.0] * 9), ([1.0] * 9, [1.0] * 2), ([1.0], [1.0])])
def test_a_ratio_of_fewer_than_three_processes_a_side_has_no_interval(new, base):
    assert ratio_interval(new, base) == (1.0, None)


def test_processes_without_spread_have_an_interval_of_no_width():
    assert ratio_interval([2.0] * 3, [1.0] * 3) == (2.0, Interval(2.0, 2.0))


@pytest.mark.parametrize(("new", "base"), [([], [1.0]), ([1.0], []), ([0.0] * 3, [1.0] * 3), ([1.0] * 3, [-1.0] * 3)])
def test_a_ratio_of_nothing_or_of_no_seconds_is_refused(new, base):
    with pytest.raises(ValueError, match=r"no process|expected|math domain"):
        ratio_interval(new, base)
