"""Where the time of one call goes: a stacked bar a case, from the pass that splits a call into its parts."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench import units
from bench.present import plot_page as paper
from bench.present.plot_page import BODY, GREY, INK, RULE, SMALL, Head, Page, Row

PARTS: Mapping[str, tuple[str, str]] = {
    "text_encoder": ("text encoder", "#CC79A7"),
    "denoiser": ("denoiser", "#0072B2"),
    "scheduler": ("scheduler", "#F0E442"),
    "vae": ("VAE", "#E69F00"),
    "image": ("image conversion", "#009E73"),
    "rest": ("rest", "#BBBBBB"),
}
"""Part -> its name and colour (Okabe and Ito)."""

BAR, ROOM, LEGEND, AXIS, BESIDE = 0.30, 6.4, 0.34, 0.52, 0.9
"""Inches: a case's line, the bars with what stands beside them, and what is around them."""


def split(head: Head, rows: Sequence[Row]) -> Page | None:
    """Draw the parts of one call of each case; None where no call was split."""
    shown = [row for row in rows if row.split]
    if not shown:
        return None
    factor, unit = paper.time_scale(sum(row.split.values()) for row in shown)
    left = paper.MARGIN + max(paper.length(row.case, BODY) for row in shown) + 0.15
    tall = len(shown) * BAR + 0.1
    notes = ["One further call of each case, timed part by part; 'rest' is what no part explains."]
    page = paper.page(head, "Where a call's time goes", left + ROOM + paper.MARGIN, LEGEND + tall + AXIS, notes)
    axes = paper.axes(page, left, page.bottom + AXIS, ROOM, tall)
    longest = max(sum(row.split.values()) for row in shown) * factor
    axes.set(xlim=(0, longest * ROOM / (ROOM - BESIDE)), ylim=(len(shown) - 0.4, -0.6))
    axes.set_yticks(range(len(shown)), [row.case for row in shown], fontsize=BODY, **paper.literal())
    axes.tick_params(axis="y", length=0)
    axes.xaxis.grid(visible=True, color=RULE, linewidth=0.7)
    for index, row in enumerate(shown):
        _bar(axes, index, row, factor, unit)
    paper.name_axis(axes, "x", f"time of one call ({unit})")
    paper.legend(page, axes, _legend(shown))
    return page


def _bar(axes: Any, index: int, row: Row, factor: float, unit: str) -> None:
    """Draw the parts of one case after one another, and the whole behind them."""
    begin = 0.0
    for part, (_, color) in PARTS.items():
        width = row.split.get(part, 0.0) * factor
        axes.barh(index, width, left=begin, height=0.62, color=color, zorder=2)
        begin += width
    label = f" {units.significant(begin)} {unit}{'  (tiny)' if row.tiny else ''}"
    style = {"fontsize": SMALL, "color": GREY if row.tiny else INK, "va": "center_baseline", **paper.literal()}
    axes.text(begin, index, label, zorder=3, **style)


def _legend(rows: Sequence[Row]) -> list[Any]:
    from matplotlib.patches import Patch

    return [
        Patch(color=color, label=name) for part, (name, color) in PARTS.items() if any(part in r.split for r in rows)
    ]
