"""Plots of two directions: memory against time, and schedulers against steps."""

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bench import units
from bench.plan.case import Case
from bench.present import plot_page as paper
from bench.present.plot_page import BLUE, BODY, GREY, INK, PAPER, POINTS_PER_INCH, RULE, SMALL, Head, Page
from bench.present.plot_rows import Row, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEPS_AXES = {"scheduler", "num_inference_steps"}
CELL_WIDTH, CELL_HEIGHT = 1.2, 0.46
TINY_PRINT = 7.0
UNMEASURED, HATCH = "#f0f0f0", "#c4c4c4"
DARK = 0.5
"""The luminance under which a cell takes white print."""
_WIDE, _TALL, _LEFT, _AXIS = 6.6, 4.4, 0.8, 0.55
_DOT, _NEAR, _FAR, _RING, _DIRECTIONS, _BESIDE, _BIT = 0.055, 0.03, 1.2, 0.06, 40, 0.12, 0.03
_OWN, _FOREIGN = (2 * _DOT, 2 * _DOT), (4.5 * _DOT, 4.5 * _DOT)
"""The room that a label leaves to its own point, and, so that nobody takes it for theirs, to those of other labels."""
_LINE_OF_NUMBERS, _TOO_TALL = 16, 12.0

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, bottom, right, top, in inches."""


@dataclass(frozen=True)
class _Dot:
    """A case in the memory plot: in the axes' units."""

    case: str
    x: float
    y: float
    hollow: bool


@dataclass(frozen=True)
class _Label:
    """A text beside its point: both places, and its size, in inches from the axes' corner."""

    text: str
    point: Point
    place: Point
    size: Point


def memory(head: Head, rows: Sequence[Row]) -> Page | None:
    """Draw peak memory against seconds per image; None where the memory of no measured case is known."""
    on_device = any(row.allocated_bytes is not None for row in rows if row.measured)
    found = [(row, row.seconds_per_image, row.allocated_bytes if on_device else row.rss_growth_bytes) for row in rows]
    known = [(row, time, peak) for row, time, peak in found if row.measured and time is not None and peak is not None]
    if not known:
        return None
    second, time_unit = paper.time_scale(time for _, time, _ in known)
    byte, memory_unit = paper.memory_scale(peak for _, _, peak in known)
    dots = [
        _Dot(row.case + " (tiny)" * (toy := head.mixed and row.tiny), time * second, peak * byte, toy)
        for row, time, peak in known
    ]
    page, axes = _scatter(head, dots, not_shown(rows, [row for row, _, _ in known]))
    what = "peak memory allocated on the device" if on_device else "peak growth of memory on the host"
    paper.name_axis(axes, "x", f"time per image ({time_unit})")
    paper.name_axis(axes, "y", f"{what} ({memory_unit})")
    return page


