"""A case over many runs, and where its latency changed for good.

A change point is where a series splits best in two, if chance does not split it as well: the largest difference of the
means on both sides of a split (CUSUM), compared with the same figure of the shuffled series (a permutation test, as in
Matteson and James 2014, JASA 109:505, with means in place of energy). Both halves are then split again.

Shuffling single runs assumes that they could be in any order. Nights are not like that: a warm week makes its nights
alike, and wanders like steps. So where neighbors are correlated, blocks of runs are shuffled, longer than the
correlation lasts, unless the step is so large beside the spread around it that it cannot have been wandering. A change
must also be large enough to matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log
from typing import Any, NamedTuple

from bench.analyze.comparison import SETTINGS, Difference, differences, version_differences
from bench.analyze.side import Side
from bench.records.case_result import CaseResult, Versions

SIGNIFICANCE = 0.01
SHUFFLES = 1999
SHORTEST = 3
"""Runs on either side of a change: one or two may be a bad night."""
_NO_NOISE = 1e-16
"""Sum of squared logarithms: what rounding leaves of equal values."""
SMALLEST = 0.02
"""Machines drift by 2 % over weeks, so a smaller change is not called one."""
SHORTEST_BLOCK, BLOCK_FACTOR, MOST_CORRELATED = 4, 2.0, 0.95
"""Blocks of twice the usual length, and at least four runs, because a short series shows too little of its correlation.
With these, a level series with a correlation of 0.6 has a false change in at most 5 % (`make validate-trend`)."""
CLEAR, CLEAR_OF_OTHERS = 4.5, 7.0
"""Standard deviations around the two levels, and around up to four where both sides may have a change of their own.
Blocks would hide every second true change among 20 runs, and correlated noise hardly ever makes a step that large."""
FEWEST_RUNS = 10
"""The smallest series in which a clean split in the middle can be significant (2 of 252 ways to choose five of ten)."""


@dataclass(frozen=True)
class Point:
    """One run of a case."""

    run: str
    started_at: str  # UTC, ISO 8601
    latency_s: float
    versions: Versions


class ChangePoint(NamedTuple):
    """Where the level of a series changes."""

    at: int  # the first value of the new level
    probability: float  # that chance splits the series as well
    autocorrelation: float  # of neighbors on either side of the change, corrected for its bias; 0 without noise


@dataclass(frozen=True)
class Change:
    """A latency that changed for good."""

    at: int  # the first point of the new level
    ratio: float  # of the geometric means of the levels
    probability: float  # that chance splits the series as well
    autocorrelation: float  # of neighbors on either side; the more, the less certain any change is
    environment: tuple[Difference, ...]  # what else changed at this point


@dataclass(frozen=True)
class Series:
    """A case over the runs that measured the same thing, oldest first."""

    key: str
    points: tuple[Point, ...]
    changes: tuple[Change, ...]
    left_out: tuple[str, ...]  # runs that measured it on another device or with other settings than the newest
    tiny: bool = False


def trends(sides: Sequence[Side]) -> list[Series]:
    """Return every measured case of some runs as a series, in the order in which the newest run has them."""
    newest_first = sorted(sides, key=_began, reverse=True)
    keys = dict.fromkeys(key for side in newest_first for key, result in side.results.items() if result.measured)
    return [_series(key, newest_first[::-1]) for key in keys]


def change_points(values: Sequence[float]) -> list[ChangePoint]:
    """Return where the level of a series changes.

    The same series gives the same answer: the shuffles are drawn from a fixed seed.

    Args:
        values: in order of time, above zero; the ratio of levels matters, so logarithms are taken.
    """
    return sorted(_split([log(value) for value in values], 0))


def _split(values: Sequence[float], offset: int) -> list[ChangePoint]:
    if len(values) < 2 * SHORTEST:
        return []
    at, probability, correlation = _best_split(values)
    left, right = values[:at], values[at:]
    if probability > SIGNIFICANCE or abs(_mean(right) - _mean(left)) < log(1 + SMALLEST):
        return []
    return [ChangePoint(offset + at, probability, correlation), *_split(left, offset), *_split(right, offset + at)]


def _best_split(values: Sequence[float]) -> ChangePoint:
    """Return the best split of a series, and how often a shuffled one splits as well."""
    import numpy as np

    series = np.asarray(values)
    found = _gains(series[None, :])
    at = int(found.argmax()) + SHORTEST
    correlation = _autocorrelation(_around(series, at))
    length = 1 if _clear(series, at) else _block_length(correlation, len(series))
    of_chance = _gains(_shuffled(series, length)).max(axis=1)
    as_good = int((of_chance >= found[0, at - SHORTEST] * (1 - 1e-12)).sum())
    return ChangePoint(at, (as_good + 1) / (SHUFFLES + 1), correlation)


def _around(series: Any, at: int) -> Any:
    """Return a series without its levels on both sides of a split."""
    import numpy as np

    return np.concatenate([series[:at] - series[:at].mean(), series[at:] - series[at:].mean()])


def _clear(series: Any, at: int) -> bool:
    """Say whether a step is beyond what wandering makes, beside the noise around it or around further steps."""
    step, noise = abs(series[at:].mean() - series[:at].mean()), _around(series, at)
    fitted = 3  # two levels and a place
    if step >= CLEAR * (noise @ noise / (len(series) - fitted)) ** 0.5:
        return True
    for part in (noise[:at], noise[at:]):
        if len(part) >= 2 * SHORTEST:
            part[:] = _around(part, int(_gains(part[None, :]).argmax()) + SHORTEST)
            fitted += 2
    left = len(series) - fitted
    return left >= 2 * SHORTEST and bool(step >= CLEAR_OF_OTHERS * (noise @ noise / left) ** 0.5)


def _autocorrelation(noise: Any) -> float:
    """Return the lag-1 autocorrelation of what is left of a series without its levels.

    The estimate from few values is too small by about (1 + 4 r) / n (Marriott and Pope 1954, Biometrika 41:390).
    """
    variance = float(noise @ noise)
    if variance < _NO_NOISE:
        return 0.0
    found = float(noise[1:] @ noise[:-1]) / variance
    return found + (1 + 4 * found) / len(noise)


def _block_length(correlation: float, count: int) -> int:
    """Return the length of blocks that keep a correlation (Carlstein 1986, Ann. Statist. 14:1171); 1 without."""
    if correlation <= 0:
        return 1
    r = min(correlation, MOST_CORRELATED)
    usual: float = (2 * r / (1 - r**2)) ** (2 / 3) * count ** (1 / 3)
    return min(max(SHORTEST_BLOCK, round(BLOCK_FACTOR * usual)), count // 2)


def _shuffled(series: Any, length: int) -> Any:
    """Return one shuffled series per row: its blocks in random order, cut from a circle at a random place."""
    import numpy as np

    chance = np.random.default_rng(0)
    places = np.arange(len(series))
    keys = chance.random((SHUFFLES, -(-len(series) // length)))
    order = np.argsort(keys[:, places // length], axis=1, kind="stable")
    return series[(order + chance.integers(len(series), size=(SHUFFLES, 1))) % len(series)]


def _gains(series: Any) -> Any:
    """Return what each split of each series (row) explains: the difference of means, weighted by the sides' lengths."""
    import numpy as np

    count = series.shape[1]
    left = np.arange(SHORTEST, count - SHORTEST + 1)
    sums = series.cumsum(axis=1)[:, left - 1]
    total = series.sum(axis=1, keepdims=True)
    return np.abs(sums / left - (total - sums) / (count - left)) * np.sqrt(left * (count - left) / count)


