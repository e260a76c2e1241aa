"""Trends on the terminal, as Markdown, CSV, JSON or a plot: first and last level of each case, and where it changed."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench import units
from bench.analyze.trend import FEWEST_RUNS, SIGNIFICANCE, Change, Series
from bench.errors import InputError
from bench.present import markdown
from bench.present.plots import file as plot_file
from bench.present.tables import TINY

HEADER = ("case", "runs", "first", "last", "changes")
LEFT = ("case", "changes")
FIELDS = ("case", "run", "started_at", "latency_s", "change_ratio", "change_p", "changed_with")
COLUMNS, PANEL = 3, (4.2, 2.2)
ROOM = 0.05
"""Above and below the points: a level axis from zero would hide a change of 3 %."""
MOST_PANELS = 30
"""More cases than fit a page: those that changed come first, the rest is left out of the plot and counted."""


def show(series: Sequence[Series]) -> None:
    """Print the trends on the terminal."""
    console = Console()
    table = Table(title="latency over runs, oldest first", title_justify="left")
    for name in HEADER:
        table.add_column(name, justify="left" if name in LEFT else "right", overflow="fold")
    for row in _rows(series):
        table.add_row(*map(escape, row))
    console.print(table)
    for line in _lines(series):
        console.print(line, markup=False, highlight=False)


def as_markdown(series: Sequence[Series]) -> str:
    """Return the trends as a Markdown table with what must be known of them."""
    lines = [f"- {markdown.cell(line)}" for line in _lines(series)]
    return "\n\n".join([markdown.table(HEADER, _rows(series), LEFT), "\n".join(lines)]) + "\n"


def as_csv(series: Sequence[Series]) -> str:
    """Return a row a case and run, at full precision; a change stands at the first run of the new level."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records(series))
    return text.getvalue()


def as_json(series: Sequence[Series]) -> str:
    """Return the same rows as JSON."""
    return json.dumps(records(series), indent=1) + "\n"


def records(series: Sequence[Series]) -> list[dict[str, Any]]:
    """Return a flat record a case and run."""
    found = []
    for each in series:
        changes = {change.at: change for change in each.changes}
        for index, point in enumerate(each.points):
            change = changes.get(index)
            told = (change.ratio, change.probability, "; ".join(change.environment)) if change else (None, None, "")
            values = (each.key, point.run, point.started_at, point.latency_s, *told)
            found.append(dict(zip(FIELDS, values, strict=True)))
    return found


def plot(path: Path, series: Sequence[Series]) -> int:
    """Draw a panel a case into an image file, and return how many cases there was no room for.

    Raises:
        InputError: another kind of file is asked for, it cannot be written, or there is nothing to draw.
    """
    plot_file.check(path)
    from matplotlib.figure import Figure

    drawn = sorted(series, key=lambda each: not each.changes)[:MOST_PANELS]
    if not drawn:
        raise InputError(f"{path}: no case was measured, there is nothing to draw")
    rows = -(-len(drawn) // COLUMNS)
    columns = min(COLUMNS, len(drawn))
    figure = Figure(figsize=(PANEL[0] * columns, PANEL[1] * rows + 0.4), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for axes in panels[len(drawn) :]:
        axes.set_visible(False)
    for axes, each in zip(panels, drawn, strict=False):
        _draw(axes, each)
    plot_file.save(path, figure)
    return len(series) - len(drawn)


def _draw(axes: Any, series: Series) -> None:
    """Draw the medians of one case, and a line at every change."""
    axes.plot([point.latency_s for point in series.points], "o-", color="C0", markersize=3, linewidth=1)
    for change in series.changes:
        axes.axvline(change.at - 0.5, color="C3", linewidth=1)
        axes.annotate(
            units.change(change.ratio), (change.at - 0.5, 1), xycoords=("data", "axes fraction"), color="C3",
            fontsize=7, xytext=(2, -8), textcoords="offset points",
        )  # fmt: skip
    axes.set_title(f"{series.key}{' (tiny)' if series.tiny else ''}", fontsize=8)
    latencies = [point.latency_s for point in series.points]
    axes.set_ylim(min(latencies) * (1 - ROOM), max(latencies) * (1 + ROOM))
    axes.set_ylabel("seconds", fontsize=7)
    axes.set_xlabel("run, oldest first", fontsize=7)
    axes.tick_params(labelsize=7)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.spines[["top", "right"]].set_visible(b=False)


def _rows(series: Sequence[Series]) -> list[list[str]]:
    return [
        [
            each.key,
            str(len(each.points)),
            units.seconds(each.points[0].latency_s),
            units.seconds(each.points[-1].latency_s),
            "; ".join(_told(each, change) for change in each.changes) or "none found",
        ]
        for each in series
    ]


def _told(series: Series, change: Change) -> str:
    """Say where a level changed, by how much, and what else changed in the same run."""
    point = series.points[change.at]
    along = f" with {', '.join(change.environment)}" if change.environment else ""
    return f"{units.change(change.ratio)} at {point.run}{along} (p = {change.probability:.3f})"


def _lines(series: Sequence[Series]) -> list[str]:
    short = [each.key for each in series if len(each.points) < FEWEST_RUNS]
    lines = [f"A change is told at p <= {SIGNIFICANCE} of a permutation test; latency of a change: more is slower."]
    if short:
        told = f"{len(short)} of {len(series)} cases have under {FEWEST_RUNS} runs"
        lines.append(f"{told}: a change in the middle cannot be found.")
    if any(each.tiny for each in series):
        lines.append(TINY)
    others = {each.key: ", ".join(each.left_out) for each in series if each.left_out}
    return [*lines, *(f"{key}: left out, of another device or other settings: {runs}" for key, runs in others.items())]
