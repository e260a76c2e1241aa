"""Medians and their intervals: the ground that sampling (is it enough?) and analysis (what does it say?) share.

Latencies are skewed to the right, so the center is the median and its interval is taken from order statistics, which
assume nothing of the distribution. Nothing is returned that the number of samples cannot support: a 95 % interval of a
median does not exist below six samples.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import exp, log, sqrt
from statistics import fmean, stdev
from statistics import median as _median

MIN_SAMPLES_FOR_INTERVAL = 6
"""Below six, even (minimum, maximum) covers the median with less than 95 % (1 - 2 / 2**5 = 93.75 %)."""

MIN_BLOCKS = 4
"""Two pairs of rounds, forwards and backwards: with fewer the t-interval is wider than anything that is asked of it."""

MIN_PROCESSES = 3
"""A side, of runs that were not interleaved: with one process a side 42 % of comparisons of a thing with itself come
out as different at a nominal 5 %, with three 3 % (simulated; 0.4 % noise within and 0.5 % between processes)."""


@dataclass(frozen=True)
class Interval:
    """A two-sided confidence interval, in the unit of what it was computed from."""

    low: float
    high: float

    def relative_half_width(self, center: float) -> float:
        """Return the larger distance from `center` to an end, as a share of `center`."""
        return max(self.high - center, center - self.low) / center

    def overlaps(self, other: "Interval") -> bool:
        """Say whether the two intervals have a point in common."""
        return self.low <= other.high and other.low <= self.high


def median(values: Sequence[float]) -> float:
    """Return the median; raise `statistics.StatisticsError` for no values."""
    return float(_median(values))


def median_interval(values: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """Return the order-statistic interval of the median, or None where `values` are too few for one.

    The ends are the innermost pair of order statistics x(k), x(n+1-k) with P(Binomial(n, 1/2) < k) <= alpha/2
    (Conover, Practical Nonparametric Statistics, 3rd ed., section 3.2; the same as
    `scipy.stats.quantile_test(...).confidence_interval()`, which would cost its import in every worker).
    """
    n = len(values)
    rank = _rank(n, (1 - confidence) / 2)
    if rank == 0:
        return None
    ordered = sorted(values)
    return Interval(low=ordered[rank - 1], high=ordered[n - rank])


def geometric_mean_interval(ratios: Sequence[float], confidence: float = 0.95) -> tuple[float, Interval | None]:
    """Return the geometric mean of ratios, and its t-interval on the logarithms; None under `MIN_BLOCKS` of them.

    For ratios of paired blocks: each one a baseline's process median over the case's of the same round.

    Raises:
        ValueError: there is no ratio, or one is not above zero.
    """
    if not ratios:
        raise ValueError("no ratio, no mean")
    logarithms = [log(ratio) for ratio in ratios]
    center = fmean(logarithms)
    if len(ratios) < MIN_BLOCKS:
        return exp(center), None
    width = _t_quantile((1 + confidence) / 2, len(ratios) - 1) * stdev(logarithms) / sqrt(len(ratios))
    return exp(center), Interval(exp(center - width), exp(center + width))


def ratio_interval(
    new: Sequence[float], base: Sequence[float], confidence: float = 0.95
) -> tuple[float, Interval | None]:
    """Return the ratio of two geometric means, and Welch's t-interval on the logarithms; None under `MIN_PROCESSES`.

    For the medians of two sets of processes that were not measured in pairs. The degrees of freedom are Satterthwaite's
    (Welch 1947, Biometrika 34, 28-35), which allows the sides a spread of their own.

    Raises:
        ValueError: a side is empty, or a value is not above zero.
    """
    if not new or not base:
        raise ValueError("no process, no ratio")
    sides = [[log(value) for value in values] for values in (new, base)]
    center = fmean(sides[0]) - fmean(sides[1])
    if min(map(len, sides)) < MIN_PROCESSES:
        return exp(center), None
    shares = [stdev(side) ** 2 / len(side) for side in sides]  # of the variance of the difference
    if sum(shares) == 0:
        return exp(center), Interval(exp(center), exp(center))
    freedom = sum(shares) ** 2 / sum(share**2 / (len(side) - 1) for share, side in zip(shares, sides, strict=True))
    width = _t_quantile((1 + confidence) / 2, freedom) * sqrt(sum(shares))
    return exp(center), Interval(exp(center - width), exp(center + width))


def _t_quantile(probability: float, freedom: float) -> float:
    """Return a quantile of Student's t; importing `scipy.special` takes half the time of `scipy.stats`."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))


def _rank(n: int, tail: float) -> int:
    """Return the largest k with P(Binomial(n, 1/2) <= k - 1) <= tail, in exact integers; 0 where there is none."""
    allowed, cumulated, ways = Fraction(tail) * 2**n, 0, 1  # ways: n choose rank
    for rank in range(n):
        cumulated += ways
        if cumulated > allowed:
            return rank
        ways = ways * (n - rank) // (rank + 1)
    return 0
