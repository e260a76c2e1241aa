"""The CSV files that people open, compare and plot: written from records, and read back by column name.

A file may have passed through a spreadsheet or pandas: extra columns, another order, an index column, `TRUE` and `3.0`
are fine. What is not understood is ignored and returned, so that the command can say so.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bench.errors import InputError
from bench.records import store
from bench.records.case_result import CaseResult
from bench.records.columns import CellError, cell, columns, flatten, from_flat
from bench.records.models import VERSION, ProcessRecord, Sample
from bench.text import guarded, unguarded

MOST_ROWS = 20_000
"""Rows of a results.csv, of which each is a case."""
LONGEST_TEXT = 100_000
"""Python's csv refuses to read a cell of more than 131,072 characters."""
SAMPLE_KEY = ("scenario", "case", "process", "index")
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True)
class ResultsFile:
    """The contents of a results.csv: each result with its line, and the names of the columns that were ignored."""

    results: tuple[tuple[int, CaseResult], ...]
    ignored: tuple[str, ...]


def results_csv(results: Iterable[CaseResult]) -> str:
    """Return results as CSV text, one row per case."""
    rows = ([_text(value) for value in flatten(result).values()] for result in results)
    return _csv([each.name for each in columns(CaseResult)], rows)


def samples_csv(records: Iterable[ProcessRecord]) -> str:
    """Return samples as CSV text, one row per timed call."""
    rows = (
        [_text(record.scenario), _text(record.case), record.process, index, *map(cell, flatten(sample).values())]
        for record in records
        for index, sample in enumerate(record.samples)
    )
    return _csv([*SAMPLE_KEY, *(each.name for each in columns(Sample))], rows)


def _text(value: object) -> object:
    """Return a cell that can be read back: not too long, no carriage return, which csv does not quote, no formula."""
    made = cell(value)
    return guarded(made.replace("\r", "\n")[:LONGEST_TEXT]) if isinstance(made, str) else made


def _csv(header: list[str], rows: Iterable[list[object]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def read_results(path: Path) -> ResultsFile:
    """Read a results.csv.

    Raises:
        InputError: the file is not a results.csv, is cut off, or has a row that is wrong or of another version.
    """
    text = store.read_text(path)
    _refuse_other_separator(path, text.partition("\n")[0])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        known = _known(path, header)
        rows = [(reader.line_num, row) for row in islice(reader, MOST_ROWS + 1) if any(row)]
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}: is not CSV ({error}); the file is cut off or damaged") from error
    if len(rows) > MOST_ROWS:
        raise InputError(f"{path}: has more than {MOST_ROWS:,} rows, the most that are read; split the file")
    results = tuple((line, _result(path, line, header, known, row)) for line, row in rows)
    return ResultsFile(results, tuple(name or "(unnamed)" for name in header if name not in known))


def _refuse_other_separator(path: Path, line: str) -> None:
    """Raise `InputError` for a first line without a comma, before csv calls its quoted cells damaged."""
    for separator, name in SEPARATORS.items():
        if separator in line and "," not in line:
            raise InputError(f"{path}:1: is separated by {name}; save it with commas")


def _known(path: Path, header: list[str]) -> set[str]:
    """Return the columns of a header that are known; raise `InputError` if it is not that of a results.csv."""
    if not header:
        raise InputError(f"{path}:1: is empty; give the results.csv or the folder of a run")
    known = {each.name for each in columns(CaseResult)} & set(header)
    twice = sorted(name for name in known if header.count(name) > 1)
    if twice:
        raise InputError(f"{path}:1: has the column '{twice[0]}' twice; keep one of them")
    missing = [name for name in ("scenario", "case", "status", "schema") if name not in known]
    if missing:
        raise InputError(f"{path}:1: has no column '{missing[0]}', so it is not a results.csv of this tool")
    return known


def _result(path: Path, line: int, header: list[str], known: set[str], row: list[str]) -> CaseResult:
    if len(row) != len(header):
        raise InputError(
            f"{path}:{line}: has {len(row)} values for {len(header)} columns; the file is cut off or damaged"
        )
    values = {name: unguarded(text) for name, text in zip(header, row, strict=True) if name in known}
    version = values["schema"].removesuffix(".0")
    store.refuse_other_schema(path, line, VERSION if version == str(VERSION) else version or "(none)")
    try:
        return from_flat(CaseResult, values)
    except CellError as error:
        raise InputError(f"{path}:{line}: {error}") from error
