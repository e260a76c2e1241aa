"""Labelled points: each with its name beside it, or with a number and a key where names would collide."""

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bench.present.plots import page as paper
from bench.present.plots.page import BLUE, GRAY, INK, PAPER, POINTS_PER_INCH, RULE, SMALL, Head, Page
from bench.present.plots.rows import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDE, _TALL, _LEFT, _AXIS, _LEGEND = 6.6, 4.4, 0.8, 0.55, 0.34
_DOT, _NEAR, _FAR, _RING, _DIRECTIONS, _BESIDE, _BIT = 0.055, 0.03, 1.2, 0.06, 40, 0.12, 0.03
_OWN, _FOREIGN = (2 * _DOT, 2 * _DOT), (4.5 * _DOT, 4.5 * _DOT)
"""The room that a label leaves to its own point, and, so that nobody takes it for theirs, to those of other labels."""
_LINE_OF_NUMBERS, _TOO_TALL = 16, 12.0

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, bottom, right, top, in inches."""


@dataclass(frozen=True)
class Dot:
    """A case: what is written beside it, seconds per image, bytes at the peak, and its colors."""

    label: str
    x: float
    y: float
    fill: str = BLUE
    edge: str = PAPER


@dataclass(frozen=True)
class _Label:
    """A text beside its point: both places, and its size, in inches from the axes' corner."""

    text: str
    point: Point
    place: Point
    size: Point


def not_shown(rows: Sequence[Row], shown: Sequence[Row]) -> list[str]:
    """Say which cases have no point in a plot, by reason, so that none is missing without a word."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row not in shown:
            reasons.setdefault("memory unknown" if row.measured else row.status, []).append(row.case)
    return [f"Not shown ({reason}): {', '.join(cases)}." for reason, cases in reasons.items()]


def scatter(
    head: Head, what: str, dots: Sequence[Dot], names: tuple[str, str], notes: Sequence[str], legend: Sequence[Any] = ()
) -> Page:
    """Draw labelled points: with their names where those fit beside them, else with numbers and a key at the side.

    Points that lie on one another share a label.

    Args:
        head: what stands above the plot.
        what: the plot shows.
        dots: in seconds per image, and in bytes.
        names: of the axes, without their units.
        notes: at the foot.
        legend: handles of what the colors mean, if they mean anything.
    """
    second, time_unit = paper.time_scale(dot.x for dot in dots)
    byte, memory_unit = paper.memory_scale(dot.y for dot in dots)
    scaled = [replace(dot, x=dot.x * second, y=dot.y * byte) for dot in dots]
    page, axes = _drawn(head, what, scaled, notes, legend)
    paper.name_axis(axes, "x", f"{names[0]} ({time_unit})")
    paper.name_axis(axes, "y", f"{names[1]} ({memory_unit})")
    return page


def _drawn(
    head: Head, what: str, dots: Sequence[Dot], notes: Sequence[str], legend: Sequence[Any]
) -> tuple[Page, "Axes"]:
    xs, ys = paper.axis_ends([dot.x for dot in dots]), paper.axis_ends([dot.y for dot in dots])
    names, tall, key, column = [dot.label for dot in dots], _TALL, 0.0, 0.0
    labels = _labels(_in_inches(dots, xs, ys, tall), names, "\n", tall)
    if labels is None:
        numbers = [str(number) for number in range(1, len(dots) + 1)]
        tall = max(_TALL, min(len(dots), paper.KEY_LINES) * paper.KEY_LINE)
        column = 0.5 + max(paper.length(name, SMALL) for name in names)
        key = column * math.ceil(len(dots) / paper.KEY_LINES)
        while (labels := _labels(_in_inches(dots, xs, ys, tall), numbers, ", ", tall)) is None:
            tall *= 1.2
    left = paper.MARGIN + _LEFT
    above = 0.3 + _LEGEND * bool(legend)
    page = paper.page(head, what, left + _WIDE + key + 0.35, above + tall + _AXIS, notes)
    bottom = page.bottom + _AXIS
    axes = paper.axes(page, left, bottom, _WIDE, tall)
    axes.set(xlim=xs, ylim=ys)
    axes.grid(visible=True, color=RULE, linewidth=0.7)
    for dot in dots:
        axes.plot(dot.x, dot.y, "o", markersize=6, markerfacecolor=dot.fill, markeredgecolor=dot.edge)
    for label in labels:
        _write_label(axes, label, (_WIDE, tall))
    if legend:
        paper.legend(page, axes, legend)
    better = page.top - _LEGEND * bool(legend)
    paper.write(page, left, better, "lower left is better", fontsize=SMALL, color=GRAY, va="top", style="italic")
    if key:
        paper.key(page, left + _WIDE + 0.2, bottom + tall, names, column)
    return page, axes


def _in_inches(dots: Sequence[Dot], xs: Point, ys: Point, tall: float) -> list[Point]:
    """Return where the points are, in inches from the axes' corner."""
    return [((d.x - xs[0]) / (xs[1] - xs[0]) * _WIDE, (d.y - ys[0]) / (ys[1] - ys[0]) * tall) for d in dots]


