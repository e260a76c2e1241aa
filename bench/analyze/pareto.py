"""The Pareto front of time, memory and similarity: the cases that no other case beats.

One case dominates another if it is no worse in every objective and better in one; the front is what is not dominated.
The objectives are seconds per image and peak memory, both to be small, and the PSNR against the baseline's pictures, to
be large: the baseline is its own reference, so its PSNR is infinite.

A PSNR says how far a case is from the picture it should have made. A case that makes a different picture by design,
or that has none to compare, has no such number, and none is invented: such cases are compared only with each other, in
time and memory. A picture that differs although no setting explains it is a fault, and keeps its case off the front.
Only cases that do the same work are compared: one baseline, one size, as many pictures of one kind.

The figures are medians. Where the intervals of two cases overlap, another run may reverse their order.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.analyze.memory import MEMORY_KINDS, highest_peak
from bench.analyze.similarity import another_image, differs
from bench.records.case_result import CaseResult
from bench.records.outcomes import Status


@dataclass(frozen=True)
class Point:
    """A measured case in the three objectives."""

    result: CaseResult
    seconds_per_image: float
    peak_bytes: float  # the highest over all phases
    psnr_db: float | None  # infinite for the baseline; None if similarity is not an objective of this case
    front: bool = False  # no comparable case dominates it, and its picture is not broken
    beaten_by: str | None = None  # a case that dominates it

    @property
    def judged(self) -> bool:
        """Whether similarity is one of the objectives."""
        return self.psnr_db is not None

    @property
    def broken(self) -> bool:
        """Whether its picture should be the baseline's and is not."""
        return self.judged and differs(self.result.similarity)


def points(results: Sequence[CaseResult]) -> list[Point]:
    """Return the measured cases of one scenario whose time and memory are known, each with its place.

    Memory is what must fit: the highest peak of loading, the first call and a generation, of one kind for all cases.
    """
    peaks = [(result, *highest_peak(result)) for result in results if result.measured]
    kind = next((kind for kind in MEMORY_KINDS if any(kind == found for _, _, found in peaks)), None)
    found = [
        Point(result, result.statistics.seconds_per_image, peak, _psnr(result))
        for result, peak, of in peaks
        if peak is not None and of == kind and result.statistics.seconds_per_image is not None
    ]
    work = [_work(point) for point in found]
    return [
        _placed(point, [other for other, theirs in zip(found, work, strict=True) if theirs == mine])
        for point, mine in zip(found, work, strict=True)
    ]


def dominates(one: Point, other: Point) -> bool:
    """Say whether a point is no worse than another in every objective, and better in one."""
    pairs = list(zip(_costs(one), _costs(other), strict=True))
    return all(mine <= theirs for mine, theirs in pairs) and any(mine < theirs for mine, theirs in pairs)


def _psnr(result: CaseResult) -> float | None:
    if result.is_baseline:
        return math.inf
    return None if another_image(result) else result.similarity.psnr_db


def _work(point: Point) -> tuple[Any, ...]:
    """Return what comparable points have in common."""
    result, settings = point.result, point.result.settings
    work = (settings.size, settings.output_type, settings.width, settings.height, settings.images)
    return (result.comparison.baseline, *work, another_image(result), point.judged)


def _placed(point: Point, comparable: Sequence[Point]) -> Point:
    sound = [other for other in comparable if not other.broken and other.result.status == Status.OK]
    better = next((other.result.case for other in sound if dominates(other, point)), None)
    return replace(point, front=better is None and not point.broken, beaten_by=better)


def _costs(point: Point) -> tuple[float, ...]:
    """Return the objectives, each to be small."""
    similarity = () if point.psnr_db is None else (-point.psnr_db,)
    return (point.seconds_per_image, point.peak_bytes, *similarity)
