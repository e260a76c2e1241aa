"""A comparison as a plot: every case's change in latency, with its interval."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.analyze.comparison import Compared, Pair
from bench.analyze.highlights import tiny_among
from bench.errors import InputError
from bench.present.plots import page as paper
from bench.present.plots.page import INK, LINES, PAPER, Head, Page, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CASES = 100
"""More would not fit on a readable page, so the cases that changed most are drawn and the rest are counted."""
CASE, WIDE, LEGEND, AXIS = 0.28, 6.0, 0.34, 0.52


def write(path: Path, compared: Compared) -> None:
    """Draw the comparison into a PNG, SVG or PDF file.

    Raises:
        InputError: another kind of file is named, it cannot be written, or no case was measured on both sides.
    """
    paper.check_file(path)
    measured = [[pair for pair in pairs if pair.ratio is not None] for pairs in compared.pairs]
    if not any(measured):
        raise InputError(f"{path}: no case was measured on both sides, so there is nothing to draw")
    paper.write_file(draw(compared, measured), path)


def draw(compared: Compared, measured: Sequence[Sequence[Pair]]) -> Page:
    """Draw the pairs that have a ratio, a list for each side that is compared."""
    keys, note = _shown(measured)
    base, *others = compared.sides
    head = Head(
        title=printable(f"{', '.join(side.name for side in others)} against {base.name}"),
        tiny=tiny_among(each for side in compared.sides for each in side.results.values()),
        note=note,
    )
    tiny = {pair.key for pairs in measured for pair in pairs if head.mixed and pair.new is not None and pair.new.tiny}
    names = [f"{printable(key)} (tiny)" if key in tiny else printable(key) for key in keys]
    left, tall = paper.beside(names), len(keys) * CASE * max(1, 0.6 * len(others))
    page = paper.page(head, "Change in latency", left + WIDE + paper.MARGIN, LEGEND + tall + AXIS)
    axes = paper.rows(page, names, left, page.bottom + AXIS, (WIDE, tall))
    axes.axvline(0, color=INK, linewidth=1)
    handles = []
    for index, (side, pairs) in enumerate(zip(others, measured, strict=True)):
        color = LINES[index % len(LINES)]
        shift = (index - (len(others) - 1) / 2) * 0.6 / len(others)
        _draw(axes, {keys.index(pair.key) + shift: pair for pair in pairs if pair.key in keys}, color)
        handles += _handles(side.name, pairs, color)
    paper.name_axis(axes, "x", "change in latency in percent (right is slower)")
    paper.legend(page, axes, handles)
    return page


def _shown(measured: Sequence[Sequence[Pair]]) -> tuple[list[str], str]:
    ratios: dict[str, float] = {}
    for pair in (pair for pairs in measured for pair in pairs):
        ratios[pair.key] = max(ratios.get(pair.key, 0.0), abs((pair.ratio or 1) - 1))
    most = set(sorted(ratios, key=lambda key: -ratios[key])[:MOST_CASES])
    note = f"The {len(most)} cases that changed most, of {len(ratios)}." if len(most) < len(ratios) else ""
    return [key for key in ratios if key in most], note


def _draw(axes: "Axes", pairs: dict[float, Pair], color: str) -> None:
    """Draw one side's changes: filled with an interval, hollow if there are too few processes for one."""
    for at, pair in pairs.items():
        if pair.interval is not None:
            axes.plot([_per_cent(pair.interval.low), _per_cent(pair.interval.high)], [at, at], color=color)
        fill = color if pair.interval else PAPER
        axes.plot(_per_cent(pair.ratio or 1), at, "o", color=color, markerfacecolor=fill, markersize=5)


def _handles(name: str, pairs: Sequence[Pair], color: str) -> list[Any]:
    from matplotlib.lines import Line2D

    style: dict[str, Any] = {"marker": "o", "color": color, "markersize": 5}
    made = []
    if any(pair.interval for pair in pairs):
        made.append(Line2D([], [], label=f"{printable(name)}, with its 95 % interval", **style))
    if any(pair.interval is None for pair in pairs):
        label = f"{printable(name)}, too few processes for an interval"
        made.append(Line2D([], [], label=label, markerfacecolor=PAPER, linestyle="none", **style))
    return made


def _per_cent(ratio: float) -> float:
    return 100 * (ratio - 1)
