"""One side of a comparison: the rows of a run's folder, or of a results.csv that somebody sent.

What is judged must be whole: a row that contradicts itself (a median outside of its samples, a figure in another unit)
or stands there twice is refused with its line, never compared.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isclose
from pathlib import Path
from typing import Any

from bench import statistics
from bench.analyze.results import results
from bench.analyze.rows import Row, plain_rows, process_medians
from bench.analyze.run import Run, open_run
from bench.errors import InputError
from bench.records import cells, schema, store
from bench.records.schema import MEASURED, Status

_OF_MEASURED = (
    "latency_median_s", "latency_min_s", "latency_max_s", "seconds_per_image", "images", "process_medians_s",
    "processes", "size",
)  # fmt: skip
_ROUND = re.compile(r"0|[1-9][0-9]{0,8}")
_CLOSE = 1e-6
"""Figures of a row are derived from each other in double precision and written at full length."""
_STATUSES = {str(status) for status in Status}


@dataclass(frozen=True)
class Side:
    """What one run says of its cases.

    Attributes:
        name: what it is called in tables: the folder's or the file's name.
        path: of the folder or file.
        rows: by the case's key, with the columns of `schema.RESULTS` as plain values, None for unknown.
    """

    name: str
    path: Path
    rows: Mapping[str, Row]

    def medians(self, key: str) -> dict[int, float]:
        """Return the median latency in seconds of every measured process of a case, by its round."""
        return process_medians(self.rows[key])

    @property
    def tiny(self) -> bool:
        """Say whether a row is of a toy twin."""
        return any(row["size"] == "tiny" for row in self.rows.values())

    def facts(self, name: str) -> list[Any]:
        """Return the distinct values of a column, in order; a file may hold rows of several machines."""
        return list(dict.fromkeys(row[name] for row in self.rows.values()))


def open_side(path: Path) -> Side:
    """Read a run's folder or a results.csv.

    Raises:
        InputError: it is neither, is damaged, holds no case, or has a row that cannot be; with file and line.
    """
    if path.is_dir():
        return of_run(open_run(path))
    rows = _rows_of_file(path)
    if not rows:
        raise InputError(f"{path}:1: is an empty run, it has no case; nothing can be compared with it")
    return Side(path.stem if path.name != store.RESULTS else path.resolve().parent.name, path, rows)


def of_run(run: Run) -> Side:
    """Return the side that a run's folder is; raise `InputError` for an empty one, and for files that cannot be."""
    table = results(run, pictures=False)
    if table.empty:
        raise InputError(f"{run.folder / store.PROCESSES}:1: is an empty run, it has no case; nothing can be compared")
    rows: dict[str, Row] = {f"{row['scenario']}/{row['case']}": row for row in plain_rows(table)}
    for key, row in rows.items():
        if (fault := _fault(row)) is not None:
            raise InputError(f"{run.folder}: {key}: {fault}")
    return Side(run.folder.resolve().name, run.folder, rows)


def _rows_of_file(path: Path) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    lines: dict[str, int] = {}
    for line, texts in store.numbered_rows(path, schema.RESULTS, whole=True):
        row = {column.name: cells.value(column, texts[column.name]) for column in schema.RESULTS}
        fault = _fault(row)
        key = f"{row['scenario']}/{row['case']}"
        if fault is None and key in rows:
            fault = f"the case '{key}' is on line {lines[key]} already; keep one of them"
        if fault is not None:
            raise InputError(f"{path}:{line}: {fault}")
        rows[key], lines[key] = row, line
    return rows


def _fault(row: Row) -> str | None:
    """Say what in a row cannot be; None where it is whole."""
    for name in ("scenario", "case", "status", "schema", "device_name"):
        if row[name] is None:
            return f"{name} is empty; the file was changed"
    if "/" in row["scenario"]:
        return f"'{row['scenario']}' is no scenario's name; the file was changed"
    if row["threshold"] is not None and not 0 < row["threshold"] < 1:
        return f"threshold is {row['threshold']}, no share between 0 and 1; the file was changed"
    if row["schema"] != schema.VERSION:
        return f"was written with schema {row['schema']}, this version reads schema {schema.VERSION}; measure again"
    if row["status"] not in _STATUSES:
        return f"status is '{row['status']}', which is none of {', '.join(Status)}"
    return _contradiction(row) if row["status"] in MEASURED else None


def _contradiction(row: Row) -> str | None:
    """Say which of a measured row's figures contradict each other: in another unit, or changed by hand."""
    for name in _OF_MEASURED:
        if row[name] is None:
            return f"was measured ('{row['status']}'), but its {name} is empty; the file was changed"
    medians = _medians(row["process_medians_s"])
    if medians is None:
        return "process_medians_s is no JSON object of rounds and seconds; the file was changed"
    if row["processes"] != len(medians):
        return f"processes is {row['processes']}, process_medians_s has {len(medians)}; the file was changed"
    return _mixed(row, row["latency_median_s"], medians)


def _mixed(row: Row, median: float, medians: Sequence[float]) -> str | None:
    """Say which seconds of a row are not derived from each other."""
    if not all(_within(row, seconds) for seconds in (median, *medians)):
        return "a median lies outside of latency_min_s and latency_max_s; are the units mixed?"
    if not isclose(row["seconds_per_image"] * row["images"], median, rel_tol=_CLOSE):
        return "seconds_per_image is not latency_median_s / images; are the units mixed?"
    if not isclose(statistics.geometric_mean_interval(medians)[0], median, rel_tol=_CLOSE):
        return "latency_median_s is not what process_medians_s come to; are the units mixed?"
    return None


def _within(row: Row, seconds: float) -> bool:
    return bool(row["latency_min_s"] * (1 - _CLOSE) <= seconds <= row["latency_max_s"] * (1 + _CLOSE))


def _medians(text: str) -> list[float] | None:
    """Return the seconds of a cell of `process_medians_s`; None for anything else."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or not told or not all(_ROUND.fullmatch(number) for number in told):
        return None
    numbers = all(type(seconds) in {int, float} and 0 < seconds < float("inf") for seconds in told.values())
    return [float(seconds) for seconds in told.values()] if numbers else None


def distinct(sides: Sequence[Side]) -> list[Side]:
    """Return the sides with names that differ: as they are, or their paths where two are called the same."""
    names = [side.name for side in sides]
    return [side if names.count(side.name) == 1 else replace(side, name=str(side.path)) for side in sides]
