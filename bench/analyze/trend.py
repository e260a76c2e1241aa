"""A case over many runs, and where its latency changed for good.

A change point is the best split of a series in two, provided that chance does not split it as well: the largest
difference of the means on both sides of a split (CUSUM), compared with the same figure of the shuffled series (a
permutation test, as in Matteson and James 2014, JASA 109:505, with means in place of energy). Both halves are then
split again. The test assumes that runs between two changes could be in any order, and nothing else about the noise.
Slow drift (a warm week) violates that and looks like steps, so a change must also be large enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log
from typing import Any

from bench.analyze.comparison import SETTINGS, VERSIONS, Difference, differences
from bench.analyze.side import Side
from bench.records.case_result import CaseResult, Versions

SIGNIFICANCE = 0.01
SHUFFLES = 1999
SHORTEST = 3
"""Runs on either side of a change: one or two may be a bad night."""
SMALLEST = 0.02
"""Machines drift by 2 % over weeks, so a smaller change is not called one."""
FEWEST_RUNS = 10
"""The smallest series in which a clean split in the middle can be significant (2 of 252 ways to choose five of ten)."""


@dataclass(frozen=True)
class Point:
    """One run of a case."""

    run: str
    started_at: str  # UTC, ISO 8601
    latency_s: float
    versions: Versions


@dataclass(frozen=True)
class Change:
    """A latency that changed for good."""

    at: int  # the first point of the new level
    ratio: float  # of the geometric means of the levels
    probability: float  # that chance splits the series as well
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


def change_points(values: Sequence[float]) -> list[tuple[int, float]]:
    """Return where the level of a series changes: the index of the first value of the new level, and its p-value.

    The same series gives the same answer: the shuffles are drawn from a fixed seed.

    Args:
        values: in order of time, above zero; the ratio of levels matters, so logarithms are taken.
    """
    return sorted(_split([log(value) for value in values], 0))


def _split(values: Sequence[float], offset: int) -> list[tuple[int, float]]:
    if len(values) < 2 * SHORTEST:
        return []
    at, probability = _best_split(values)
    left, right = values[:at], values[at:]
    if probability > SIGNIFICANCE or abs(_mean(right) - _mean(left)) < log(1 + SMALLEST):
        return []
    return [(offset + at, probability), *_split(left, offset), *_split(right, offset + at)]


def _best_split(values: Sequence[float]) -> tuple[int, float]:
    """Return the best split of a series, and how often a shuffled one splits as well."""
    import numpy as np

    series = np.asarray(values)
    chance = np.random.default_rng(0)
    shuffled = chance.permuted(np.tile(series, (SHUFFLES, 1)), axis=1)
    found, of_chance = _gains(series[None, :]), _gains(shuffled).max(axis=1)
    best = int(found.argmax())
    as_good = int((of_chance >= found[0, best] * (1 - 1e-12)).sum())
    return best + SHORTEST, (as_good + 1) / (SHUFFLES + 1)


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


def _changes(points: Sequence[Point], found: Sequence[tuple[int, float]]) -> tuple[Change, ...]:
    """Return the changes with their sizes; a level extends from one change to the next."""
    edges = [0, *(at for at, _ in found), len(points)]
    levels = [_mean([log(point.latency_s) for point in points[first:last]]) for first, last in pairwise(edges)]
    return tuple(
        Change(
            at, exp(after - before), probability, differences(points[at - 1].versions, points[at].versions, VERSIONS)
        )
        for (at, probability), (before, after) in zip(found, pairwise(levels), strict=True)
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
