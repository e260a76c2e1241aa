"""A trend as a plot: one panel per case, with a line where its level changed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench import units
from bench.analyze.trend import Series
from bench.errors import InputError
from bench.present import words
from bench.present.plots import page as paper
from bench.present.plots.page import BLUE, SMALL, VERMILION, Head, Page, printable
from bench.records.outcomes import Tiny

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS, WIDE, TALL, LEFT, ABOVE, BELOW = 3, 3.4, 1.5, 0.6, 0.35, 0.5
"""Panels in a row, and inches of a panel and around it."""
MARGIN = 0.05
"""Above and below the points: on an axis from zero a change of 3 % could not be seen."""
MOST_PANELS = 30
"""More would not fit on a page: cases that changed come first; the rest are left out and counted."""
XTICKS = 6


def write(path: Path, series: Sequence[Series]) -> int:
    """Draw one panel per case into a PNG, SVG or PDF file, and return how many cases there was no room for.

    Raises:
        InputError: another kind of file is named, it cannot be written, or there is nothing to draw.
    """
    paper.check_file(path)
    shown = sorted(series, key=lambda each: not each.changes)[:MOST_PANELS]
    if not shown:
        raise InputError(f"{path}: no case was measured, so there is nothing to draw")
    left_out = len(series) - len(shown)
    paper.write_file(draw(shown, left_out), path)
    return left_out


def draw(shown: Sequence[Series], left_out: int = 0) -> Page:
    """Draw these series on one page, with a note on those that were left out."""
    columns, rows = min(COLUMNS, len(shown)), -(-len(shown) // COLUMNS)
    note = f"{words.count(left_out, 'case')} left out for lack of room." if left_out else ""
    head = Head("Latency over runs", tiny=Tiny.among(each.tiny for each in shown), note=note)
    width = 2 * paper.MARGIN + columns * (LEFT + WIDE)
    page = paper.page(head, "Median of each run in seconds, oldest first", width, rows * (ABOVE + TALL + BELOW))
    for index, each in enumerate(shown):
        left = paper.MARGIN + index % columns * (LEFT + WIDE) + LEFT
        top = page.top - index // columns * (ABOVE + TALL + BELOW) - ABOVE
        name = f"{each.key} (tiny)" if head.mixed and each.tiny else each.key
        title = paper.fitted(printable(name), LEFT + WIDE - 0.1, SMALL)
        paper.write(page, left - LEFT + 0.1, top + 0.08, title, fontsize=SMALL, fontweight="bold", va="bottom")
        _draw(paper.axes(page, left, top - TALL, WIDE - 0.15, TALL), each)
    return page


def _draw(axes: "Axes", series: Series) -> None:
    from matplotlib.ticker import MaxNLocator

    latencies = [point.latency_s for point in series.points]
    axes.plot(range(1, len(latencies) + 1), latencies, "o-", color=BLUE, markersize=3, linewidth=1)
    for change in series.changes:
        axes.axvline(change.at + 0.5, color=VERMILION, linewidth=1)
        axes.annotate(
            units.change(change.ratio), (change.at + 0.5, 1), xycoords=("data", "axes fraction"), color=VERMILION,
            fontsize=SMALL, xytext=(3, -9), textcoords="offset points", **paper.LITERAL,
        )  # fmt: skip
    axes.set_ylim(min(latencies) * (1 - MARGIN), max(latencies) * (1 + MARGIN))
    axes.xaxis.set_major_locator(MaxNLocator(XTICKS, integer=True))
