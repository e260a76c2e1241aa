"""A heatmap: the latency of each scheduler at each number of steps."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bench import units
from bench.plan.case import Case
from bench.present.plots import page as paper
from bench.present.plots.page import BODY, GRAY, INK, ON_DARK, ON_LIGHT, PAPER, SMALL, Page
from bench.present.plots.subject import Subject
from bench.records.case_result import CaseResult
from bench.records.outcomes import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEPS_AXES = {"scheduler", "num_inference_steps"}
CELL_WIDTH, CELL_HEIGHT = 1.2, 0.46
TINY_PRINT = 7.0
UNMEASURED, HATCH = "#f0f0f0", "#c4c4c4"
DARK = 0.5
"""The luminance below which a cell takes white print."""
_AXIS = 0.55


def heatmap(subject: Subject) -> Page | None:
    """Draw the median latency of each scheduler at each number of steps; None for a scenario with other axes."""
    found = {each.case: each for each in subject.results}
    places = {paper.printable(each.name): _place(each) for each in subject.cases if "num_inference_steps" in each.call}
    measured = any(each.measured for name, each in found.items() if name in places)
    if set(subject.axes) != STEPS_AXES or not measured:
        return None
    names = list(dict.fromkeys(name for name, _ in places.values()))
    steps = sorted({number for _, number in places.values()})
    cells = {place: found.get(case) for case, place in places.items()}
    left = paper.MARGIN + max(paper.length(name, BODY) for name in names) + 0.15
    wide, tall = len(steps) * CELL_WIDTH, len(names) * CELL_HEIGHT
    note = ["In small print: calls of the denoiser in one generation, if they differ from the steps."]
    labels = [_steps_label(number, cells) for number in steps]
    below = _AXIS + 0.1 + 0.15 * any("\n" in label for label in labels)
    page = paper.page(subject.head, "Latency of one call", max(left + wide + 1.25, 7.5), tall + below, note)
    bottom = page.top - tall - 0.1
    drawn = paper.axes(page, left, bottom, wide, tall)
    drawn.set(xlim=(-0.5, len(steps) - 0.5), ylim=(len(names) - 0.5, -0.5))
    drawn.set_xticks(range(len(steps)), labels, fontsize=BODY)
    drawn.set_yticks(range(len(names)), names, fontsize=BODY, **paper.LITERAL)
    drawn.tick_params(length=0)
    drawn.spines[:].set_visible(False)
    paper.name_axis(drawn, "x", "steps asked for (num_inference_steps)")
    scale = paper.axes(page, left + wide + 0.2, bottom + max(0.0, tall - 3), 0.14, min(tall, 3.0))
    placed = {(steps.index(number), names.index(name)): result for (name, number), result in cells.items()}
    _cells(drawn, scale, placed, mixed=subject.head.mixed)
    return page


def _place(case: Case) -> tuple[str, int]:
    """Return a case's row and column: its name without the steps (a crossed case keeps its own name), and the steps."""
    steps = int(case.call["num_inference_steps"])
    words = case.name.split("-")
    if str(steps) in words:
        words.pop(len(words) - 1 - words[::-1].index(str(steps)))
    return paper.printable("-".join(words)), steps


def _steps_label(asked: int, cells: Mapping[tuple[str, int], CaseResult | None]) -> str:
    made = {each.settings.steps for (_, steps), each in cells.items() if steps == asked and each and each.tiny}
    fewer = sorted(steps for steps in made if steps is not None and steps != asked)
    return f"{asked}\n(tiny: {', '.join(map(str, fewer))})" if fewer else str(asked)


def _cells(axes: "Axes", scale: "Axes", cells: Mapping[tuple[int, int], CaseResult | None], *, mixed: bool) -> None:
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize, to_hex
    from matplotlib.patches import Rectangle

    known = [latency for each in cells.values() if (latency := _latency(each)) is not None]
    factor, unit = paper.time_scale(known)
    colors = ListedColormap(colormaps["Blues"]([0.08 + 0.8 * step / 255 for step in range(256)]))
    shade = ScalarMappable(Normalize(min(known) * factor, max(known) * factor), colors)
    behind = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5}
    for (column, line), result in cells.items():
        corner, latency = (column - 0.5, line - 0.5), _latency(result)
        if result is None or latency is None:
            axes.add_patch(Rectangle(corner, 1, 1, facecolor=UNMEASURED, edgecolor=HATCH, hatch="///", linewidth=0))
            status = result.status if result else "not run"
            axes.text(column, line, status, color=GRAY, bbox=behind, **_print(SMALL))
        else:
            color = to_hex(shade.to_rgba(np.array([latency * factor]))[0])
            axes.add_patch(Rectangle(corner, 1, 1, facecolor=color, edgecolor="none"))
            below = _small_print(result, mixed=mixed)
            text = f"{units.significant(latency * factor)} {unit}"
            axes.text(column, line - 0.17 * bool(below), text, color=_ink(color), **_print(BODY))
            axes.text(column, line + 0.24, below, color=_ink(color), **_print(TINY_PRINT))
        axes.add_patch(Rectangle(corner, 1, 1, facecolor="none", edgecolor=PAPER, linewidth=2))
    bar = axes.figure.colorbar(shade, cax=scale)
    bar.outline.set_visible(False)
    scale.set_ylabel(f"median latency ({unit})", fontsize=SMALL, color=INK, **paper.LITERAL)
    scale.tick_params(labelsize=SMALL, colors=GRAY, labelcolor=INK, length=3)


def _latency(result: CaseResult | None) -> float | None:
    return result.statistics.latency_median_s if result is not None and result.measured else None


def _small_print(result: CaseResult, *, mixed: bool) -> str:
    made = result.effective.denoiser_calls
    calls = f"{made} calls" if made not in {None, result.settings.steps} else ""
    odd = ["" if result.status is Status.OK else result.status, "tiny" if mixed and result.tiny else ""]
    return "  ".join(filter(None, [calls, *odd]))


def _print(size: float) -> dict[str, Any]:
    return {"fontsize": size, "ha": "center", "va": "center_baseline", **paper.LITERAL}


def _ink(color: str) -> str:
    """Return what is readable on a color: by its luminance, as in ITU-R BT.709."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(color)
    return ON_DARK if 0.2126 * red + 0.7152 * green + 0.0722 * blue < DARK else ON_LIGHT
