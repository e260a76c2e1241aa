"""Trends: the first and the last level of each case over many runs, and where it changed."""

from collections.abc import Sequence
from typing import Any

from bench import units
from bench.analyze.trend import FEWEST_RUNS, SIGNIFICANCE, Change, Series
from bench.present import grid, render, verdicts, words
from bench.present.grid import ALWAYS, Cell, Column, Grid
from bench.records.outcomes import Tiny

FIELDS = ("case", "run", "started_at", "latency_s", "change_ratio", "change_p", "autocorrelation", "changed_with")
COLUMNS = (
    Column("case", left=True, wraps=True, keep=ALWAYS),
    Column("runs", "in which the case was measured", keep=1),
    Column("first", "latency of the oldest run", keep=2),
    Column("last", "latency of the newest run", keep=3),
    Column("changes", left=True, wraps=True, keep=ALWAYS),
)


def show(series: Sequence[Series]) -> None:
    """Print the trends on the terminal."""
    render.show(table(series), "--format csv has everything")


def as_json(series: Sequence[Series]) -> str:
    """Return the same rows as JSON."""
    return render.json_text(render.objects(records(series)))


def records(series: Sequence[Series]) -> Grid:
    """Return one row per case and run with the columns of `FIELDS`, for programs."""
    rows = []
    for each in series:
        changes = {change.at: change for change in each.changes}
        for index, point in enumerate(each.points):
            rows.append((each.key, point.run, point.started_at, point.latency_s, *_change(changes.get(index))))
    return grid.records(FIELDS, rows)


def table(series: Sequence[Series]) -> Grid:
    """Return one row per case."""
    return Grid(
        title="latency over runs, oldest first",
        columns=COLUMNS,
        rows=tuple(map(_row, series)),
        warning=words.TINY_WARNINGS[Tiny.among(each.tiny for each in series)],
        notes=tuple(_notes(series)),
    )


def _row(series: Series) -> tuple[Cell, ...]:
    first, last = series.points[0].latency_s, series.points[-1].latency_s
    changes = "; ".join(_described(series, change) for change in series.changes)
    count = len(series.points)
    return (
        Cell(series.key, tag="tiny" * series.tiny),
        Cell(str(count), count),
        Cell(units.seconds(first), first),
        Cell(units.seconds(last), last),
        Cell(changes or "none found"),
    )


def _described(series: Series, change: Change) -> str:
    along = f" with {', '.join(map(verdicts.difference, change.environment))}" if change.environment else ""
    return f"{units.change(change.ratio)} at {series.points[change.at].run}{along} {_certainty(change)}"


def _certainty(change: Change) -> str:
    return f"(p = {change.probability:.3f}, autocorrelation {change.autocorrelation:+.2f})"


def _change(change: Change | None) -> tuple[Any, ...]:
    if change is None:
        return (None, None, None, None)
    return (
        change.ratio,
        change.probability,
        change.autocorrelation,
        "; ".join(map(verdicts.difference, change.environment)),
    )


def _notes(series: Sequence[Series]) -> list[str]:
    short = [each for each in series if len(each.points) < FEWEST_RUNS]
    lines = [
        f"A change is reported at p <= {SIGNIFICANCE} of a permutation test; a positive change is slower.",
    ]
    if short:
        cases = f"{len(short)} of {words.count(len(series), 'case')}"
        lines.append(f"A change in the middle of fewer than {FEWEST_RUNS} runs cannot be found: {cases}.")
    lines += [
        f"{each.key}: left out, because of a different device or different settings: {', '.join(each.left_out)}"
        for each in series
        if each.left_out
    ]
    return lines
