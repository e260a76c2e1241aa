"""Lines: how long each call of the denoiser takes, from the first to the last of a generation."""

from collections.abc import Sequence
from typing import Any

from bench.present.plots import page as paper
from bench.present.plots.page import BODY, INK, RULE, Head, Page
from bench.present.plots.rows import Row

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's; more lines than that nobody tells apart."""
UNEVEN = 1.1
"""A line that stays within a tenth says no more than the median does, which the split has."""
WIDE, TALL, LEFT, ABOVE, AXIS = 6.4, 2.6, 0.55, 0.1, 0.52


def steps(head: Head, rows: Sequence[Row]) -> Page | None:
    """Draw the denoiser's calls of each case; None where there are none, too many cases, or all calls are alike."""
    from matplotlib.ticker import MaxNLocator

    shown = [row for row in rows if len(row.denoiser_calls_s) > 1]
    if not any(_uneven(row.denoiser_calls_s) for row in shown) or len(shown) > len(COLORS):
        return None
    factor, unit = paper.time_scale(value for row in shown for value in row.denoiser_calls_s)
    names = [f"{row.case}{' (tiny)' if head.mixed and row.tiny else ''}" for row in shown]
    key = max(paper.length(name, BODY) for name in names) + 0.4
    note = "One further call of each case, the spans of its denoiser in order."
    width = paper.MARGIN + LEFT + WIDE + key + paper.MARGIN
    page = paper.page(head, "The denoiser's calls", width, ABOVE + TALL + AXIS, [note])
    axes = paper.axes(page, paper.MARGIN + LEFT, page.bottom + AXIS, WIDE, TALL)
    axes.yaxis.grid(visible=True, color=RULE, linewidth=0.7)
    for row, color in zip(shown, COLORS, strict=False):
        numbers = range(1, len(row.denoiser_calls_s) + 1)
        axes.plot(numbers, [value * factor for value in row.denoiser_calls_s], color=color, linewidth=1.2, zorder=2)
    longest = max(len(row.denoiser_calls_s) for row in shown)
    axes.set(xlim=(1 - 0.02 * longest, 1.02 * longest))
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    paper.name_axis(axes, "x", "call of the denoiser")
    paper.name_axis(axes, "y", f"time ({unit})")
    _name_lines(page, axes, names)
    return page


def _uneven(calls: Sequence[float]) -> bool:
    return max(calls) > UNEVEN * min(calls)


def _name_lines(page: Page, axes: Any, names: Sequence[str]) -> None:
    """Name the lines beside the axes, one below the other."""
    box = axes.get_position()
    left, top = box.x1 * page.width + 0.2, box.y1 * page.height
    for index, (name, color) in enumerate(zip(names, COLORS, strict=False)):
        y = top - 0.12 - 0.22 * index
        paper.write(page, left, y, "—", fontsize=BODY, color=color, fontweight="bold", va="center_baseline")
        paper.write(page, left + 0.2, y, name, fontsize=BODY, color=INK, va="center_baseline")
