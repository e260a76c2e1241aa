"""Every column of results.csv in tables that a person can sort and filter, and the samples themselves."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from bench.analyze.highlights import key
from bench.analyze.rows import Row
from bench.analyze.run import Run
from bench.present.html.grid import Cell, Grid, label, plain
from bench.records import schema
from bench.records.schema import Column

TEXTS = (schema.TEXT, schema.BOOL)
GROUPS = (
    ("Outcome and timing", schema.OUTCOME + schema.STATISTICS),
    ("Against the baseline and the documentation", schema.COMPARISON + schema.SIMILARITY + schema.SCORE),
    ("Settings, as asked for", schema.SETTINGS),
    ("Settings, as read back from the live pipeline", schema.EFFECTIVE),
    ("Measuring: wall time, first call, warm-up, memory", schema.MEASUREMENTS),
    ("Parts of a call, and the device's limit", schema.SPLIT + schema.LIMIT),
    ("Telemetry", schema.TELEMETRY),
)
"""The columns of results.csv by what they are about; versions are told once a run."""
CASE = "scenario/case"


@dataclass(frozen=True)
class Raw:
    """One group of columns: the settings that every row shares, and a table of the others."""

    title: str
    shared: dict[str, str]
    grid: Grid


def groups(rows: Sequence[Row]) -> list[Raw]:
    """Return the groups of columns in which there is something to show."""
    made = [_group(title, columns, rows) for title, columns in GROUPS]
    return [group for group in made if group.shared or len(group.grid.header) > 1]


def samples(run: Run) -> Grid:
    """Return a row a process, with every sample's seconds in the order in which they were taken."""
    header = [CASE, "process", "samples", "fastest (s)", "slowest (s)", "latencies in order (s)"]
    rows = []
    for _, taken in run.samples.groupby(list(schema.names(schema.KEY)), sort=False):
        first, latencies = taken.iloc[0], [float(value) for value in taken.sort_values("index")["latency_s"]]
        figures = (float(first["process"]), float(len(latencies)), min(latencies), max(latencies))
        name, listed = Cell(f"{first['scenario']}/{first['case']}"), Cell(" ".join(map(repr, latencies)))
        rows.append([name, *(Cell(f"{each:.6g}", each) for each in figures), listed])
    return Grid("Samples", header, rows, left=(CASE, header[-1]))


def columns() -> dict[str, str]:
    """Return what every column says."""
    return {column.name: column.doc for _, group in GROUPS for column in group}


def _group(title: str, columns: Sequence[Column], rows: Sequence[Row]) -> Raw:
    known = [column for column in columns if any(row[column.name] is not None for row in rows)]
    shared = [column for column in known if column.type in TEXTS and _same(column, rows)]
    rest = [column for column in known if column not in shared]
    grid = Grid(
        title,
        [CASE, *(column.name for column in rest)],
        [[Cell(key(row), tag=label(row)), *(_cell(row, column) for column in rest)] for row in rows],
        ["", *(column.doc for column in rest)],
        (CASE, *(column.name for column in rest if column.type in TEXTS)),
    )
    return Raw(title, {column.name: plain(rows[0][column.name]) for column in shared}, grid)


def _same(column: Column, rows: Sequence[Row]) -> bool:
    """Say whether a setting is the same in all of several rows, and so needs to be told only once."""
    return len(rows) > 1 and all(row[column.name] == rows[0][column.name] for row in rows)


def _cell(row: Row, column: Column) -> Cell:
    value = row[column.name]
    number = None if value is None or column.type in TEXTS or pd.isna(value) else float(value)
    return Cell(plain(value), number)