def _labels(points: Sequence[Point], names: Sequence[str], between: str, tall: float) -> list[_Label] | None:
    """Return a label for each point, or for those that lie on one another, or None where one finds no place.

    Labels are placed one after another, each as near to its point as it can be without hitting a point or what is there
    already. Neither does the line to its point, but in a plot that has grown too tall over looking for such places.
    """
    taken, placed = list[Box](), list[_Label]()
    for anchor, group in _groups(points).items():
        text = between.join(names[index] for index in group)
        lines = textwrap.wrap(text, _LINE_OF_NUMBERS) if between == ", " else text.split(between)
        size = (max(paper.length(line, SMALL) for line in lines) + 0.06, 1.25 * len(lines) * SMALL / POINTS_PER_INCH)
        others = [point for index, point in enumerate(points) if index not in group]
        shut = [*(_box(points[index], _OWN) for index in group), *(_box(point, _FOREIGN) for point in others), *taken]
        crossed = [] if tall > _TOO_TALL else [*(_box(point, _OWN) for point in others), *taken]
        tried = (_Label("\n".join(lines), anchor, place, size) for place in _around(anchor, size, max(_FAR, tall / 4)))
        free = (at for at in tried if _inside(_box(at.place, size), tall) and not _hits([_box(at.place, size)], shut))
        label = next((at for at in free if not _hits(_line(at), crossed)), None)
        if label is None:
            return None
        placed.append(label)
        taken += [_box(label.place, size), *_line(label)]
    return placed


def _groups(points: Sequence[Point]) -> dict[Point, list[int]]:
    """Return the points, by index, that lie on one another, under the first of each group."""
    groups: dict[Point, list[int]] = {}
    for index, point in enumerate(points):
        near = next((anchor for anchor in groups if math.dist(anchor, point) < 2 * _DOT), point)
        groups.setdefault(near, []).append(index)
    return groups


def _around(point: Point, size: Point, far: float) -> Iterator[Point]:
    """Yield the centres that a label of `size` can have around a point: first right of it, then in wider rings."""
    distance = _DOT + _NEAR
    while distance < far:
        for direction in range(_DIRECTIONS):
            angle = 2 * math.pi * ((direction + 1) // 2) / _DIRECTIONS * (-1 if direction % 2 else 1)
            across, up = math.cos(angle), math.sin(angle)
            edge = max(abs(across), abs(up))
            yield point[0] + across / edge * (distance + size[0] / 2), point[1] + up / edge * (distance + size[1] / 2)
        distance += _RING


def _line(label: _Label) -> list[Box]:
    """Return small boxes along the line from a point to its label; none where the label stands beside it."""
    sides = zip(label.point, label.place, label.size, strict=True)
    across, up = (min(max(p, c - s / 2), c + s / 2) - p for p, c, s in sides)
    gap = math.hypot(across, up)
    parts = [step * _BIT / gap for step in range(1, int(gap / _BIT) + 1)] if gap > _BESIDE else []
    return [_box((label.point[0] + part * across, label.point[1] + part * up), (0.01, 0.01)) for part in parts]


def _box(center: Point, size: Point) -> Box:
    return center[0] - size[0] / 2, center[1] - size[1] / 2, center[0] + size[0] / 2, center[1] + size[1] / 2


def _inside(box: Box, tall: float) -> bool:
    return box[0] > 0 and box[1] > 0 and box[2] < _WIDE and box[3] < tall


def _hits(some: Sequence[Box], others: Sequence[Box]) -> bool:
    return any(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3] for a in some for b in others)


def _write_label(axes: "Axes", label: _Label, area: Point) -> None:
    """Write a label at its place, with a line to its point where it does not stand beside it."""
    line = [label.point, *(((left + right) / 2, (low + high) / 2) for left, low, right, high in _line(label))]
    xs, ys = ([end[side] / area[side] for end in (line[0], line[-1])] for side in (0, 1))
    axes.plot(xs, ys, color=GRAY, linewidth=0.7, transform=axes.transAxes, zorder=1.9)
    x, y = (place / side for place, side in zip(label.place, area, strict=True))
    side = "left" if label.place[0] >= label.point[0] else "right"
    behind = {"pad": 0.5, "facecolor": PAPER, "edgecolor": "none"}
    style: dict[str, Any] = {
        "fontsize": SMALL,
        "color": INK,
        "ha": "center",
        "va": "center",
        "ma": side,
        "bbox": behind,
    }
    axes.text(x, y, label.text, transform=axes.transAxes, zorder=1.8, **style, **paper.literal())
