"""The tables of the page: what was found, the Pareto front, every column of the results, and the samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench import units
from bench.analyze.highlights import fastest
from bench.analyze.memory import peak_bytes
from bench.analyze.pareto import Point
from bench.analyze.similarity import another_image
from bench.present import words
from bench.present.grid import Cell, Column, Grid, Tone, value_of
from bench.records.case_result import CaseResult
from bench.records.columns import Column as Field
from bench.records.columns import cell, columns
from bench.records.models import ProcessRecord

FIRST = ("setup", "latency", "speed-up", "documented", "verdict")
"""Columns that the page shows first: what was measured beside what is documented."""
MOST_ROWS = 200
"""Of raw numbers; a page is not the place for more, and results.csv and samples.csv have all."""
GROUPS = {
    "Outcome and timing": ("status", "reason", "remarks", "undiagnosed", "statistics"),
    "Compared with the baseline and the documentation": ("comparison", "claim", "similarity", "score"),
    "Settings, as requested": ("settings",),
    "Settings, as read back from the live pipeline": ("effective",),
    "Measuring: wall time, first call, warm-up, memory": ("timings", "memory"),
    "Breakdown of a call, and the roofline": ("breakdown", "roofline"),
    "Telemetry": ("telemetry",),
}
"""Title -> the parts of a result whose columns it has; versions are shown once per run."""
CASE = Column("scenario/case", left=True)


@dataclass(frozen=True)
class Raw:
    """One group of columns: what is the same in every row, and a table of the others."""

    title: str
    shared: dict[str, str]
    grid: Grid


def documented(grid: Grid) -> Grid:
    """Return a scenario's table with the measured beside the documented figures."""
    order = sorted(range(len(grid.header)), key=lambda at: (*FIRST, grid.header[at]).index(grid.header[at]))
    return grid.select(order)


def best(results: Sequence[CaseResult]) -> Grid:
    """Return the fastest cases of each scenario, with what their speed costs."""
    names = (Column("speed-up"), Column("time per image"), Column("peak memory"), Column("similarity", left=True))
    return Grid("Greatest speed-ups", (CASE, *names), tuple(_best(result) for result in fastest(results)))


def front(points: Sequence[Point]) -> Grid:
    """Return the cases with their place on the Pareto front, those on it first."""
    names = ("on the front", "time per image", "peak memory", "similarity", "dominated by", "baseline")
    figures = ("time per image", "peak memory")
    header = (Column("case", left=True), *(Column(name, left=name not in figures) for name in names))
    ordered = sorted(points, key=lambda point: (not point.judged, not point.front, point.seconds_per_image))
    return Grid("Pareto front of time, memory and similarity", header, tuple(map(_front, ordered)))


def raw(results: Sequence[CaseResult]) -> list[Raw]:
    """Return the groups of columns in which something is known, for the first `MOST_ROWS` results."""
    groups = [_group(title, parts, results) for title, parts in GROUPS.items()]
    return [group for group in groups if group.shared or len(group.grid.columns) > 1]


def samples(records: Sequence[ProcessRecord]) -> Grid:
    """Return one row per process with every sample's seconds in order, for the first `MOST_ROWS` processes."""
    names = ("process", "samples", "fastest (s)", "slowest (s)")
    header = (CASE, *map(Column, names), Column("latencies in order (s)", left=True))
    return Grid("Samples", header, tuple(_samples(record) for record in records if record.samples)[:MOST_ROWS])


def documentation() -> dict[str, str]:
    """Return what every column says."""
    parts = {part for group in GROUPS.values() for part in group}
    return {each.name: each.doc for each in columns(CaseResult) if each.path[0] in parts}


def _best(result: CaseResult) -> tuple[Cell, ...]:
    peak, seconds = peak_bytes(result), result.statistics.seconds_per_image
    similarity = words.expected(result) if another_image(result) else words.psnr(result) or "unknown"
    return (
        Cell(result.key, tag=words.label(result)),
        Cell(words.speedup(result.comparison), result.comparison.speedup),
        Cell(units.seconds(seconds), seconds),
        Cell(units.memory(peak), peak),
        Cell(similarity, result.similarity.psnr_db),
    )


def _front(point: Point) -> tuple[Cell, ...]:
    result = point.result
    similarity = "baseline" if result.is_baseline else words.psnr(result)
    if not point.judged:
        similarity = f"not judged: {words.expected(result) if another_image(result) else 'no pictures to compare'}"
    place = words.PICTURE_DIFFERS if point.broken else "yes" if point.front else "no"
    return (
        Cell(result.case, tag=words.label(result)),
        Cell(
            place if point.judged or not point.front else "yes, among those not judged",
            tone=Tone.GOOD if point.front else Tone.NONE,
        ),
        Cell(units.seconds(point.seconds_per_image), point.seconds_per_image),
        Cell(units.memory(point.peak_bytes), point.peak_bytes),
        Cell(similarity, point.psnr_db),
        Cell(point.beaten_by or ""),
        Cell(result.comparison.baseline or ""),
    )


def _group(title: str, parts: Sequence[str], results: Sequence[CaseResult]) -> Raw:
    shared, shown = dict[str, str](), list[tuple[Field, list[Any]]]()
    for each in columns(CaseResult):
        values = [value_of(result, each) for result in results] if each.path[0] in parts else []
        if all(value in (None, "", (), {}) for value in values):
            continue
        if len(values) > 1 and not any(map(_is_number, values)) and all(value == values[0] for value in values):
            shared[each.name] = str(cell(values[0]))
        else:
            shown.append((each, values))
    header = (CASE, *(Column(each.name, each.doc, left=not any(map(_is_number, values))) for each, values in shown))
    rows = tuple(
        (Cell(result.key, tag=words.label(result)), *(_raw(values[at]) for _, values in shown))
        for at, result in enumerate(results[:MOST_ROWS])
    )
    return Raw(title, shared, Grid(title, header, rows))


def _raw(value: Any) -> Cell:
    """Return a raw value, a number with six significant digits."""
    if not _is_number(value):
        return Cell(str(cell(value)))
    return Cell(f"{value:.6g}" if isinstance(value, float) else str(value), value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _samples(record: ProcessRecord) -> tuple[Cell, ...]:
    latencies = [sample.latency_s for sample in record.samples]
    figures = (record.process, len(latencies), min(latencies), max(latencies))
    return (Cell(record.key), *map(_raw, figures), Cell(" ".join(map(repr, latencies))))
