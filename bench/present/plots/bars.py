"""Bars: what a call of each case takes, and how much faster than its baseline it is, beside the documented figures.

A bar begins at zero, a case without a measurement keeps its line and says why, and a toy twin never stands beside a
documented figure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bench import units
from bench.present.plots import page as paper
from bench.present.plots import scatter as plot_scatter
from bench.present.plots.page import BLUE, BODY, GRAY, INK, PAPER, RULE, SKY, SMALL, VERMILION, Head, Page
from bench.present.plots.rows import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW, TWIN_ROW = 0.27, 0.42
"""Inches that a case takes, with one bar and with two."""
BARS = 6.4
"""Inches that bars and what is written beside them share, at the least."""
NARROWEST, LONGEST_NAME = 8.6, 60
_BESIDE, _BETWEEN, _DIAMOND = 0.07, 0.09, 0.13
_CLAIM: dict[str, Any] = {"marker": "D", "markersize": 6.5, "color": VERMILION, "linestyle": "none", "mec": PAPER}
_WHISKER: dict[str, Any] = {"color": INK, "linewidth": 1, "marker": "|"}
_LEVEL: dict[str, Any] = {"color": INK, "linewidth": 1, "linestyle": (0, (4, 3))}
_LEGEND, _AXIS = 0.34, 0.52

Words = tuple[tuple[str, str], ...]
"""Texts with their colors, written after one another."""


@dataclass(frozen=True)
class _Bar:
    """One bar: where, how long in the axis' unit (None: only words), what is written at its end; `mark` stays free."""

    y: float
    thickness: float
    value: float | None
    color: str
    words: Words
    low: float | None = None
    high: float | None = None
    mark: float | None = None
    claim: str = ""


def latency(head: Head, rows: Sequence[Row]) -> Page:
    """Draw the median latency of each case, with its interval and the documented figure, where there are any."""
    shown = [row for row in rows if row.measured]
    seconds = (value for row in shown for value in (row.latency_s, row.high_s, row.claim_latency_s))
    factor, unit = paper.time_scale(value for value in seconds if value is not None)
    bars = [_latency_bar(index, row, factor, unit, mixed=head.mixed) for index, row in enumerate(rows)]
    page, axes = _draw(head, "Latency", [row.case for row in rows], bars, ROW)
    paper.name_axis(axes, "x", f"latency of one call ({unit})")
    paper.legend(page, axes, _latency_legend(rows, bars))
    return page


def speedup(head: Head, rows: Sequence[Row]) -> Page | None:
    """Draw measured against documented speed-ups; of toys the measured ones only, as no documented figure is theirs.

    None where there is nothing to compare: no documented speed-up of a full-size row, and no two toys with a baseline.
    """
    others = [row for row in rows if row.baseline != row.case]
    shown = [row for row in others if row.speedup is not None or row.claim_speedup is not None]
    documented = any(row.claim_speedup is not None for row in shown)
    toys = [row for row in rows if row.tiny and row.measured and row.baseline]
    if not any(row.speedup is not None for row in shown) or not (documented or len(toys) > 1):
        return None
    baselines = sorted({row.baseline or "" for row in shown})
    look = {"several": len(baselines) > 1, "mixed": head.mixed, "twins": documented}
    bars = [bar for index, row in enumerate(shown) for bar in _speedup_bars(index, row, **look)]
    notes = plot_scatter.not_shown([row for row in others if not row.measured], shown)
    height = TWIN_ROW if documented else ROW
    page, axes = _draw(head, "Speed-up", [row.case for row in shown], bars, height, notes)
    axes.axvline(1, zorder=2.5, **_LEVEL)
    against = _short(baselines[0]) if len(baselines) == 1 else "the baseline"
    paper.name_axis(axes, "x", f"speed-up: seconds per image of {against} / of the case")
    paper.legend(page, axes, _speedup_legend(shown, documented=documented))
    return page


