"""Stacked bars: into which parts the time of a call falls, and how much of it this device needs at the least."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench import units
from bench.present.plots import page as paper
from bench.present.plots.page import BODY, GRAY, INK, RULE, SMALL, Head, Page
from bench.present.plots.rows import Row

Parts = Mapping[str, tuple[str, str]]
Stacks = Mapping[Row, Mapping[str, float]]
PARTS: Parts = {
    "text_encoder": ("text encoder", "#CC79A7"),
    "denoiser": ("denoiser", "#0072B2"),
    "scheduler": ("scheduler", "#F0E442"),
    "vae": ("VAE", "#E69F00"),
    "image": ("image conversion", "#009E73"),
    "rest": ("rest", "#BBBBBB"),
}
"""Part -> its name and color (Okabe and Ito)."""

LIMIT: Parts = {"limit": ("the least time on this device", "#0072B2"), "above": ("time above it", "#BBBBBB")}

BAR, ROOM, LEGEND, AXIS, BESIDE = 0.30, 6.4, 0.34, 0.52, 1.6
"""Inches: a case's line, the bars with what stands beside them, and what is around them."""


def split(head: Head, rows: Sequence[Row]) -> Page | None:
    """Draw the parts of one call of each case; None where no call was split."""
    stacks = {row: row.split for row in rows if row.split}
    notes = ["One further call of each case, timed part by part; 'rest' is what no part explains."]
    return _stacked(head, "Where a call's time goes", stacks, PARTS, notes)


def limit(head: Head, rows: Sequence[Row]) -> Page | None:
    """Draw of each case's latency the least time that its work takes on this device; None where that is unknown."""
    stacks = {
        row: {"limit": min(row.roofline_s, row.latency_s), "above": max(0.0, row.latency_s - row.roofline_s)}
        for row in rows
        if row.measured and row.roofline_s is not None and row.latency_s is not None
    }
    note = (
        "The least time: the call's operations at this device's own rate of matrix products, or reading the denoiser's "
        "weights at its rate of copies, whichever takes longer."
    )
    return _stacked(head, "Distance from the limit", stacks, LIMIT, [note])


def _stacked(head: Head, what: str, stacks: Stacks, parts: Parts, notes: Sequence[str]) -> Page | None:
    """Draw a bar of parts for each case, with the whole behind it."""
    if not stacks:
        return None
    factor, unit = paper.time_scale(sum(values.values()) for values in stacks.values())
    left = paper.MARGIN + max(paper.length(row.case, BODY) for row in stacks) + 0.15
    tall = len(stacks) * BAR + 0.1
    page = paper.page(head, what, left + ROOM + paper.MARGIN, LEGEND + tall + AXIS, notes)
    axes = paper.axes(page, left, page.bottom + AXIS, ROOM, tall)
    longest = max(sum(values.values()) for values in stacks.values()) * factor
    axes.set(xlim=(0, longest * ROOM / (ROOM - BESIDE)), ylim=(len(stacks) - 0.4, -0.6))
    axes.set_yticks(range(len(stacks)), [row.case for row in stacks], fontsize=BODY, **paper.literal())
    axes.tick_params(axis="y", length=0)
    axes.xaxis.grid(visible=True, color=RULE, linewidth=0.7)
    for index, (row, values) in enumerate(stacks.items()):
        _bar(axes, index, [(values.get(part, 0.0) * factor, parts[part][1]) for part in parts])
        _beside(axes, index, row, values, factor, unit)
    paper.name_axis(axes, "x", f"time of one call ({unit})")
    paper.legend(page, axes, _legend(stacks, parts))
    return page


def _bar(axes: Any, index: int, widths: Sequence[tuple[float, str]]) -> None:
    begin = 0.0
    for width, color in widths:
        axes.barh(index, width, left=begin, height=0.62, color=color, zorder=2)
        begin += width


def _beside(axes: Any, index: int, row: Row, values: Mapping[str, float], factor: float, unit: str) -> None:
    """Write the whole beside its bar; the share of the limit where that is what the bar shows."""
    whole = sum(values.values())
    share = f"{values['limit'] / whole:.1%} of " if "limit" in values else ""
    label = f" {share}{units.significant(whole * factor)} {unit}{'  (tiny)' if row.tiny else ''}"
    style = {"fontsize": SMALL, "color": GRAY if row.tiny else INK, "va": "center_baseline", **paper.literal()}
    axes.text(whole * factor, index, label, zorder=3, **style)


def _legend(stacks: Stacks, parts: Parts) -> list[Any]:
    from matplotlib.patches import Patch

    used = {part for values in stacks.values() for part in values}
    return [Patch(color=color, label=name) for part, (name, color) in parts.items() if part in used]
