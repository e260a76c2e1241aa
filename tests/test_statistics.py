"""Medians, ratios and their intervals, compared with scipy."""

import random
from itertools import combinations
from statistics import StatisticsError

import numpy as np
import pytest
from scipy import stats
from scipy.stats import quantile_test

from bench.analyze.comparison import BLOCKS, EXTENDED, SECOND_LOOK
from bench.statistics import (
    MIN_SAMPLES_FOR_INTERVAL,
    Interval,
    independent_interval,
    median,
    median_interval,
    paired_ratio,
    rank_autocorrelation,
    ratio_interval,
)


def latencies(n, seed=0):
    """Return `n` latencies as they are measured: skewed to the right, in random order."""
    generator = random.Random(seed)  # noqa: S311 - no secret
    return [generator.lognormvariate(0, 0.1) for _ in range(n)]


def by_scipy(values):
    """Return scipy's interval of the median."""
    interval = quantile_test(values, p=0.5).confidence_interval(confidence_level=0.95)
    return Interval(low=interval.low, high=interval.high)


@pytest.mark.parametrize("n", range(6, 61))
def test_the_interval_of_independent_samples_equals_scipys(n):
    values = latencies(n)
    assert independent_interval(values) == by_scipy(values)


def test_the_interval_of_thousands_of_samples_equals_scipys():
    values = latencies(5000)
    assert independent_interval(values) == by_scipy(values)


@pytest.mark.parametrize("n", range(20, 61))
def test_samples_that_alternate_have_the_interval_of_independent_ones(n):
    values = sorted(latencies(n))
    alternating = [value for pair in zip(values[: n // 2], values[-(n // 2) :], strict=True) for value in pair]
    assert median_interval(alternating) == by_scipy(alternating)


@pytest.mark.parametrize("n", range(MIN_SAMPLES_FOR_INTERVAL))
def test_too_few_samples_have_no_interval(n):
    assert independent_interval(latencies(n)) is None
    assert median_interval(latencies(n)) is None


def test_the_interval_of_six_independent_samples_is_their_minimum_and_maximum():
    assert independent_interval([3.0, 1.0, 2.0, 6.0, 5.0, 4.0]) == Interval(1.0, 6.0)


def test_the_interval_of_ten_independent_samples_is_the_second_and_the_ninth():
    """The ranks of Conover, Practical Nonparametric Statistics, 3rd ed., for n = 10."""
    assert independent_interval([float(value) for value in range(10)]) == Interval(1.0, 8.0)


def test_neighbors_that_are_alike_widen_the_interval():
    values = latencies(48)
    grouped = [value for start in range(0, 48, 8) for value in sorted(values[start : start + 8])]
    one, two = median_interval(values), median_interval(grouped)
    assert two.low < one.low
    assert two.high > one.high


def test_the_extremes_of_six_samples_are_stretched():
    """Six samples cannot rule out a correlation of 0.9, with which 13.28 samples are worth one."""
    interval = median_interval([2.0, 5.0, 3.0, 1.0, 6.0, 4.0])
    stretch = (6 / (6 / 13.28)) ** 0.5
    assert [interval.low, interval.high] == pytest.approx(
        [3.5 * (1 / 3.5) ** stretch, 3.5 * (6 / 3.5) ** stretch], rel=1e-2
    )


def test_no_interval_reaches_zero_seconds():
    assert median_interval([0.2, 5.0, 3.0, 0.1, 6.0, 4.0]).low > 0


def test_samples_that_wander_have_no_interval():
    assert median_interval(sorted(latencies(50))) is None


def test_the_rank_correlation_of_neighbors_is_that_of_the_ranks():
    """Ranks 1, 2, 3, 4 are -1.5 to 1.5 off their mean: (0.75 - 0.25 + 0.75) / 5."""
    assert rank_autocorrelation([1.0, 10.0, 11.0, 99.0]) == pytest.approx(0.25)


def test_equal_samples_do_not_correlate():
    assert rank_autocorrelation([2.0] * 6) == 0.0


def test_the_interval_of_equal_samples_has_no_width():
    assert median_interval([2.0] * 10) == Interval(2.0, 2.0)


def test_the_samples_are_not_sorted_in_place():
    values = [3.0, 1.0, 2.0, 6.0, 5.0, 4.0]
    median_interval(values)
    assert values == [3.0, 1.0, 2.0, 6.0, 5.0, 4.0]


def test_an_interval_covers_the_median_as_often_as_it_claims():
    intervals = [independent_interval(latencies(10, seed)) for seed in range(400)]
    covered = sum(interval.low <= 1.0 <= interval.high for interval in intervals)  # the true median is 1
    assert covered / len(intervals) >= 0.95


@pytest.mark.parametrize(
    ("values", "expected"), [([3.0], 3.0), ([3.0, 1.0], 2.0), ([9.0, 1.0, 2.0], 2.0), ([1, 2, 3, 40], 2.5)]
)
def test_the_median_is_the_middle_value_or_the_mean_of_the_two_middle_values(values, expected):
    assert median(values) == expected


def test_the_median_of_integers_is_a_float():
    assert isinstance(median([1, 2, 3]), float)


def test_the_median_of_no_values_is_refused():
    with pytest.raises(StatisticsError):
        median([])


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.9, 1.1, 0.1), (0.9, 1.3, 0.3), (0.6, 1.1, 0.4), (1.0, 1.0, 0.0)]
)
def test_the_relative_half_width_is_the_distance_to_the_farther_end(low, high, expected):
    assert Interval(low, high).relative_half_width(1.0) == pytest.approx(expected)