def not_shown(rows: Sequence[Row], shown: Sequence[Row]) -> list[str]:
    """Say which cases have no point in a plot, by reason, so that none is missing without a word."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row not in shown:
            reasons.setdefault("memory unknown" if row.measured else row.status, []).append(row.case)
    return [f"Not shown ({reason}): {', '.join(cases)}." for reason, cases in reasons.items()]


def heatmap(head: Head, rows: Sequence[Row], cases: Sequence[Case], axes: Sequence[str]) -> Page | None:
    """Draw the median latency of each scheduler at each number of steps; None for a scenario of other axes."""
    measured = {row.case for row in rows if row.measured}
    places = {case.name: _place(case) for case in cases if "num_inference_steps" in case.call}
    if set(axes) != STEPS_AXES or measured.isdisjoint(places):
        return None
    names = list(dict.fromkeys(name for name, _ in places.values()))
    steps = sorted({number for _, number in places.values()})
    found = {row.case: row for row in rows}
    cells = {place: found.get(case) for case, place in places.items()}
    left = paper.MARGIN + max(paper.length(name, BODY) for name in names) + 0.15
    wide, tall = len(steps) * CELL_WIDTH, len(names) * CELL_HEIGHT
    note = ["In small print: calls of the denoiser in one generation, where they differ from the steps."]
    labels = [_steps_label(number, cells) for number in steps]
    below = _AXIS + 0.1 + 0.15 * any("\n" in label for label in labels)
    page = paper.page(head, "Latency of one call", max(left + wide + 1.25, 7.5), tall + below, note)
    bottom = page.top - tall - 0.1
    drawn = paper.axes(page, left, bottom, wide, tall)
    drawn.set(xlim=(-0.5, len(steps) - 0.5), ylim=(len(names) - 0.5, -0.5))
    drawn.set_xticks(range(len(steps)), labels, fontsize=BODY)
    drawn.set_yticks(range(len(names)), names, fontsize=BODY, **paper.literal())
    drawn.tick_params(length=0)
    drawn.spines[:].set_visible(False)
    paper.name_axis(drawn, "x", "steps asked for (num_inference_steps)")
    scale = paper.axes(page, left + wide + 0.2, bottom + max(0.0, tall - 3), 0.14, min(tall, 3.0))
    _cells(drawn, scale, head, {(steps.index(number), names.index(name)): row for (name, number), row in cells.items()})
    return page


def _scatter(head: Head, dots: Sequence[_Dot], notes: Sequence[str]) -> tuple[Page, "Axes"]:
    """Draw labelled points: with their names where those fit beside them, else with numbers and a key at the side.

    Points that lie on one another share a label.
    """
    xs, ys = paper.axis_ends([dot.x for dot in dots]), paper.axis_ends([dot.y for dot in dots])
    names, tall, key, column = [dot.case for dot in dots], _TALL, 0.0, 0.0
    labels = _labels(_in_inches(dots, xs, ys, tall), names, "\n", tall)
    if labels is None:
        numbers = [str(number) for number in range(1, len(dots) + 1)]
        tall = max(_TALL, min(len(dots), paper.KEY_LINES) * paper.KEY_LINE)
        column = 0.5 + max(paper.length(name, SMALL) for name in names)
        key = column * math.ceil(len(dots) / paper.KEY_LINES)
        while (labels := _labels(_in_inches(dots, xs, ys, tall), numbers, ", ", tall)) is None:
            tall *= 1.2
    left = paper.MARGIN + _LEFT
    page = paper.page(head, "Memory and time", left + _WIDE + key + 0.35, 0.3 + tall + _AXIS, notes)
    bottom = page.bottom + _AXIS
    axes = paper.axes(page, left, bottom, _WIDE, tall)
    axes.set(xlim=xs, ylim=ys)
    axes.grid(visible=True, color=RULE, linewidth=0.7)
    for dot in dots:
        fill, edge = (PAPER, BLUE) if dot.hollow else (BLUE, PAPER)
        axes.plot(dot.x, dot.y, "o", markersize=6, markerfacecolor=fill, markeredgecolor=edge)
    for label in labels:
        _write_label(axes, label, (_WIDE, tall))
    paper.write(page, left, page.top, "lower left is better", fontsize=SMALL, color=GREY, va="top", style="italic")
    if key:
        paper.key(page, left + _WIDE + 0.2, bottom + tall, names, column)
    return page, axes


def _in_inches(dots: Sequence[_Dot], xs: Point, ys: Point, tall: float) -> list[Point]:
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


def _box(centre: Point, size: Point) -> Box:
    return centre[0] - size[0] / 2, centre[1] - size[1] / 2, centre[0] + size[0] / 2, centre[1] + size[1] / 2


def _inside(box: Box, tall: float) -> bool:
    return box[0] > 0 and box[1] > 0 and box[2] < _WIDE and box[3] < tall


def _hits(some: Sequence[Box], others: Sequence[Box]) -> bool:
    return any(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3] for a in some for b in others)


def _write_label(axes: "Axes", label: _Label, area: Point) -> None:
    """Write a label at its place, with a line to its point where it does not stand beside it."""
    line = [label.point, *(((left + right) / 2, (low + high) / 2) for left, low, right, high in _line(label))]
    xs, ys = ([end[side] / area[side] for end in (line[0], line[-1])] for side in (0, 1))
    axes.plot(xs, ys, color=GREY, linewidth=0.7, transform=axes.transAxes, zorder=1.9)
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


def _place(case: Case) -> tuple[str, int]:
    """Return a case's row and column: its name without the steps (a crossed case keeps its own word), and the steps."""
    steps = int(case.call["num_inference_steps"])
    words = case.name.split("-")
    if str(steps) in words:
        words.pop(len(words) - 1 - words[::-1].index(str(steps)))
    return plain("-".join(words)), steps


