"""The Pareto front: memory against time, with the similarity beside each point, and what no other case beats."""

from collections.abc import Sequence
from typing import Any

from bench.analyze.pareto import Point
from bench.present import words
from bench.present.plots.page import BLUE, GRAY, PAPER, VERMILION, Page, printable
from bench.present.plots.scatter import Dot, scatter
from bench.present.plots.subject import MOST_CASES, Subject

KINDS = {
    (True, True): ("on the front", BLUE, PAPER),
    (True, False): ("dominated", PAPER, BLUE),
    (False, True): ("similarity not judged: on their front", VERMILION, PAPER),
    (False, False): ("similarity not judged: dominated", PAPER, VERMILION),
}
"""(Judged, on a front) -> its name in the legend, the fill and the edge of its point."""
BROKEN = (words.PICTURE_DIFFERS, PAPER, GRAY)


def front(subject: Subject) -> Page | None:
    """Draw time and memory of the cases, those on a front filled; None if there are no two to compare.

    Of many cases only those on a front have names.
    """
    points = subject.points
    if len(points) < 2:  # noqa: PLR2004 - one point dominates nothing
        return None
    named = [each for each in points if each.front or len(points) <= MOST_CASES][:MOST_CASES]
    dots = [
        Dot(_label(each, mixed=subject.head.mixed) if each in named else "",
            each.seconds_per_image, each.peak_bytes, *_kind(each)[1:])
        for each in points
    ]  # fmt: skip
    kinds = dict.fromkeys(_kind(each) for each in sorted(points, key=lambda each: (not each.judged, not each.front)))
    crowd = f"Only {len(named)} cases on a front are named, of {len(points)}." if len(named) < len(points) else ""
    notes = [words.FRONT, crowd]
    what = "Pareto front of time, memory and similarity"
    return scatter(subject.head, what, dots, "peak memory", notes, _legend([*kinds]))


def _kind(point: Point) -> tuple[str, str, str]:
    return BROKEN if point.broken else KINDS[point.judged, point.front]


def _label(point: Point, *, mixed: bool) -> str:
    result = point.result
    similarity = "baseline" if result.is_baseline else words.psnr(result) if point.judged else ""
    facts = [each for each in (similarity, "tiny" if mixed and result.tiny else "") if each not in {"", result.case}]
    return printable(f"{result.case} ({', '.join(facts)})" if facts else result.case)


def _legend(kinds: Sequence[tuple[str, str, str]]) -> list[Any]:
    from matplotlib.lines import Line2D

    style: dict[str, Any] = {"marker": "o", "markersize": 6, "linestyle": "none"}
    return [Line2D([], [], markerfacecolor=fill, markeredgecolor=edge, label=name, **style)
            for name, fill, edge in kinds]  # fmt: skip
