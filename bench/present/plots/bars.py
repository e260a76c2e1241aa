"""Bars: how long a call of each case takes and how much faster than its baseline it is, next to the documented figures.

A bar begins at zero, a case without a measurement keeps its line and says why, and a tiny model is never shown beside a
documented figure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bench import units
from bench.present import words
from bench.present.plots import page as paper
from bench.present.plots.page import BLUE, GRAY, INK, PAPER, SKY, SMALL, VERMILION, Head, Page
from bench.present.plots.subject import Subject, call_claim_s, not_shown
from bench.records.case_result import CaseResult
from bench.records.outcomes import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW, DOUBLE_ROW = 0.27, 0.42
"""Inches per case, with one bar and with two."""
BARS = 6.4
"""Inches that bars and the text beside them share, at least."""
NARROWEST, LONGEST_NAME = 8.6, 60
_BESIDE, _BETWEEN = 0.1, 0.09
_CLAIM: dict[str, Any] = {"marker": "D", "markersize": 6.5, "color": VERMILION, "linestyle": "none", "mec": PAPER}
_WHISKER: dict[str, Any] = {"color": INK, "linewidth": 1, "marker": "|"}
_LEVEL: dict[str, Any] = {"color": INK, "linewidth": 1, "linestyle": (0, (4, 3))}
_LEGEND, _AXIS = 0.34, 0.52

Texts = tuple[tuple[str, str], ...]
"""Texts with their colors, written after one another."""


@dataclass(frozen=True)
class _Bar:
    """One bar, in the axis' unit."""

    y: float
    thickness: float
    value: float | None  # None: there are only texts
    color: str
    texts: Texts  # behind whatever is drawn in its line
    low: float | None = None
    high: float | None = None
    mark: float | None = None  # the documented figure
    least_end: float = 0.0  # the level of the baseline, over which nothing is written


def latency(subject: Subject) -> Page:
    """Draw the median latency of each case, with its interval and the documented figure, if there are any."""
    results, head = subject.results, subject.head
    measured = [(each.statistics, each) for each in results if each.measured]
    known = [(figures.latency_median_s, figures.latency_high_s, call_claim_s(each)) for figures, each in measured]
    factor, unit = paper.time_scale(value for values in known for value in values if value is not None)
    bars = [_latency_bar(index, each, factor, unit, mixed=head.mixed) for index, each in enumerate(results)]
    page, axes = _draw(head, "Latency", [each.case for each in results], bars, ROW)
    paper.name_axis(axes, "x", f"latency of one call ({unit})")
    paper.legend(page, axes, _latency_legend(results, bars))
    return page


def speedup(subject: Subject) -> Page | None:
    """Draw measured and documented speed-ups; of tiny models only the measured ones.

    None if there is nothing to compare: no documented speed-up of a full-size case, and no two tiny ones with a
    baseline.
    """
    others = [each for each in subject.results if not each.is_baseline]
    shown = [each for each in others if each.comparison.speedup is not None or each.claim.speedup is not None]
    documented = any(each.claim.speedup is not None for each in shown)
    tiny = [each for each in subject.results if each.tiny and each.measured and each.comparison.baseline]
    if not any(each.comparison.speedup is not None for each in shown) or not (documented or len(tiny) > 1):
        return None
    baselines = sorted({each.comparison.baseline or "" for each in shown})
    look = {"several": len(baselines) > 1, "mixed": subject.head.mixed, "double": documented}
    bars = [bar for index, each in enumerate(shown) for bar in _speedup_bars(index, each, **look)]
    notes = not_shown([each for each in others if not each.measured], shown)
    height = DOUBLE_ROW if documented else ROW
    page, axes = _draw(subject.head, "Speed-up", [each.case for each in shown], bars, height, notes)
    axes.axvline(1, zorder=2.5, **_LEVEL)
    against = _short(baselines[0]) if len(baselines) == 1 else "the baseline"
    paper.name_axis(axes, "x", f"speed-up: seconds per image of {against} / of the case")
    paper.legend(page, axes, _speedup_legend(shown, documented=documented))
    return page


