"""The Pareto front of time, memory and similarity: the cases that no other case beats.

One case dominates another if it is no worse in every objective and better in one (Pareto dominance); the front is what
is not dominated. The objectives are seconds per image and peak memory, both to be small, and the PSNR against the
baseline's pictures, to be large: the baseline itself is its own picture, so its PSNR is infinite.

A PSNR says how far a case is from the picture it should have made. For a case that makes another picture by design, or
none that can be compared, there is no such number, and neither a good one nor a bad one is invented: such cases are
held against their like only, in time and memory. A picture that differs although no setting explains it is a fault,
and keeps its case off the front. Only what is alike is compared: one baseline, one size, as many pictures of one kind.

The figures are medians: of two cases whose intervals overlap, another run may put the other in front.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from bench.analyze.rows import MEMORY_KINDS, highest_peak, plain_rows
from bench.analyze.similarity import ALARM_DB, SAME, another_image
from bench.records.schema import MEASURED, Status


@dataclass(frozen=True)
class Point:
    """A measured case in the three objectives.

    Attributes:
        psnr_db: infinite for the baseline and for identical pictures; None where similarity is not judged.
        similarity: why it is not judged, or what the PSNR is of, in words.
        baseline: the case whose picture it is held against; None where there is none.
        size: full, or tiny.
        alike: what else it shares with the cases it is compared with.
        status: as its row has it; a case that was still changing beats nobody.
        front: whether nothing alike dominates it; a broken picture is never on a front.
        beaten_by: a case that dominates it; None on the front.
    """

    case: str
    seconds_per_image: float
    peak_bytes: float
    psnr_db: float | None
    similarity: str
    baseline: str | None
    size: str
    alike: tuple[str, ...]
    status: str
    front: bool = False
    beaten_by: str | None = None

    @property
    def judged(self) -> bool:
        """Whether similarity is one of the objectives."""
        return self.psnr_db is not None

    @property
    def broken(self) -> bool:
        """Whether its picture should be the baseline's and is not."""
        return self.psnr_db is not None and self.psnr_db < ALARM_DB


def points(frame: pd.DataFrame) -> list[Point]:
    """Return the measured cases of one scenario whose time and memory are known, each with its place.

    Memory is what must fit: the highest peak of loading, the first call and a generation, of one kind for all cases.
    """
    measured = [
        row for row in plain_rows(frame) if row["status"] in list(MEASURED) and row["seconds_per_image"] is not None
    ]
    peaks = [highest_peak(row) for row in measured]
    kind = next((kind for kind in MEMORY_KINDS if any(kind == found for _, found in peaks)), None)
    known = [(row, peak) for row, (peak, of) in zip(measured, peaks, strict=True) if peak is not None and of == kind]
    found = [_point(row, peak) for row, peak in known]
    return [_placed(point, [other for other in found if _alike(other, point)]) for point in found]


def dominates(one: Point, other: Point) -> bool:
    """Say whether a point is no worse than another in every objective, and better in one."""
    pairs = list(zip(_costs(one), _costs(other), strict=True))
    return all(mine <= theirs for mine, theirs in pairs) and any(mine < theirs for mine, theirs in pairs)


def _point(row: Mapping[Any, Any], peak: float) -> Point:
    psnr, similarity = _fidelity(row)
    work = tuple(str(row[name]) for name in ("output_type", "width", "height", "images"))
    alike = (*work, "by design" if another_image(row) else "")
    seconds = float(row["seconds_per_image"])
    return Point(row["case"], seconds, peak, psnr, similarity, row["baseline"], row["size"], alike, row["status"])


def _fidelity(row: Mapping[Any, Any]) -> tuple[float | None, str]:
    """Return the PSNR where the baseline's picture is expected, and what is known in words."""
    if row["baseline"] == row["case"]:
        return math.inf, "the baseline"
    if another_image(row):
        return None, row["similarity"]
    if row["psnr_db"] is None:
        return None, "unknown: no pictures to compare"
    return float(row["psnr_db"]), row["similarity"] or SAME


def _alike(one: Point, other: Point) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in ("baseline", "size", "alike", "judged"))


def _placed(point: Point, alike: Sequence[Point]) -> Point:
    whole = [other for other in alike if not other.broken and other.status == Status.OK]
    better = next((other.case for other in whole if dominates(other, point)), None)
    return replace(point, front=better is None and not point.broken, beaten_by=better)


def _costs(point: Point) -> tuple[float, ...]:
    """Return the objectives, each to be small."""
    similarity = () if point.psnr_db is None else (-point.psnr_db,)
    return (point.seconds_per_image, point.peak_bytes, *similarity)
