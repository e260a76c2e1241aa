"""Medians, ratios and their confidence intervals, for sampling (are there enough?) and analysis (what do they say?).

Latencies are skewed to the right, so the center is the median, and its interval comes from order statistics, which
assume nothing about the distribution. Consecutive calls resemble each other, because clocks and caches change slowly,
so they are counted as fewer independent ones. No interval is returned that the data cannot support: with fewer than
six samples, or samples that wander, a median has no 95 % interval.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, combinations_with_replacement, pairwise
from math import asin, exp, log, pi, sqrt
from statistics import fmean, stdev
from statistics import median as _median

MIN_SAMPLES_FOR_INTERVAL = 6
"""With five, even (minimum, maximum) covers the median less than 95 % of the time (1 - 2 / 2**5 = 93.75 %)."""

WANDERING = 0.8
"""Rank correlation of neighbors beyond which even fifty samples are worth only about four independent ones."""

STRONGEST = 0.9
"""Correlation that an interval allows for; ten samples can hardly rule out any, so theirs is as wide as this asks."""

MIN_BLOCKS = 4
"""Two forward and two backward passes: with fewer, the t-interval is too wide to decide anything."""

PROCESS_SPREAD = 0.024
"""Standard deviation of one case's medians between processes that each have a core of their own, as a share. Where only
one process was measured, its spread is not known, and twice this stands for the 95 % interval of its median."""

MIN_PROCESSES = 3
"""Per side, for runs that were not interleaved. When one version is compared with itself, Welch's 95 % interval does
not hold a ratio of 1 in 3.6 % of comparisons with three processes per side, and in 4.1 % with four (simulated, 0.5 %
between processes). The samples of one process say nothing about the next one, however many there are."""


@dataclass(frozen=True)
class Interval:
    """A two-sided confidence interval, in the unit of its data."""

    low: float
    high: float

    def relative_half_width(self, center: float) -> float:
        """Return the distance from `center` to the farther end, as a share of `center`."""
        return max(self.high - center, center - self.low) / center

    def overlaps(self, other: "Interval") -> bool:
        return self.low <= other.high and other.low <= self.high


def median(values: Sequence[float]) -> float:
    """Return the median; raise `statistics.StatisticsError` if there are no values."""
    return float(_median(values))


def median_interval(values: Sequence[float]) -> Interval | None:
    """Return the 95 % interval of the median of samples *in the order in which they were taken*, or None.

    The n samples are counted as the number of independent ones that they are worth, given how alike neighbors are.
    None stands for fewer than six samples, or for neighbors that correlate by more than `WANDERING`. The table that
    `tools/validate_intervals.py` prints says how often the interval holds the median.
    """
    n = len(values)
    if n < MIN_SAMPLES_FOR_INTERVAL or (correlation := rank_autocorrelation(values)) > WANDERING:
        return None
    return _interval(values, n / _inflation(_upper_limit(correlation, n)))


def independent_interval(values: Sequence[float]) -> Interval | None:
    """Return the 95 % interval of the median of independent samples; None with fewer than six.

    `scipy.stats.quantile_test` gives the same interval, but every worker would have to import it.
    """
    return None if len(values) < MIN_SAMPLES_FOR_INTERVAL else _interval(values, len(values))


def _interval(values: Sequence[float], worth: float) -> Interval:
    """Return the order-statistic interval of a median whose samples are worth that many independent ones.

    The ends of n independent samples are the innermost pair x(k), x(n+1-k) with P(Binomial(n, 1/2) < k) <= 0.025
    (Conover, Practical Nonparametric Statistics, 3rd ed., section 3.2), and of correlated ones the pair at the same
    share of their ranks. Even the extremes of fewer than six are not wide enough; their ratios to the median are
    stretched, on the logarithmic scale, by the root of what is missing.
    """
    n, counted = len(values), max(int(worth), MIN_SAMPLES_FOR_INTERVAL)
    rank = int(n * (_rank(counted, 0.025) - 0.5) / counted + 0.5)
    ordered, center = sorted(values), median(values)
    low, high = ordered[rank - 1], ordered[n - rank]
    if worth >= MIN_SAMPLES_FOR_INTERVAL:
        return Interval(low, high)
    stretch = sqrt(MIN_SAMPLES_FOR_INTERVAL / worth)
    return Interval(center * (low / center) ** stretch, center * (high / center) ** stretch)


def rank_autocorrelation(values: Sequence[float]) -> float:
    """Return the correlation of neighboring samples' ranks; 0 if all are equal."""
    ordered = sorted(values)
    doubled = [bisect_left(ordered, value) + bisect_right(ordered, value) - len(values) for value in values]
    spread = sum(rank * rank for rank in doubled)
    return sum(one * two for one, two in pairwise(doubled)) / spread if spread else 0.0