def test_the_relative_half_width_is_a_share_of_the_center():
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
def test_intervals_overlap_if_they_share_a_point(other, expected):
    interval = Interval(1.0, 2.0)
    assert interval.overlaps(other) is expected
    assert other.overlaps(interval) is expected


STEADY, NOISY, WIDE = [1.0, 1.01, 0.99], [2.0, 2.1, 1.9, 2.02, 1.97], [0.5, 3.0, 9.0, 0.1]


@pytest.mark.parametrize("new", [STEADY, NOISY, WIDE])
@pytest.mark.parametrize("base", [STEADY, NOISY, WIDE])
def test_the_interval_of_a_ratio_is_welchs_on_the_logarithms(new, base):
    welch = stats.ttest_ind(np.log(new), np.log(base), equal_var=False).confidence_interval(0.95)
    ratio, interval = ratio_interval(new, base)
    assert ratio == pytest.approx(stats.gmean(new) / stats.gmean(base))
    assert [interval.low, interval.high] == pytest.approx(np.exp([welch.low, welch.high]))


def test_inverting_a_ratio_inverts_its_interval():
    ratio, interval = ratio_interval(NOISY, STEADY)
    inverse, other = ratio_interval(STEADY, NOISY)
    assert [inverse, other.low, other.high] == pytest.approx([1 / ratio, 1 / interval.high, 1 / interval.low])


@pytest.mark.parametrize(("new", "base"), [([1.0] * 2, [1.0] * 9), ([1.0] * 9, [1.0] * 2), ([1.0], [1.0])])
def test_a_ratio_of_fewer_than_three_processes_per_side_has_no_interval(new, base):
    assert ratio_interval(new, base) == (1.0, None)


def test_the_interval_of_processes_without_spread_has_no_width():
    assert ratio_interval([2.0] * 3, [1.0] * 3) == (2.0, Interval(2.0, 2.0))


@pytest.mark.parametrize(("new", "base"), [([], [1.0]), ([1.0], []), ([0.0] * 3, [1.0] * 3), ([1.0] * 3, [-1.0] * 3)])
def test_a_ratio_of_nothing_or_of_zero_seconds_is_refused(new, base):
    with pytest.raises(ValueError, match=r"at least one process|expected|math domain"):
        ratio_interval(new, base)


