"""Columns of a record: a frozen dataclass composed of small ones, seen as one flat row.

A leaf field made with `column(doc)` is a column; a field made with `section(cls, prefix)` holds a part whose columns
carry the prefix. Headers, documentation, CSV cells and checks are all derived from the dataclasses, so a new figure is
one line in one of them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Annotated, Any, TypeVar, get_type_hints

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from bench.records.outcomes import Remark

T = TypeVar("T")

DOC, PREFIX, ENDING, OVER = "doc", "prefix", "ending", "over"
LONGEST_SHOWN = 60
"""Characters of a wrong value that a message quotes."""
_COLUMNS: dict[type, tuple["Column", ...]] = {}
_ADAPTERS: dict[type, TypeAdapter[Any]] = {}


def _from_json(value: Any) -> Any:
    """Parse a CSV cell that holds JSON; anything else passes unchanged."""
    try:
        return json.loads(value, object_pairs_hook=_distinct) if isinstance(value, str) else value
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; raise ValueError if it has a key twice, of which json would keep the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("it has a key twice")
    return found


def _from_names(value: Any) -> Any:
    return tuple(filter(None, value.split("+"))) if isinstance(value, str) else value


def _from_remarks(value: Any) -> Any:
    return [Remark.parse(text) for text in value.split("; ") if text] if isinstance(value, str) else value


def _as_text(value: Any) -> Any:
    """Accept a number where text is expected: torch reports cuDNN's version as one."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_as_text)]
Names = Annotated[tuple[str, ...], BeforeValidator(_from_names)]
Seeds = Annotated[tuple[int, ...], BeforeValidator(_from_names)]
Remarks = Annotated[tuple[Remark, ...], BeforeValidator(_from_remarks)]
Arguments = Annotated[dict[str, Any], BeforeValidator(_from_json)]
Series = Annotated[tuple[float, ...], BeforeValidator(_from_json)]
Medians = Annotated[dict[int, Annotated[float, Field(gt=0, allow_inf_nan=False)]], BeforeValidator(_from_json)]
ProcessBytes = Annotated[dict[int, Annotated[float, Field(ge=0, allow_inf_nan=False)]], BeforeValidator(_from_json)]
Count = Annotated[int, Field(ge=0, lt=2**63)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Latency = Positive
"""A call that took no time was not timed."""
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Decibels = Annotated[float, Field(ge=0, allow_inf_nan=True)]
"""Infinite for identical pictures."""


class Over(StrEnum):
    """Which of a case's processes a column of its result shows, in the words that end the column's documentation."""

    KNOWN = ""  # the last that knows it, because all processes of a case should report the same
    COLD = "of the first process whose compile cache was cold, or else of the first"
    HIGHEST = "the highest of several processes"
    LOWEST = "the lowest of several processes"
    FIRST = "of the first process"
    ALL = "of several processes, whether all of them"
    TOTAL = "the sum over several processes"
    MEAN = "the mean over several processes"
    UNION = "of any process"


@dataclass(frozen=True)
class Column:
    """One column of a flat row: its name, what it says, where its value lies in the record, and its type."""

    name: str
    doc: str
    path: tuple[str, ...]
    type: Any


def column(doc: str, default: Any = None, *, over: Over = Over.KNOWN) -> Any:
    """Return a dataclass field that is a column; `default` stands for "unknown", `over` says how processes combine."""
    return field(default=default, metadata={DOC: doc, OVER: over})


def required(doc: str) -> Any:
    """Return a dataclass field that is a column and always known."""
    return field(metadata={DOC: doc})


def section(part: type[T], prefix: str = "", ending: str = "") -> T:
    """Return a dataclass field for a part of a record; its columns get the prefix, their docs the ending."""
    made: T = field(default_factory=part, metadata={PREFIX: prefix, ENDING: ending})
    return made


def columns(record: type) -> tuple[Column, ...]:
    """Return the columns of a record's dataclass, in the order of its fields."""
    if record not in _COLUMNS:
        _COLUMNS[record] = tuple(_columns(record, "", "", ()))
    return _COLUMNS[record]


def _columns(record: type, prefix: str, ending: str, path: tuple[str, ...]) -> Iterator[Column]:
    hints = get_type_hints(record)
    for each in fields(record):
        here, metadata = (*path, each.name), each.metadata
        if PREFIX in metadata:
            yield from _columns(hints[each.name], prefix + metadata[PREFIX], ending + metadata[ENDING], here)
        elif DOC in metadata:
            doc = "; ".join(filter(None, [metadata[DOC] + ending, metadata.get(OVER)]))
            yield Column(prefix + each.name, doc, here, hints[each.name])


def flatten(record: Any) -> dict[str, Any]:
    """Return a record as column -> value, None where a value is unknown."""
    return {each.name: _at(record, each.path) for each in columns(type(record))}


def _at(record: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        record = getattr(record, name)
    return record


def from_flat(record: type[T], values: Mapping[str, Any], **others: Any) -> T:
    """Return the record with these column values; the inverse of `flatten`.

    Args:
        record: a dataclass whose fields are columns, sections, or neither.
        values: column -> value, Python values or the text of CSV cells; what is missing, None or empty is unknown.
        others: values of the fields that are neither.

    Raises:
        CellError: a value does not fit its column, or there is no such column.
    """
    known = {each.name: each for each in columns(record)}
    nested: dict[str, Any] = dict(others)
    for name, value in values.items():
        if name not in known:
            raise CellError(name, f"is not a column of {record.__name__}")
        if value is None or value == "":
            continue
        *parents, leaf = known[name].path
        here = nested
        for parent in parents:
            here = here.setdefault(parent, {})
        here[leaf] = value
    try:
        return adapter(record).validate_python(nested)
    except ValidationError as error:
        raise _cell_error(record, error) from error


def adapter(record: type[T]) -> TypeAdapter[T]:
    """Return pydantic's reader and writer of a record."""
    if record not in _ADAPTERS:
        _ADAPTERS[record] = TypeAdapter(record)
    return _ADAPTERS[record]


class CellError(ValueError):
    """A value that its column cannot hold."""

    def __init__(self, column_name: str, problem: str) -> None:
        super().__init__(f"{column_name} {problem}")
        self.column = column_name


def _cell_error(record: type, error: ValidationError) -> CellError:
    """Return the first problem as an error that names its column as the file does."""
    first = error.errors()[0]
    by_path = {each.path: each.name for each in columns(record)}
    location = tuple(part for part in first["loc"] if isinstance(part, str))
    inside = (location[:end] for end in range(len(location), 0, -1))  # a value in a list has a longer path
    name = next((by_path[path] for path in inside if path in by_path), ".".join(location))
    if first["type"] == "missing":
        return CellError(name, "is empty")
    message = first["msg"].removeprefix("Value error, ")
    shown = str(first["input"])
    shown = shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}..."
    return CellError(name, f"is '{shown}': {message[:1].lower()}{message[1:]}")


def cell(value: Any) -> Any:
    """Return a value as a CSV cell: names joined by +, mappings and series as JSON, an empty cell for the unknown."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True, ensure_ascii=False) if value else ""
    if isinstance(value, tuple):
        if value and isinstance(value[0], Remark):
            return "; ".join(map(str, value))
        if value and isinstance(value[0], float):
            return json.dumps(value)
        return "+".join(map(str, value))
    return value
