"""Points of time and memory: each with its name beside it, or with a number and a key if names would collide."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from bench.present.plots import page as paper
from bench.present.plots.page import BLUE, GRAY, INK, PAPER, RULE, SMALL, Head, Page
from bench.present.plots.subject import Subject, name, not_shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDE, _TALL, _LEFT, _AXIS, _LEGEND = 6.6, 4.4, 0.8, 0.55, 0.34
_DOT, _HEIGHT = 0.05, 0.14
"""Inches: the radius of a point, and the height of a label."""

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, bottom, right, top, in inches from the axes' corner."""
Label = tuple[str, Box]


@dataclass(frozen=True)
class Dot:
    """A case: its name (empty: it stays without one), seconds per image, bytes at the peak, and its colors."""

    name: str
    x: float
    y: float
    fill: str = BLUE
    edge: str = PAPER


def memory(subject: Subject) -> Page | None:
    """Draw peak memory against seconds per image; None if the memory of no measured case is known."""
    measured = [each for each in subject.results if each.measured]
    on_device = any(each.memory.generation.allocated_bytes is not None for each in measured)
    kind, mixed = "allocated_bytes" if on_device else "rss_growth_bytes", subject.head.mixed
    found = [(each, each.statistics.seconds_per_image, getattr(each.memory.generation, kind)) for each in measured]
    known = [(each, time, peak) for each, time, peak in found if time is not None and peak is not None]
    if not known:
        return None
    looks = {True: (PAPER, BLUE), False: (BLUE, PAPER)}
    dots = [Dot(name(each, mixed=mixed), time, peak, *looks[mixed and each.tiny]) for each, time, peak in known]
    what = "peak memory allocated on the device" if on_device else "peak growth of memory on the host"
    notes = not_shown(subject.results, [each for each, _, _ in known])
    return scatter(subject.head, "Memory and time", dots, what, notes)


def scatter(
    head: Head, what: str, dots: Sequence[Dot], peak: str, notes: Sequence[str], legend: Sequence[Any] = ()
) -> Page:
    """Draw dots, given in seconds per image and in bytes of a peak, with handles of what their colors mean."""
    second, time_unit = paper.time_scale(dot.x for dot in dots)
    byte, memory_unit = paper.memory_scale(dot.y for dot in dots)
    dots = sorted((replace(dot, x=dot.x * second, y=dot.y * byte) for dot in dots), key=lambda dot: (dot.x, dot.y))
    ends = paper.axis_ends([dot.x for dot in dots]), paper.axis_ends([dot.y for dot in dots])
    names, tall, column = [dot.name for dot in dots if dot.name], _TALL, 0.0
    labels = _labels(names, _in_inches(dots, ends, tall))
    if labels is None:
        tall = max(_TALL, min(len(names), paper.KEY_LINES) * paper.KEY_LINE)
        column = 0.5 + max(paper.length(each, SMALL) for each in names)
        labels = _numbers(_in_inches(dots, ends, tall))
    left, above = paper.MARGIN + _LEFT, 0.3 + _LEGEND * bool(legend)
    width = left + _WIDE + column * math.ceil(len(names) / paper.KEY_LINES) + 0.35
    page = paper.page(head, what, width, above + tall + _AXIS, notes)
    axes = paper.axes(page, left, page.bottom + _AXIS, _WIDE, tall)
    axes.set(xlim=ends[0], ylim=ends[1])
    axes.grid(visible=True, color=RULE, linewidth=0.7)
    _draw(axes, dots, labels, tall)
    paper.name_axis(axes, "x", f"time per image ({time_unit})")
    paper.name_axis(axes, "y", f"{peak} ({memory_unit})")
    if legend:
        paper.legend(page, axes, legend)
    better = page.top - _LEGEND * bool(legend)
    paper.write(page, left, better, "lower left is better", fontsize=SMALL, color=GRAY, va="top", style="italic")
    if column:
        paper.key(page, left + _WIDE + 0.2, page.bottom + _AXIS + tall, names, column)
    return page


