"""Stacked bars: the parts of a call's time, and the least that this device needs for it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench import units
from bench.present.plots import page as paper
from bench.present.plots.page import BLUE, GRAY, INK, SMALL, Head, Page
from bench.present.plots.subject import Subject
from bench.records.case_result import CaseResult

Parts = Mapping[str, tuple[str, str]]
Stacks = Sequence[tuple[CaseResult, Mapping[str, float]]]
PARTS: Parts = {
    "text_encoder_s": ("text encoder", "#CC79A7"),
    "denoiser_s": ("denoiser", BLUE),
    "scheduler_s": ("scheduler", "#F0E442"),
    "vae_s": ("VAE", "#E69F00"),
    "image_s": ("image conversion", "#009E73"),
    "other_s": ("other components", "#56B4E9"),
    "rest_s": ("rest", "#BBBBBB"),
}
"""Field of the breakdown -> its name and color (Okabe and Ito)."""

ROOFLINE: Parts = {"roofline": ("the least time on this device", BLUE), "above": ("time above it", "#BBBBBB")}

BAR, ROOM, LEGEND, AXIS, BESIDE = 0.30, 6.4, 0.34, 0.52, 1.6
"""Inches: a case's line, the bars with the text beside them, and what is around them."""


def breakdown(subject: Subject) -> Page | None:
    """Draw the parts of one call of each case; None if no call was broken down."""
    stacks = [(each, parts) for each in subject.results if (parts := _parts(each))]
    notes = ["One further call of each case, timed part by part; 'rest' is what no part explains."]
    return _stacked(subject.head, "Breakdown of one call", stacks, PARTS, notes)


def roofline(subject: Subject) -> Page | None:
    """Draw, within each case's latency, the least time that its work takes on this device; None if that is unknown."""
    known = [
        (each, each.roofline.roofline_s, each.statistics.latency_median_s) for each in subject.results if each.measured
    ]
    stacks = [
        (each, {"roofline": min(least, latency), "above": max(0.0, latency - least)})
        for each, least, latency in known
        if least is not None and latency is not None
    ]
    note = (
        "The least time: the call's operations at this device's own rate of matrix products, or reading the denoiser's "
        "weights at its copy rate, whichever takes longer. Convolutions that need fewer operations than are counted "
        "(Winograd) can exceed 100 %."
    )
    return _stacked(subject.head, "Roofline: the least time of one call", stacks, ROOFLINE, [note])


def _parts(result: CaseResult) -> dict[str, float]:
    known = {part: getattr(result.breakdown, part) for part in PARTS}
    return {part: max(0.0, seconds) for part, seconds in known.items() if seconds is not None}


def _stacked(head: Head, what: str, stacks: Stacks, parts: Parts, notes: Sequence[str]) -> Page | None:
    from matplotlib.patches import Patch

    if not stacks:
        return None
    factor, unit = paper.time_scale(sum(values.values()) for _, values in stacks)
    names = [result.case for result, _ in stacks]
    left, tall = paper.beside(names), len(stacks) * BAR + 0.1
    page = paper.page(head, what, left + ROOM + paper.MARGIN, LEGEND + tall + AXIS, notes)
    axes = paper.rows(page, names, left, page.bottom + AXIS, (ROOM, tall))
    longest = max(sum(values.values()) for _, values in stacks) * factor
    axes.set_xlim(0, longest * ROOM / (ROOM - BESIDE))
    begin = np.zeros(len(stacks))
    for part, (_, color) in parts.items():
        widths = np.array([values.get(part, 0.0) * factor for _, values in stacks])
        axes.barh(range(len(stacks)), widths, left=begin, height=0.62, color=color, zorder=2)
        begin += widths
    for index, (result, values) in enumerate(stacks):
        _beside(axes, index, result, values, factor, unit)
    paper.name_axis(axes, "x", f"time of one call ({unit})")
    used = {part for _, values in stacks for part in values}
    paper.legend(page, axes, [Patch(color=parts[part][1], label=parts[part][0]) for part in parts if part in used])
    return page


def _beside(axes: Any, index: int, result: CaseResult, values: Mapping[str, float], factor: float, unit: str) -> None:
    whole = sum(values.values())
    share = f"{result.roofline.roofline_fraction:.1%} of " if "roofline" in values else ""
    label = f" {share}{units.significant(whole * factor)} {unit}{'  (tiny)' if result.tiny else ''}"
    style = {"fontsize": SMALL, "color": GRAY if result.tiny else INK, "va": "center_baseline", **paper.LITERAL}
    axes.text(whole * factor, index, label, zorder=3, **style)