def _latency_bar(index: int, row: Row, factor: float, unit: str, *, mixed: bool) -> _Bar:
    def scaled(value: float | None) -> float | None:
        return None if value is None else value * factor

    mark = scaled(row.claim_latency_s)
    claim = f"{_about(row)}{units.significant(mark)} {unit}" if mark is not None else row.claim_status or ""
    value = scaled(row.latency_s) if row.measured else None
    if value is None:
        words: Words = ((row.outcome, GRAY), (f"documented: {claim}" if claim else "", VERMILION))
        return _Bar(index, 0.62, None, BLUE, words)
    several = f"{row.images} images" if row.images > 1 else ""
    words = ((f"{units.significant(value)} {unit}", INK), *_remarks(row, several, mixed=mixed))
    claim = claim if mark is not None or not claim else f"documented: {claim}"
    return _Bar(index, 0.62, value, _color(row, mixed=mixed), words, scaled(row.low_s), scaled(row.high_s), mark, claim)


def _speedup_bars(index: int, row: Row, *, several: bool, mixed: bool, twins: bool) -> list[_Bar]:
    """Return a case's measured bar, and under it the documented one where there is a figure."""
    against = f"against {_short(row.baseline or '')}" if several else ""
    measured = ((units.ratio(row.speedup), INK), *_remarks(row, against, mixed=mixed))
    without = f"no speed-up: {row.baseline} was not measured at this size" if row.measured else row.outcome
    words = measured if row.speedup is not None else ((without, GRAY),)
    thickness, shift = 0.36 if twins else 0.62, 0.19 if row.claim_speedup is not None else 0.0
    color, low, high = _color(row, mixed=mixed), row.speedup_low, row.speedup_high
    bars = [_Bar(index - shift, thickness, row.speedup, color, words, low, high, mark=1.0)]
    if row.claim_speedup is not None:
        said = ((f"{_about(row)}{units.ratio(row.claim_speedup)}", VERMILION),)
        bars.append(_Bar(index + shift, thickness, row.claim_speedup, VERMILION, said, mark=1.0))
    return bars


def _color(row: Row, *, mixed: bool) -> str:
    return SKY if mixed and row.tiny else BLUE


def _remarks(row: Row, remark: str, *, mixed: bool) -> Words:
    """Return what is said after a figure in gray: a status worth saying, a remark, and that the row is a toy."""
    status = "" if row.status == "ok" else row.status
    return tuple((text, GRAY) for text in (status, remark, "(tiny)" if mixed and row.tiny else ""))


def _about(row: Row) -> str:
    return "about " if row.about else ""


def _short(name: str) -> str:
    """Return a case's name, without its middle where it is very long: matrix names differ at both ends."""
    half = LONGEST_NAME // 2
    return name if len(name) <= LONGEST_NAME else f"{name[:half]}…{name[-half:]}"


def _draw(
    head: Head, what: str, names: Sequence[str], bars: Sequence[_Bar], height: float, notes: Sequence[str] = ()
) -> tuple[Page, "Axes"]:
    """Draw bars from the first name at the top to the last, each with its words at its end."""
    left = paper.MARGIN + max(paper.length(_short(name), BODY) for name in names) + 0.15
    width = max(NARROWEST, left + BARS + paper.MARGIN)
    room, tall = width - left - paper.MARGIN, len(names) * height + 0.1
    page = paper.page(head, what, width, _LEGEND + tall + _AXIS, notes)
    axes = paper.axes(page, left, page.bottom + _AXIS, room, tall)
    bars = [_cut(bar, room - 0.3) for bar in bars]
    scale = _scale(bars, room)
    axes.set(xlim=(0, room / scale), ylim=(len(names) - 0.4, -0.6))
    axes.set_yticks(range(len(names)), [_short(name) for name in names], fontsize=BODY, **paper.literal())
    axes.tick_params(axis="y", length=0)
    axes.xaxis.grid(visible=True, color=RULE, linewidth=0.7)
    for bar in bars:
        _draw_bar(axes, bar, scale)
    return page, axes


def _draw_bar(axes: "Axes", bar: _Bar, scale: float) -> None:
    if bar.value is not None:
        axes.barh(bar.y, bar.value, height=bar.thickness, color=bar.color, zorder=2)
    if bar.low is not None and bar.high is not None:
        middle, half = (bar.low + bar.high) / 2, (bar.high - bar.low) / 2  # a median may lie outside of it
        axes.errorbar(middle, bar.y, xerr=half, color=INK, linewidth=1, capsize=2.5, zorder=3)
    if bar.mark is not None and bar.claim:
        axes.plot(bar.mark, bar.y, zorder=4, **_CLAIM)
    behind = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.6}
    for x, text, color in _placed(bar, scale):
        style = {"fontsize": SMALL, "color": color, "va": "center_baseline", **paper.literal()}
        axes.text(x / scale, bar.y, text, zorder=3.5, bbox=None if color == PAPER else behind, **style)


