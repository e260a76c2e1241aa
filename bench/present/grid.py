"""A table before it is drawn: what its columns mean, what its cells say, and what a reader must know about them.

Everything that prints a table makes a `Grid`; terminal, Markdown, CSV, JSON and HTML each draw the same one. A cell's
color follows from a status or a verdict, never from the words that it is printed with.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce
from typing import Any

from bench.records.case_result import CaseResult
from bench.records.columns import Column as Field
from bench.records.columns import columns
from bench.records.outcomes import WRONG, ClaimVerdict, Status

ALWAYS = 10
"""The `Column.keep` of a column that is printed on every terminal, however narrow."""


class Tone(StrEnum):
    """What a cell means to a reader: good news, bad news, undecided, or nothing remarkable."""

    NONE = ""
    GOOD = "good"
    BAD = "bad"
    OPEN = "open"
    MUTED = "muted"


CLAIM_TONES = {
    ClaimVerdict.AS_DOCUMENTED: Tone.GOOD,
    ClaimVerdict.FASTER: Tone.GOOD,
    ClaimVerdict.GAINS_MORE: Tone.GOOD,
    ClaimVerdict.SLOWER: Tone.BAD,
    ClaimVerdict.GAINS_LESS: Tone.BAD,
    ClaimVerdict.UNDECIDED: Tone.OPEN,
    ClaimVerdict.NOT_JUDGED: Tone.MUTED,
}


def status_tone(status: Status) -> Tone:
    """Return the tone of how a case ended; that it was measured is not news."""
    return Tone.BAD if status in (*WRONG, Status.OOM) else Tone.NONE


def claim_tone(result: CaseResult) -> Tone:
    """Return the tone of a verdict on a documented figure: to run where the documentation could not is good news."""
    verdict = result.claim.verdict
    if verdict is ClaimVerdict.OTHER_STATUS:
        return Tone.GOOD if result.status.measured else Tone.BAD
    return Tone.NONE if verdict is None else CLAIM_TONES[verdict]


@dataclass(frozen=True)
class Cell:
    """One cell: its text, and the exact value behind it, which a page sorts by and CSV and JSON write."""

    text: str = ""
    value: Any = None
    tone: Tone = Tone.NONE
    tag: str = ""  # a label beside the text, such as `tiny`

    @property
    def exact(self) -> str:
        """The number with every digit, as JavaScript reads it; empty if there is none."""
        return "" if self.value is None else repr(float(self.value)).replace("inf", "Infinity")

    @property
    def labeled(self) -> str:
        """The text with its tag."""
        return f"{self.text} ({self.tag})" if self.tag else self.text


@dataclass(frozen=True)
class Column:
    """One column: its name, and what it says."""

    name: str
    doc: str = ""
    left: bool = False  # it has words, which are aligned to the left
    wraps: bool = False  # its cells may take several lines on a narrow terminal; those of figures never do
    keep: int = 0  # on a narrow terminal the columns with the lowest number are left out first; 0 is in files only
    below: bool = False  # a terminal prints its texts below the table, each with the rows that have it


@dataclass(frozen=True)
class Grid:
    """A table; the first cell of a row is its heading."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    warning: str = ""  # that figures are of tiny models; the first of the notes
    notes: tuple[str, ...] = ()  # what a reader must know about the figures
    details: tuple[str, ...] = ()  # what is worth knowing about single rows; not on a terminal

    @property
    def header(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    def select(self, positions: Iterable[int]) -> "Grid":
        """Return the grid with these columns, in this order."""
        kept = list(positions)
        rows = tuple(tuple(row[at] for at in kept) for row in self.rows)
        return replace(self, columns=tuple(self.columns[at] for at in kept), rows=rows)

    def without_empty_columns(self) -> "Grid":
        """Return the grid without the columns in which nothing is known; those kept `ALWAYS` stay."""
        known = [any(cells) for cells in zip(*([cell.text for cell in row] for row in self.rows), strict=True)]
        return self.select(at for at, each in enumerate(self.columns) if each.keep == ALWAYS or (known and known[at]))


def records(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Grid:
    """Return a grid of plain values for programs to read, as CSV or JSON; None is unknown."""
    cells = (tuple(Cell("" if value is None else str(value), value) for value in row) for row in rows)
    return Grid("", tuple(map(Column, names)), tuple(cells))


def field(name: str) -> Field:
    """Return a column of results.csv: its documentation, its type, and where its value is in a result."""
    return next(each for each in columns(CaseResult) if each.name == name)


def value_of(result: CaseResult, column: Field) -> Any:
    """Return the value that a result has in a column of results.csv."""
    return reduce(getattr, column.path, result)