@pytest.mark.parametrize("ratios", [[1.0, 1.2, 1.1, 0.9, 1.05, 1.3], [2.0, 0.5, 1.0, 1.5, 3.0, 0.7, 1.1, 0.8, 1.2]])
def test_the_estimate_of_paired_ratios_is_the_median_of_their_walsh_averages(ratios):
    logarithms = np.log(ratios)
    first, second = np.triu_indices(len(ratios))
    expected = np.exp(np.median((logarithms[first] + logarithms[second]) / 2))
    assert paired_ratio(ratios)[0] == pytest.approx(expected)


def test_the_interval_of_six_paired_ratios_is_their_smallest_and_largest():
    """P(all six on one side) = 2 / 2**6 = 3.1 %, and P(rank sum <= 1) = 2 * 2 / 2**6 is above 5 %."""
    low, high = 0.9, 1.3
    assert paired_ratio([1.0, 1.2, 1.1, low, 1.05, high])[1] == Interval(pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize("n", [7, 10, 12, 14])
@pytest.mark.parametrize("confidence", [0.95, 0.975])
def test_the_interval_of_paired_ratios_has_what_wilcoxons_test_does_not_reject(n, confidence):
    """A ratio inside is not rejected by scipy's exact test, and one outside is."""
    ratios = latencies(n)
    interval = paired_ratio(ratios, confidence)[1]
    for end, outward in ((interval.low, 1 - 1e-9), (interval.high, 1 + 1e-9)):
        assert wilcoxon(ratios, end * outward) < 1 - confidence <= wilcoxon(ratios, end / outward)


def wilcoxon(ratios, ratio):
    """Return the p-value of scipy's exact signed-rank test of a ratio."""
    return stats.wilcoxon(np.log(ratios) - np.log(ratio), method="exact").pvalue


@pytest.mark.parametrize("n", range(1, 6))
def test_fewer_than_six_paired_ratios_have_no_interval(n):
    assert paired_ratio(latencies(n))[1] is None


def test_one_wild_ratio_does_not_move_an_interval_of_twelve():
    """It is in 12 of the Walsh averages; the 14th is one of the others. A t-interval would reach beyond 1.2."""
    steady = [1.0 + 0.001 * at for at in range(11)]
    assert paired_ratio([*steady, 2.0])[1].high < steady[-1]


@pytest.mark.parametrize("ratios", [[], [0.0] * 6, [1.0, -1.0]])
def test_paired_ratios_of_nothing_or_of_zero_seconds_are_refused(ratios):
    with pytest.raises(ValueError, match=r"at least one ratio|expected|math domain"):
        paired_ratio(ratios)


def test_the_interval_of_the_second_look_ends_at_the_eighteenth_walsh_average():
    ratios = latencies(EXTENDED)
    first, second = np.triu_indices(EXTENDED)
    walsh = np.sort((np.log(ratios)[first] + np.log(ratios)[second]) / 2)
    assert paired_ratio(ratios, SECOND_LOOK)[1].low == pytest.approx(np.exp(walsh[17]))


def test_a_gate_errs_at_the_threshold_as_often_as_one_look_would():
    """Exact. The first look errs if all six ratios are on one side, the second if the other side's rank sum is < 18."""
    second_look = small_sums(range(1, EXTENDED + 1))
    both = np.mean([small_sums(ranks) for ranks in combinations(range(1, EXTENDED + 1), EXTENDED - BLOCKS)]) / 2**BLOCKS
    assert 1 / 2**BLOCKS + second_look - both == pytest.approx(0.025, abs=0.0003)


def small_sums(ranks):
    """Return the share of the subsets of some ranks whose sum is below 18."""
    ways = np.zeros(18)
    ways[0] = 1
    for rank in ranks:
        ways[rank:] += ways[: 18 - rank].copy()
    return ways.sum() / 2 ** len(ranks)


def test_versions_that_are_equal_are_seldom_told_apart_by_three_processes():
    """Welch's false alarms at a nominal 5 %, three processes per side: 3.6 % by independent simulation."""
    logarithms = np.random.default_rng(0).normal(0, 0.005, (4000, 2, 3))
    intervals = [ratio_interval(*np.exp(sides).tolist())[1] for sides in logarithms]
    assert np.mean([not interval.low <= 1 <= interval.high for interval in intervals]) == pytest.approx(0.036, abs=0.01)
