"""The reference of the result files' columns, as `columns` prints it and docs/columns.md publishes it."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, get_args, get_type_hints

from bench.records.case_result import CaseResult
from bench.records.columns import Column, columns
from bench.records.models import ProcessRecord, Sample

TYPES = {str: "text", int: "integer", float: "number", bool: "true or false", dict: "JSON object"}


def column_reference() -> str:
    """Return the columns of the three files as Markdown."""
    by_section: dict[str, list[Column]] = {}
    for column in columns(CaseResult):
        by_section.setdefault(column.path[0] if column.path[1:] else "", []).append(column)
    own = [column for column in columns(ProcessRecord) if column.name == "process"]
    return "\n".join(
        [
            "## results.csv\n",
            _table(by_section.pop("")),
            *(_section(name, described) for name, described in by_section.items()),
            "## processes.jsonl\n",
            "One object per line, with the fields named in the last column of the tables above, and these:\n",
            _table(own),
            "- `samples`: a list with one object per timed call, whose fields are the columns of samples.csv below.\n",
            "## samples.csv\n",
            "`scenario`, `case` and `process` as above, `index` (position among the process's samples), and these:\n",
            _table(columns(Sample)),
        ]
    )


def _section(name: str, described: Sequence[Column]) -> str:
    part = get_type_hints(CaseResult)[name]
    heading = f"### {name.replace('_', ' ').capitalize()}\n\n{(part.__doc__ or '').splitlines()[0]}\n"
    if described[0].path not in {column.path for column in columns(ProcessRecord)}:
        return f"{heading}\n{_table(described)}"
    rows = ((f"`{c.name}`", _type(c.type), c.doc, f"`{'.'.join(c.path)}`") for c in described)
    return f"{heading}\n{markdown_table(('column', 'type', 'meaning', 'in processes.jsonl'), rows)}"


def _table(described: Sequence[Column]) -> str:
    return markdown_table(("column", "type", "meaning"), ((f"`{c.name}`", _type(c.type), c.doc) for c in described))


def _type(hint: Any) -> str:
    """Return a column's type in a reader's words; `| None` is left out, because any cell may be empty."""
    (kind, *_) = [each for each in get_args(hint) if each is not type(None)] if type(None) in get_args(hint) else [hint]
    origin = getattr(kind, "__origin__", kind)
    if origin is tuple:
        return "list of numbers" if get_args(kind)[0] is float else "list"
    if isinstance(origin, type) and issubclass(origin, StrEnum):
        return "one word"
    return TYPES[origin]


def markdown_table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table as Markdown, its columns aligned to the left."""
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"