def _steps_label(asked: int, cells: Mapping[tuple[str, int], Row | None]) -> str:
    """Return the steps asked for, and below them those that a toy twin makes of them."""
    made = {row.steps for (_, steps), row in cells.items() if steps == asked and row is not None and row.tiny}
    fewer = sorted(steps for steps in made if steps is not None and steps != asked)
    return f"{asked}\n(tiny: {', '.join(map(str, fewer))})" if fewer else str(asked)


def _cells(axes: "Axes", scale: "Axes", head: Head, cells: Mapping[tuple[int, int], Row | None]) -> None:
    """Colour and label every cell, and draw what the colours say."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize, to_hex
    from matplotlib.patches import Rectangle

    known = [row.latency_s for row in cells.values() if row is not None and row.measured and row.latency_s is not None]
    factor, unit = paper.time_scale(known)
    colors = ListedColormap(colormaps["Blues"]([0.08 + 0.8 * step / 255 for step in range(256)]))
    shade = ScalarMappable(Normalize(min(known) * factor, max(known) * factor), colors)
    behind = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5}
    for (column, line), row in cells.items():
        corner, color = (column - 0.5, line - 0.5), UNMEASURED
        if row is None or not row.measured or row.latency_s is None:
            axes.add_patch(Rectangle(corner, 1, 1, facecolor=color, edgecolor=HATCH, hatch="///", linewidth=0))
            axes.text(column, line, row.status if row else "not run", color=GREY, bbox=behind, **_print(SMALL))
        else:
            color = to_hex(shade.to_rgba(np.array([row.latency_s * factor]))[0])
            axes.add_patch(Rectangle(corner, 1, 1, facecolor=color, edgecolor="none"))
            below = _small_print(row, mixed=head.mixed)
            text = f"{units.significant(row.latency_s * factor)} {unit}"
            axes.text(column, line - 0.17 * bool(below), text, color=_ink(color), **_print(BODY))
            axes.text(column, line + 0.24, below, color=_ink(color), **_print(TINY_PRINT))
        axes.add_patch(Rectangle(corner, 1, 1, facecolor="none", edgecolor=PAPER, linewidth=2))
    bar = axes.figure.colorbar(shade, cax=scale)
    bar.outline.set_visible(False)
    scale.set_ylabel(f"median latency ({unit})", fontsize=SMALL, color=INK, **paper.literal())
    scale.tick_params(labelsize=SMALL, colors=GREY, labelcolor=INK, length=3)


def _small_print(row: Row, *, mixed: bool) -> str:
    """Return what stands under a cell's latency: the denoiser's calls where they are not the steps, and what is odd."""
    calls = f"{row.denoiser_calls} calls" if row.denoiser_calls not in {None, row.steps} else ""
    odd = ["" if row.status == "ok" else row.status, "tiny" if mixed and row.tiny else ""]
    return "  ".join(filter(None, [calls, *odd]))


def _print(size: float) -> dict[str, Any]:
    return {"fontsize": size, "ha": "center", "va": "center_baseline", **paper.literal()}


def _ink(color: str) -> str:
    """Return what is readable on a colour: by its luminance, as in ITU-R BT.709."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(color)
    return PAPER if 0.2126 * red + 0.7152 * green + 0.0722 * blue < DARK else INK