def _latency_bar(index: int, result: CaseResult, factor: float, unit: str, *, mixed: bool) -> _Bar:
    figures = result.statistics
    seconds = (figures.latency_median_s, figures.latency_low_s, figures.latency_high_s, call_claim_s(result))
    value, low, high, mark = (None if each is None else each * factor for each in seconds)
    claim = f"documented: {result.claim.status}" if result.claim.status else ""
    if mark is not None:
        claim = f"{_about(result)}{units.significant(mark)} {unit}"
    if value is None or not result.measured:
        documented = claim if mark is None else f"documented: {claim}"
        outcome = paper.printable(words.outcome(result))
        return _Bar(index, 0.62, None, BLUE, ((outcome, GRAY), (documented, VERMILION)))
    images = result.settings.images or 1
    asides = _asides(result, f"{images} images" if images > 1 else "", mixed=mixed)
    texts = ((f"{units.significant(value)} {unit}", INK), *asides, (claim, VERMILION))
    return _Bar(index, 0.62, value, _color(result, mixed=mixed), texts, low, high, mark)


def _speedup_bars(index: int, result: CaseResult, *, several: bool, mixed: bool, double: bool) -> list[_Bar]:
    """Return a case's measured bar, and below it the documented one if there is a figure."""
    found, documented = result.comparison, result.claim.speedup
    against = f"against {_short(found.baseline or '')}" if several else ""
    texts: Texts = ((units.ratio(found.speedup), INK), *_asides(result, against, mixed=mixed))
    if found.speedup is None:
        missing = f"no speed-up: {found.baseline} was not measured at this size"
        texts = ((missing if result.measured else paper.printable(words.outcome(result)), GRAY),)
    thickness, shift = 0.36 if double else 0.62, 0.19 if documented is not None else 0.0
    color, low, high = _color(result, mixed=mixed), found.speedup_low, found.speedup_high
    bars = [_Bar(index - shift, thickness, found.speedup, color, texts, low, high, least_end=1.0)]
    if documented is not None:
        inferred = " (inferred)" if result.claim.speedup_inferred else ""
        said = ((f"{_about(result)}{units.ratio(documented)}{inferred}", VERMILION),)
        bars.append(_Bar(index + shift, thickness, documented, VERMILION, said, least_end=1.0))
    return bars


def _color(result: CaseResult, *, mixed: bool) -> str:
    return SKY if mixed and result.tiny else BLUE


def _asides(result: CaseResult, aside: str, *, mixed: bool) -> Texts:
    """Return what is written after a figure in gray: a status other than ok, an aside, and that the model is tiny."""
    status = "" if result.status is Status.OK else result.status
    return tuple((text, GRAY) for text in (status, aside, "(tiny)" if mixed and result.tiny else ""))


def _about(result: CaseResult) -> str:
    return "about " if result.claim.approximate else ""


def _short(name: str) -> str:
    """Return a case's name, without its middle if it is very long: names of a matrix differ at both ends."""
    half = LONGEST_NAME // 2
    return name if len(name) <= LONGEST_NAME else f"{name[:half]}…{name[-half:]}"


def _draw(
    head: Head, what: str, cases: Sequence[str], bars: Sequence[_Bar], height: float, notes: Sequence[str] = ()
) -> tuple[Page, "Axes"]:
    names = list(map(_short, cases))
    left = paper.beside(names)
    width = max(NARROWEST, left + BARS + paper.MARGIN)
    room, tall = width - left - paper.MARGIN, len(names) * height + 0.1
    page = paper.page(head, what, width, _LEGEND + tall + _AXIS, notes)
    axes = paper.rows(page, names, left, page.bottom + _AXIS, (room, tall))
    bars = [_cut(bar, room - 0.3) for bar in bars]
    scale = _scale(bars, room)
    axes.set_xlim(0, room / scale)
    drawn = [bar for bar in bars if bar.value is not None]
    look: dict[str, Any] = {"height": [bar.thickness for bar in drawn], "color": [bar.color for bar in drawn]}
    axes.barh([bar.y for bar in drawn], [bar.value or 0 for bar in drawn], zorder=2, **look)
    if spans := [(bar.y, bar.low, bar.high) for bar in bars if bar.low is not None and bar.high is not None]:
        ys, lows, highs = map(np.array, zip(*spans, strict=True))
        middle, half = (lows + highs) / 2, (highs - lows) / 2  # a median may lie outside of it
        axes.errorbar(middle, ys, xerr=half, color=INK, linewidth=1, capsize=2.5, zorder=3, linestyle="none")
    marks = [(bar.mark, bar.y) for bar in bars if bar.mark is not None]
    axes.plot([x for x, _ in marks], [y for _, y in marks], zorder=4, **_CLAIM)
    for bar in bars:
        for x, text, color in _placed(bar, scale):
            behind = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.6}
            style: dict[str, Any] = {"fontsize": SMALL, "color": color, "va": "center_baseline", **paper.LITERAL}
            axes.text(x / scale, bar.y, text, zorder=3.5, bbox=behind, **style)
    return page, axes


