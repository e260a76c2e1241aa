"""Labeled points: each with its name beside it, or with a number and a key if names would collide."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from bench.present.plots import page as paper
from bench.present.plots.page import BLUE, GRAY, INK, PAPER, RULE, SMALL, Head, Page
from bench.present.plots.subject import Subject, name
from bench.records.case_result import CaseResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDE, _TALL, _LEFT, _AXIS, _LEGEND = 6.6, 4.4, 0.8, 0.55, 0.34
_DOT, _HEIGHT = 0.05, 0.14
"""Inches: the radius of a point, and the height of a label."""

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, bottom, right, top, in inches."""


@dataclass(frozen=True)
class Dot:
    """A case: its name (empty: it stays without one), seconds per image, bytes at the peak, and its colors."""

    label: str
    x: float
    y: float
    fill: str = BLUE
    edge: str = PAPER


@dataclass(frozen=True)
class _Label:
    """A text, and the box that it takes in inches from the axes' corner."""

    text: str
    box: Box


def not_shown(results: Sequence[CaseResult], shown: Sequence[CaseResult]) -> list[str]:
    """Say which cases have no point in a plot, by reason, so that none is missing without a word."""
    keys, reasons = {each.case for each in shown}, dict[str, list[str]]()
    for each in results:
        if each.case not in keys:
            reasons.setdefault("memory unknown" if each.measured else each.status, []).append(each.case)
    return [f"Not shown ({reason}): {', '.join(cases)}." for reason, cases in reasons.items()]


def memory(subject: Subject) -> Page | None:
    """Draw peak memory against seconds per image; None if the memory of no measured case is known."""
    measured = [each for each in subject.results if each.measured]
    on_device = any(each.memory.generation.allocated_bytes is not None for each in measured)
    kind = "allocated_bytes" if on_device else "rss_growth_bytes"
    found = [(each, each.statistics.seconds_per_image, getattr(each.memory.generation, kind)) for each in measured]
    known = [(each, time, peak) for each, time, peak in found if time is not None and peak is not None]
    if not known:
        return None
    mixed = subject.head.mixed
    looks = {True: (PAPER, BLUE), False: (BLUE, PAPER)}
    dots = [Dot(name(each, mixed=mixed), time, peak, *looks[mixed and each.tiny]) for each, time, peak in known]
    what = "peak memory allocated on the device" if on_device else "peak growth of memory on the host"
    notes = not_shown(subject.results, [each for each, _, _ in known])
    return scatter(subject.head, "Memory and time", dots, ("time per image", what), notes)


def scatter(
    head: Head, what: str, dots: Sequence[Dot], axes: tuple[str, str], notes: Sequence[str], legend: Sequence[Any] = ()
) -> Page:
    """Draw labeled points.

    Args:
        head: above the plot.
        what: the plot shows.
        dots: in seconds per image, and in bytes.
        axes: their names, without units.
        notes: at the foot.
        legend: handles of what the colors mean, if they mean anything.
    """
    second, time_unit = paper.time_scale(dot.x for dot in dots)
    byte, memory_unit = paper.memory_scale(dot.y for dot in dots)
    scaled = sorted((replace(dot, x=dot.x * second, y=dot.y * byte) for dot in dots), key=lambda dot: (dot.x, dot.y))
    page, drawn = _drawn(head, what, scaled, notes, legend)
    paper.name_axis(drawn, "x", f"{axes[0]} ({time_unit})")
    paper.name_axis(drawn, "y", f"{axes[1]} ({memory_unit})")
    return page


def _drawn(
    head: Head, what: str, dots: Sequence[Dot], notes: Sequence[str], legend: Sequence[Any]
) -> tuple[Page, "Axes"]:
    ends = paper.axis_ends([dot.x for dot in dots]), paper.axis_ends([dot.y for dot in dots])
    named = [dot.label for dot in dots if dot.label]
    tall, key, column = _TALL, 0.0, 0.0
    labels = _names(dots, _in_inches(dots, ends, tall))
    if labels is None:
        tall = max(_TALL, min(len(named), paper.KEY_LINES) * paper.KEY_LINE)
        column = 0.5 + max(paper.length(label, SMALL) for label in named)
        key = column * math.ceil(len(named) / paper.KEY_LINES)
        labels = _numbers(dots, _in_inches(dots, ends, tall))
    left, above = paper.MARGIN + _LEFT, 0.3 + _LEGEND * bool(legend)
    page = paper.page(head, what, left + _WIDE + key + 0.35, above + tall + _AXIS, notes)
    bottom = page.bottom + _AXIS
    axes = paper.axes(page, left, bottom, _WIDE, tall)
    axes.set(xlim=ends[0], ylim=ends[1])
    axes.grid(visible=True, color=RULE, linewidth=0.7)
    _draw_dots(axes, dots)
    for label in labels:
        _write(axes, label, (_WIDE, tall))
    if legend:
        paper.legend(page, axes, legend)
    better = page.top - _LEGEND * bool(legend)
    paper.write(page, left, better, "lower left is better", fontsize=SMALL, color=GRAY, va="top", style="italic")
    if key:
        paper.key(page, left + _WIDE + 0.2, bottom + tall, named, column)
    return page, axes


