"""Plots of two directions: memory against time, and schedulers against steps."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bench import units
from bench.plan.case import Case
from bench.present.plots import page as paper
from bench.present.plots.page import BLUE, BODY, GRAY, INK, ON_DARK, ON_LIGHT, PAPER, SMALL, Head, Page
from bench.present.plots.rows import Row, plain
from bench.present.plots.scatter import Dot, not_shown, scatter

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEPS_AXES = {"scheduler", "num_inference_steps"}
CELL_WIDTH, CELL_HEIGHT = 1.2, 0.46
TINY_PRINT = 7.0
UNMEASURED, HATCH = "#f0f0f0", "#c4c4c4"
DARK = 0.5
"""The luminance under which a cell takes white print."""
_AXIS = 0.55


def memory(head: Head, rows: Sequence[Row]) -> Page | None:
    """Draw peak memory against seconds per image; None where the memory of no measured case is known."""
    on_device = any(row.allocated_bytes is not None for row in rows if row.measured)
    found = [(row, row.seconds_per_image, row.allocated_bytes if on_device else row.rss_growth_bytes) for row in rows]
    known = [(row, time, peak) for row, time, peak in found if row.measured and time is not None and peak is not None]
    if not known:
        return None
    dots = [
        Dot(row.case + " (tiny)", time, peak, PAPER, BLUE) if head.mixed and row.tiny else Dot(row.case, time, peak)
        for row, time, peak in known
    ]
    what = "peak memory allocated on the device" if on_device else "peak growth of memory on the host"
    notes = not_shown(rows, [row for row, _, _ in known])
    return scatter(head, "Memory and time", dots, ("time per image", what), notes)


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
    """Color and label every cell, and draw what the colors say."""
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
            axes.text(column, line, row.status if row else "not run", color=GRAY, bbox=behind, **_print(SMALL))
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
    scale.tick_params(labelsize=SMALL, colors=GRAY, labelcolor=INK, length=3)


def _small_print(row: Row, *, mixed: bool) -> str:
    """Return what stands under a cell's latency: the denoiser's calls where they are not the steps, and what is odd."""
    calls = f"{row.denoiser_calls} calls" if row.denoiser_calls not in {None, row.steps} else ""
    odd = ["" if row.status == "ok" else row.status, "tiny" if mixed and row.tiny else ""]
    return "  ".join(filter(None, [calls, *odd]))


def _print(size: float) -> dict[str, Any]:
    return {"fontsize": size, "ha": "center", "va": "center_baseline", **paper.literal()}


def _ink(color: str) -> str:
    """Return what is readable on a color: by its luminance, as in ITU-R BT.709."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(color)
    return ON_DARK if 0.2126 * red + 0.7152 * green + 0.0722 * blue < DARK else ON_LIGHT
