"""A case over many runs, and where its latency changed for good.

A change point is where a series splits best in two, if chance does not split it as well: the largest difference of the
means on both sides of a split (CUSUM), held against the same figure of the shuffled series (a permutation test, as in
Matteson and James 2014, JASA 109:505, with means for energy). What it finds is split again. It assumes that runs
between two changes could stand in any order, and nothing else of the noise: where a machine's nights resemble the
nights before (a slow drift, a warm week), that looks like steps. So size is asked for besides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log
from typing import Any

from bench.analyze.comparison import ENVIRONMENT, SETTINGS, measured
from bench.analyze.rows import Row
from bench.analyze.side import Side

SIGNIFICANCE = 0.01
SHUFFLES = 1999
SHORTEST = 3
"""Runs on either side of a change: one or two may be a bad night."""
SMALLEST = 0.02
"""A change of less than 2 % is within what a machine does by itself over weeks."""
FEWEST_RUNS = 10
"""The smallest series in which a clean split in the middle can be significant (2 of 252 ways to choose five of ten)."""


@dataclass(frozen=True)
class Point:
    """One run of a case: what it is called, when it began (UTC, ISO 8601), and its median latency in seconds."""

    run: str
    started_at: str
    latency_s: float
    environment: dict[str, Any]


@dataclass(frozen=True)
class Change:
    """A level that changed: at which point, by which ratio of geometric means, and what else changed there."""

    at: int
    ratio: float
    probability: float
    environment: tuple[str, ...]


@dataclass(frozen=True)
class Series:
    """A case over the runs that measured it alike, oldest first.

    Attributes:
        key: of the case.
        points: the runs.
        changes: where the level changed.
        left_out: runs that measured it on another device or with other settings than the newest run.
        tiny: whether it is of a toy twin.
    """

    key: str
    points: tuple[Point, ...]
    changes: tuple[Change, ...]
    left_out: tuple[str, ...]
    tiny: bool = False


def trends(sides: Sequence[Side]) -> list[Series]:
    """Return every measured case of some runs as a series, in the order in which the newest run has them."""
    newest_first = sorted(sides, key=_began, reverse=True)
    keys = dict.fromkeys(key for side in newest_first for key, row in side.rows.items() if measured(row))
    return [_series(key, newest_first[::-1]) for key in keys]


def change_points(values: Sequence[float]) -> list[tuple[int, float]]:
    """Return where the level of a series changes: the index of the first value of the new level, and its p-value.

    The same series gives the same answer: the shuffles are drawn from a fixed seed.

    Args:
        values: in order of time, above zero; the ratio of levels counts, so logarithms are taken.
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
    """Return, a row a series, what each split explains: the difference of means, weighted by the sides' lengths."""
    import numpy as np

    count = series.shape[1]
    left = np.arange(SHORTEST, count - SHORTEST + 1)
    sums = series.cumsum(axis=1)[:, left - 1]
    total = series.sum(axis=1, keepdims=True)
    return np.abs(sums / left - (total - sums) / (count - left)) * np.sqrt(left * (count - left) / count)


def _series(key: str, oldest_first: Sequence[Side]) -> Series:
    there = [side for side in oldest_first if measured(side.rows.get(key))]
    last = there[-1].rows[key]
    alike = [side for side in there if _measures(side.rows[key]) == _measures(last)]
    points = tuple(_point(side, side.rows[key]) for side in alike)
    found = change_points([point.latency_s for point in points])
    return Series(
        key,
        points,
        _changes(points, found),
        tuple(side.name for side in there if side not in alike),
        last["size"] == "tiny",
    )


def _changes(points: Sequence[Point], found: Sequence[tuple[int, float]]) -> tuple[Change, ...]:
    """Return the changes with their sizes: a level reaches from one change to the next."""
    edges = [0, *(at for at, _ in found), len(points)]
    levels = [_mean([log(point.latency_s) for point in points[first:last]]) for first, last in pairwise(edges)]
    return tuple(
        Change(at, exp(after - before), probability, _versions(points[at - 1], points[at]))
        for (at, probability), (before, after) in zip(found, pairwise(levels), strict=True)
    )


def _versions(before: Point, after: Point) -> tuple[str, ...]:
    return tuple(
        f"{name}: {before.environment[name] or '(none)'} -> {after.environment[name] or '(none)'}"
        for name in ENVIRONMENT
        if before.environment[name] != after.environment[name]
    )


def _point(side: Side, row: Row) -> Point:
    facts = {name: row[name] for name in ENVIRONMENT}
    return Point(side.name, str(row["started_at"] or ""), float(row["latency_median_s"]), facts)


def _measures(row: Row) -> tuple[Any, ...]:
    """Return what a row is a measurement of: a point of another device or setting is none of the same series."""
    return tuple(row[name] for name in ("device_name", *SETTINGS))


def _began(side: Side) -> str:
    return min((str(row["started_at"]) for row in side.rows.values() if row["started_at"]), default="")


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