def _draw_dots(axes: "Axes", dots: Sequence[Dot]) -> None:
    """Draw the points, those of one look together; in a crowd those without a name are small."""
    looks: dict[tuple[str, str, float], list[Dot]] = {}
    for dot in dots:
        looks.setdefault((dot.fill, dot.edge, 6.0 if dot.label else 3.0), []).append(dot)
    for (fill, edge, size), alike in looks.items():
        xs, ys = [dot.x for dot in alike], [dot.y for dot in alike]
        axes.plot(xs, ys, "o", markersize=size, markerfacecolor=fill, markeredgecolor=edge, zorder=size)


def _in_inches(dots: Sequence[Dot], ends: tuple[Point, Point], tall: float) -> list[Point]:
    """Return where the points are, in inches from the axes' corner."""
    (left, right), (low, high) = ends
    return [((dot.x - left) / (right - left) * _WIDE, (dot.y - low) / (high - low) * tall) for dot in dots]


def _names(dots: Sequence[Dot], points: Sequence[Point]) -> list[_Label] | None:
    """Return each name beside its point; None if one would hit another, or a point."""
    if len(dots) > paper.KEY_LINES:
        return None
    labels = [_beside(dot.label, [point]) for dot, point in zip(dots, points, strict=True)]
    cut = any(label.box[0] < 0 for label in labels)
    return None if cut or _clash(labels, [[point] for point in points]) else labels


def _numbers(dots: Sequence[Dot], points: Sequence[Point]) -> list[_Label]:
    """Return the numbers of the key; where one would hit another, or a point, both are written together."""
    named = [point for dot, point in zip(dots, points, strict=True) if dot.label]
    groups = [[index] for index in range(len(named))]
    while True:
        members = [[named[index] for index in group] for group in groups]
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
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ", ".join(f"{run[0] + 1}-{run[-1] + 1}" if len(run) > 1 else str(run[0] + 1) for run in runs)


def _beside(text: str, points: Sequence[Point]) -> _Label:
    """Return a label to the right of its points, or to their left at the edge."""
    wide = paper.length(text, SMALL) + 0.06
    middle = sum(y for _, y in points) / len(points)
    left = max(x for x, _ in points) + _DOT
    if left + wide > _WIDE:
        left = min(x for x, _ in points) - _DOT - wide
    return _Label(text, (left, middle - _HEIGHT / 2, left + wide, middle + _HEIGHT / 2))


def _clash(labels: Sequence[_Label], members: Sequence[Sequence[Point]]) -> tuple[int, int] | None:
    """Return the first two labels, by index, of which one hits the other or one of its points; None if none does."""
    dots = [[(x - _DOT, y - _DOT, x + _DOT, y + _DOT) for x, y in points] for points in members]
    for one, other in combinations(range(len(labels)), 2):
        mine, theirs = labels[one].box, labels[other].box
        if any(_hit(mine, box) for box in (theirs, *dots[other])) or any(_hit(theirs, box) for box in dots[one]):
            return one, other
    return None


def _hit(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _write(axes: "Axes", label: _Label, area: Point) -> None:
    style: dict[str, Any] = {"fontsize": SMALL, "color": INK, "va": "center", "zorder": 7, **paper.LITERAL}
    x, y = (label.box[0] + 0.03) / area[0], (label.box[1] + label.box[3]) / 2 / area[1]
    behind = {"pad": 0.3, "facecolor": PAPER, "edgecolor": "none"}
    axes.text(x, y, label.text, transform=axes.transAxes, bbox=behind, **style)