def _upper_limit(correlation: float, n: int) -> float:
    """Return the one-sided 95 % limit of the true correlation, between 0 and `STRONGEST`.

    The estimate is too low by (1 + 4 * correlation) / n (Marriott and Pope 1954, Biometrika 41, 390-402).
    """
    unbiased = min((n * correlation + 1) / (n - 4), STRONGEST)
    error = sqrt((1 - max(unbiased, 0.0) ** 2) / n) * n / (n - 4)
    return min(max(unbiased + 1.64 * error, 0.0), STRONGEST)


def _inflation(correlation: float) -> float:
    """Return how many autocorrelated samples are worth one independent sample, for their median.

    A median counts the samples above it, and the signs of a Gaussian process correlate by 2 / pi * asin(correlation).
    """
    return 1 + 4 / pi * sum(asin(correlation**lag) for lag in range(1, 100))


def geometric_mean_interval(ratios: Sequence[float], confidence: float = 0.95) -> tuple[float, Interval | None]:
    """Return the geometric mean of ratios and its t-interval, computed on logarithms; None below `MIN_BLOCKS` ratios.

    For paired blocks: each ratio is the baseline's median over the case's median in the same pass.

    Raises:
        ValueError: there are no ratios, or one is not above zero.
    """
    if not ratios:
        raise ValueError("a mean needs at least one ratio")
    logarithms = [log(ratio) for ratio in ratios]
    center = fmean(logarithms)
    if len(ratios) < MIN_BLOCKS:
        return exp(center), None
    width = _t_quantile((1 + confidence) / 2, len(ratios) - 1) * stdev(logarithms) / sqrt(len(ratios))
    return exp(center), Interval(exp(center - width), exp(center + width))


def paired_ratio(ratios: Sequence[float], confidence: float = 0.95) -> tuple[float, Interval | None]:
    """Return the Hodges-Lehmann estimate of paired ratios and its exact interval; None if the ratios are too few.

    Computed on logarithms: the median of their Walsh averages (the means of all pairs, each value with itself
    included), and the Walsh averages that Wilcoxon's signed-rank test does not reject (Hollander and Wolfe,
    Nonparametric Statistical Methods, section 3.4). It assumes symmetry alone, and one wild ratio cannot widen it
    without bound as it does a t-interval. Below six ratios there is no 95 % interval.

    Raises:
        ValueError: there are no ratios, or one is not above zero.
    """
    if not ratios:
        raise ValueError("an estimate needs at least one ratio")
    logarithms = [log(ratio) for ratio in ratios]
    walsh = sorted((one + other) / 2 for one, other in combinations_with_replacement(logarithms, 2))
    rank = _signed_rank(len(ratios), (1 - confidence) / 2)
    return exp(median(walsh)), Interval(exp(walsh[rank - 1]), exp(walsh[-rank])) if rank else None


def ratio_interval(
    new: Sequence[float], base: Sequence[float], confidence: float = 0.95
) -> tuple[float, Interval | None]:
    """Return the ratio of two geometric means and Welch's t-interval on logarithms; None below `MIN_PROCESSES`.

    For the medians of two sets of processes that were not paired. The degrees of freedom are Satterthwaite's (Welch
    1947, Biometrika 34, 28-35), so the two sides may differ in spread.

    Raises:
        ValueError: a side is empty, or a value is not above zero.
    """
    if not new or not base:
        raise ValueError("a ratio needs at least one process on each side")
    sides = [[log(value) for value in values] for values in (new, base)]
    center = fmean(sides[0]) - fmean(sides[1])
    if min(map(len, sides)) < MIN_PROCESSES:
        return exp(center), None
    shares = [stdev(side) ** 2 / len(side) for side in sides]  # each side's part of the variance
    if sum(shares) == 0:
        return exp(center), Interval(exp(center), exp(center))
    freedom = sum(shares) ** 2 / sum(share**2 / (len(side) - 1) for share, side in zip(shares, sides, strict=True))
    width = _t_quantile((1 + confidence) / 2, freedom) * sqrt(sum(shares))
    return exp(center), Interval(exp(center - width), exp(center + width))


def _t_quantile(probability: float, freedom: float) -> float:
    """Return a quantile of Student's t; `scipy.special` takes half as long to import as `scipy.stats`."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))


def _signed_rank(n: int, tail: float) -> int:
    """Return the largest k with P(W <= k - 1) <= tail for Wilcoxon's signed-rank W of n values; 0 if there is none."""
    ways = [1]  # ways[w]: subsets of the ranks so far with sum w
    for rank in range(1, n + 1):
        longer = ways + [0] * rank
        ways = [count + (longer[total - rank] if total >= rank else 0) for total, count in enumerate(longer)]
    allowed = Fraction(tail) * 2**n
    return sum(cumulative <= allowed for cumulative in accumulate(ways))


def _rank(n: int, tail: float) -> int:
    """Return the largest k with P(Binomial(n, 1/2) <= k - 1) <= tail, in exact integers; 0 if there is none."""
    allowed, cumulative, ways = Fraction(tail) * 2**n, 0, 1  # ways: n choose rank
    for rank in range(n):
        cumulative += ways
        if cumulative > allowed:
            return rank
        ways = ways * (n - rank) // (rank + 1)
    return 0