def _placed(bar: _Bar, scale: float) -> list[tuple[float, str, str]]:
    """Return the texts, each with its place in inches: behind the bar, and the documented figure behind its mark.

    All are behind the mark if there is no room between the two.
    """
    measured, documented = (bar.texts[:-1], bar.texts[-1:]) if bar.mark is not None else (bar.texts, ())
    place, mark = _end(replace(bar, mark=None)) * scale + _BESIDE, (bar.mark or 0.0) * scale
    if documented and place + _long(measured) + 2 * _BETWEEN < mark:
        return [*_in_line(place, measured), *_in_line(mark + _BESIDE, documented)]
    return _in_line(_end(bar) * scale + _BESIDE, bar.texts)


def _end(bar: _Bar) -> float:
    return max(bar.least_end, *(value for value in (0.0, bar.value, bar.high, bar.mark) if value is not None))


def _scale(bars: Sequence[_Bar], room: float) -> float:
    """Return the inches per unit at which whatever is drawn, and the texts behind it, end within `room`."""
    widest = 0.97 * room / max(map(_end, bars))
    behind = [(room - _BESIDE - _long(bar.texts)) / _end(bar) for bar in bars if _end(bar)]
    return max(
        min(widest, *behind), widest / 20
    )  # texts that are too long are a lesser evil than bars too small to see


def _long(texts: Texts) -> float:
    return sum(paper.length(text, SMALL) + _BETWEEN for text, _ in texts) - _BETWEEN


def _in_line(x: float, texts: Texts) -> list[tuple[float, str, str]]:
    return [(x + _long(texts[:at]) + _BETWEEN, *text) for at, text in enumerate(texts)]


def _cut(bar: _Bar, room: float) -> _Bar:
    """Return a bar without empty texts, its first one (which may be a long reason) cut to what the others leave."""
    first, *others = [(text, color) for text, color in bar.texts if text]
    return replace(bar, texts=((paper.fitted(first[0], room - _BETWEEN - _long((*others,)), SMALL), first[1]), *others))


def _latency_legend(results: Sequence[CaseResult], bars: Sequence[_Bar]) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    colors = {bar.color for bar in bars if bar.value is not None}
    names = {BLUE: "median", SKY: "median of a tiny model"}
    handles: list[Any] = [Patch(color=color, label=name) for color, name in names.items() if color in colors]
    kinds = sorted({words.INTERVALS[kind] for each in results if (kind := each.statistics.interval) and each.measured})
    if kinds:
        handles.append(Line2D([], [], label=f"95 % interval, {' or '.join(kinds)}", **_WHISKER))
    if any(bar.mark is not None for bar in bars):
        handles.append(Line2D([], [], label=_documented(results), **_CLAIM))
    return handles


def _speedup_legend(results: Sequence[CaseResult], *, documented: bool) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Patch(color=BLUE, label="measured")]
    if any(each.comparison.speedup_low is not None for each in results):
        handles.append(Line2D([], [], label="95 % interval, from blocks", **_WHISKER))
    if documented:
        handles.append(Patch(color=VERMILION, label=_documented(results)))
    return [*handles, Line2D([], [], label="as fast as the baseline", **_LEVEL)]


def _documented(results: Sequence[CaseResult]) -> str:
    devices = sorted({each.claim.device for each in results if each.claim.device})
    return f"documented: {', '.join(devices) or 'device not named'}"