def _series(key: str, oldest_first: Sequence[Side]) -> Series:
    measured = [(side.name, side.results[key]) for side in oldest_first if key in side.results]
    measured = [(name, result) for name, result in measured if result.measured]
    last = measured[-1][1]
    points = tuple(_point(name, result) for name, result in measured if _measures_the_same(result, last))
    found = change_points([point.latency_s for point in points])
    left_out = tuple(name for name, result in measured if not _measures_the_same(result, last))
    return Series(key, points, _changes(points, found), left_out, last.tiny)


def _changes(points: Sequence[Point], found: Sequence[ChangePoint]) -> tuple[Change, ...]:
    """Return the changes with their sizes; a level extends from one change to the next."""
    edges = [0, *(each.at for each in found), len(points)]
    levels = [_mean([log(point.latency_s) for point in points[first:last]]) for first, last in pairwise(edges)]
    return tuple(
        Change(
            at,
            exp(after - before),
            probability,
            correlation,
            version_differences(points[at - 1].versions, points[at].versions),
        )
        for (at, probability, correlation), (before, after) in zip(found, pairwise(levels), strict=True)
    )


def _point(run: str, result: CaseResult) -> Point:
    return Point(run, result.timings.started_at or "", result.statistics.latency_median_s or 0.0, result.versions)


def _measures_the_same(one: CaseResult, other: CaseResult) -> bool:
    """Say whether two results are of one device and the same settings, so that they belong to one series."""
    same_device = one.versions.device_name == other.versions.device_name
    return same_device and not differences(one.settings, other.settings, SETTINGS)


def _began(side: Side) -> str:
    times = (result.timings.started_at for result in side.results.values())
    return min((time for time in times if time), default="")


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