def _scale(bars: Sequence[_Bar], room: float) -> float:
    """Return the inches of one unit at which every bar, mark and word stays within `room`."""
    scale = 0.97 * room / max(value for bar in bars for value in (bar.value, bar.high, bar.mark) if value is not None)
    least = scale / 20  # words so long that they still do not fit are the lesser evil than bars that cannot be seen
    while scale > least and any(
        x + paper.length(text, SMALL) > room for bar in bars if bar.value for x, text, _ in _placed(bar, scale)
    ):
        scale *= 0.98
    return scale


def _placed(bar: _Bar, scale: float) -> list[tuple[float, str, str]]:
    """Return the texts of a bar with their colors and the inches from the axis where they begin.

    The bar's words stand at its end and the documented figure at its mark. Where a mark just behind the end leaves no
    room between them, the words go into the bar if that is long enough, and else before the documented figure.
    """
    begin = max(bar.value or 0, bar.high or 0) * scale + _BESIDE
    claim = ((bar.claim, VERMILION),) if bar.claim else ()
    if bar.value is None or bar.mark is None or bar.mark * scale + _DIAMOND < begin:
        return _in_line(begin, (*bar.words, *claim))
    after, wide = bar.mark * scale + _DIAMOND, _long(bar.words)
    if begin + wide < after - 2 * _DIAMOND:
        return [*_in_line(begin, bar.words), *_in_line(after, claim)]
    inside = min(bar.value or 0, bar.low or bar.value or 0) * scale - wide - _BESIDE
    if inside > _BESIDE and after > begin + _DIAMOND and bar.color != SKY:
        return [*_in_line(inside, tuple((text, PAPER) for text, _ in bar.words)), *_in_line(after, claim)]
    return _in_line(max(begin, after), (*bar.words, *claim))


def _long(words: Words) -> float:
    return sum(paper.length(text, SMALL) + _BETWEEN for text, _ in words) - _BETWEEN


def _in_line(x: float, words: Words) -> list[tuple[float, str, str]]:
    placed = []
    for text, color in words:
        placed.append((x, text, color))
        x += paper.length(text, SMALL) + _BETWEEN
    return placed


def _cut(bar: _Bar, room: float) -> _Bar:
    """Return a bar without empty words, its first one (which may be a long reason) cut to what the others leave."""
    first, *others = [(text, color) for text, color in bar.words if text]
    return replace(bar, words=((paper.fitted(first[0], room - _BETWEEN - _long((*others,)), SMALL), first[1]), *others))


def _latency_legend(rows: Sequence[Row], bars: Sequence[_Bar]) -> list[Any]:
    """Name what the latency plot shows, and only that."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    colors = {bar.color for bar in bars if bar.value is not None}
    names = {BLUE: "median", SKY: "median of a toy"}
    handles: list[Any] = [Patch(color=color, label=name) for color, name in names.items() if color in colors]
    of = sorted({row.interval for row in rows if row.measured and row.interval})
    if of:
        handles.append(Line2D([], [], label=f"95 % interval, {' or '.join(of)}", **_WHISKER))
    if any(bar.mark is not None for bar in bars):
        handles.append(Line2D([], [], label=_documented(rows), **_CLAIM))
    return handles


def _speedup_legend(rows: Sequence[Row], *, documented: bool) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Patch(color=BLUE, label="measured")]
    if any(row.speedup_low is not None for row in rows):
        handles.append(Line2D([], [], label="95 % interval, paired rounds", **_WHISKER))
    if documented:
        handles.append(Patch(color=VERMILION, label=_documented(rows)))
    return [*handles, Line2D([], [], label="as fast as the baseline", **_LEVEL)]


def _documented(rows: Sequence[Row]) -> str:
    devices = sorted({row.claim_device for row in rows if row.claim_device})
    return f"documented: {', '.join(devices) or 'device not named'}"
