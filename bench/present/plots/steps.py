"""Lines: how long each call of the denoiser takes, from the first to the last of a generation."""

from collections.abc import Sequence
from typing import Any

from bench.present.plots import page as paper
from bench.present.plots.page import BODY, INK, LINES, RULE, Page
from bench.present.plots.subject import Subject, name

UNEVEN = 1.1
"""A line that stays within a tenth says no more than its median, which the breakdown has."""
WIDE, TALL, LEFT, ABOVE, AXIS = 6.4, 2.6, 0.55, 0.1, 0.52


def steps(subject: Subject) -> Page | None:
    """Draw the denoiser's calls of each case; None if there are none, too many cases, or all calls are alike."""
    from matplotlib.ticker import MaxNLocator

    known = [(result, result.breakdown.denoiser_calls_s or ()) for result in subject.results]
    shown = [(result, calls) for result, calls in known if len(calls) > 1]
    if not any(_uneven(calls) for _, calls in shown) or len(shown) > len(LINES):
        return None
    factor, unit = paper.time_scale(value for _, calls in shown for value in calls)
    names = [name(result, mixed=subject.head.mixed) for result, _ in shown]
    key = max(paper.length(name, BODY) for name in names) + 0.4
    note = "One further call of each case, the spans of its denoiser in order."
    width = paper.MARGIN + LEFT + WIDE + key + paper.MARGIN
    page = paper.page(subject.head, "The denoiser's calls", width, ABOVE + TALL + AXIS, [note])
    axes = paper.axes(page, paper.MARGIN + LEFT, page.bottom + AXIS, WIDE, TALL)
    axes.yaxis.grid(visible=True, color=RULE, linewidth=0.7)
    for (_, calls), color in zip(shown, LINES, strict=False):
        numbers = range(1, len(calls) + 1)
        axes.plot(numbers, [value * factor for value in calls], color=color, linewidth=1.2, zorder=2)
    longest = max(len(calls) for _, calls in shown)
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
    box = axes.get_position()
    left, top = box.x1 * page.width + 0.2, box.y1 * page.height
    for index, (text, color) in enumerate(zip(names, LINES, strict=False)):
        y = top - 0.12 - 0.22 * index
        paper.write(page, left, y, "—", fontsize=BODY, color=color, fontweight="bold", va="center_baseline")
        paper.write(page, left + 0.2, y, text, fontsize=BODY, color=INK, va="center_baseline")
