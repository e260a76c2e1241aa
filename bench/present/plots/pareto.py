"""The Pareto front: memory against time, with the similarity beside each point, and what no other case beats."""

from collections.abc import Sequence
from typing import Any

from bench import units
from bench.analyze.pareto import Point
from bench.present.plots.page import BLUE, GRAY, PAPER, VERMILION, Head, Page
from bench.present.plots.rows import plain
from bench.present.plots.scatter import Dot, scatter

KINDS = {
    (True, True): ("on the front", BLUE, PAPER),
    (True, False): ("beaten", PAPER, BLUE),
    (False, True): ("not judged: on their front", VERMILION, PAPER),
    (False, False): ("not judged: beaten", PAPER, VERMILION),
}
"""(Judged, on a front) -> its name in the legend, the fill and the edge of its point."""
BROKEN = ("picture differs", PAPER, GRAY)
NOTE = (
    "On the front: no other case is at least as good in time, memory and similarity (PSNR) and better in one of them. "
    "Cases that make another picture by design, or none that can be compared, are held against their like only, in "
    "time and memory. Memory is the highest peak of loading, the first call and a generation."
)


def front(head: Head, points: Sequence[Point]) -> Page | None:
    """Draw time and memory of the cases, those on a front filled; None where there are no two to compare."""
    if len(points) < 2:  # noqa: PLR2004 - one point beats nothing
        return None
    dots = [Dot(_label(point, mixed=head.mixed), point.seconds_per_image, point.peak_bytes, *_kind(point)[1:])
            for point in points]  # fmt: skip
    kinds = dict.fromkeys(_kind(point) for point in sorted(points, key=lambda each: (not each.judged, not each.front)))
    names = ("time per image", "peak memory")
    return scatter(head, "Pareto front of time, memory and similarity", dots, names, [NOTE], _legend(list(kinds)))


def similarity(point: Point) -> str:
    """Return a point's PSNR in words: what stands beside it, in plots and in lists."""
    if point.psnr_db is None:
        return ""
    if point.similarity == "the baseline":
        return "baseline"
    return units.decibels(point.psnr_db)


def _kind(point: Point) -> tuple[str, str, str]:
    return BROKEN if point.broken else KINDS[point.judged, point.front]


def _label(point: Point, *, mixed: bool) -> str:
    tiny = "tiny" if mixed and point.size == "tiny" else ""
    told = ", ".join(each for each in (similarity(point), tiny) if each not in {"", point.case})
    return plain(f"{point.case} ({told})" if told else point.case)


def _legend(kinds: Sequence[tuple[str, str, str]]) -> list[Any]:
    from matplotlib.lines import Line2D

    style: dict[str, Any] = {"marker": "o", "markersize": 6, "linestyle": "none"}
    return [Line2D([], [], markerfacecolor=fill, markeredgecolor=edge, label=name, **style)
            for name, fill, edge in kinds]  # fmt: skip