def _draw(axes: "Axes", dots: Sequence[Dot], labels: Sequence[Label], tall: float) -> None:
    looks: dict[tuple[str, str, float], list[Dot]] = {}
    for dot in dots:
        looks.setdefault((dot.fill, dot.edge, 6.0 if dot.name else 3.0), []).append(dot)
    for (fill, edge, size), alike in looks.items():
        xs, ys = [dot.x for dot in alike], [dot.y for dot in alike]
        axes.plot(xs, ys, "o", markersize=size, markerfacecolor=fill, markeredgecolor=edge, zorder=size)
    style: dict[str, Any] = {"fontsize": SMALL, "color": INK, "va": "center", "zorder": 7, **paper.LITERAL}
    behind = {"pad": 0.3, "facecolor": PAPER, "edgecolor": "none"}
    for text, (left, bottom, _, top) in labels:
        x, y = (left + 0.03) / _WIDE, (bottom + top) / 2 / tall
        axes.text(x, y, text, transform=axes.transAxes, bbox=behind, **style)


def _in_inches(dots: Sequence[Dot], ends: tuple[Point, Point], tall: float) -> list[Point]:
    """Return where the dots with a name are, in inches from the axes' corner."""
    (left, right), (low, high) = ends
    named = [dot for dot in dots if dot.name]
    return [((dot.x - left) / (right - left) * _WIDE, (dot.y - low) / (high - low) * tall) for dot in named]


def _labels(names: Sequence[str], points: Sequence[Point]) -> list[Label] | None:
    """Return each name beside its point; None if there are many, or one would be cut or hit another or a point."""
    labels = [_beside(text, [point]) for text, point in zip(names, points, strict=True)]
    if len(names) > paper.KEY_LINES or any(left < 0 for _, (left, _, _, _) in labels):
        return None
    return None if _clash(labels, [[point] for point in points]) else labels


def _numbers(points: Sequence[Point]) -> list[Label]:
    """Return the numbers of the key; where one would hit another, or a point, both are written together."""
    groups = [[index] for index in range(len(points))]
    while True:
        members = [[points[index] for index in group] for group in groups]
        labels = [_beside(_ranges(group), own) for group, own in zip(groups, members, strict=True)]
        clash = _clash(labels, members)
        if clash is None:
            return labels
        one, other = clash
        groups[one] = sorted([*groups[one], *groups.pop(other)])


def _ranges(indices: Sequence[int]) -> str:
    """Return numbers from 1, consecutive ones as a range: `1-3, 7`."""
    runs: list[list[int]] = []
    for index in indices:
        if not runs or index != runs[-1][-1] + 1:
            runs.append([])
        runs[-1].append(index)
    return ", ".join(f"{run[0] + 1}-{run[-1] + 1}" if len(run) > 1 else str(run[0] + 1) for run in runs)


def _beside(text: str, points: Sequence[Point]) -> Label:
    """Return a label to the right of its points, or to their left at the edge."""
    wide = paper.length(text, SMALL) + 0.06
    middle = sum(y for _, y in points) / len(points)
    left = max(x for x, _ in points) + _DOT
    if left + wide > _WIDE:
        left = min(x for x, _ in points) - _DOT - wide
    return text, (left, middle - _HEIGHT / 2, left + wide, middle + _HEIGHT / 2)


def _clash(labels: Sequence[Label], members: Sequence[Sequence[Point]]) -> tuple[int, int] | None:
    """Return the first two labels, by index, of which one hits the other or one of its points; None if none does."""
    dots = [[(x - _DOT, y - _DOT, x + _DOT, y + _DOT) for x, y in points] for points in members]

    def hits(one: int, other: int) -> bool:
        return any(_hit(labels[one][1], box) for box in (labels[other][1], *dots[other]))

    pairs = combinations(range(len(labels)), 2)
    return next(((one, other) for one, other in pairs if hits(one, other) or hits(other, one)), None)


def _hit(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
