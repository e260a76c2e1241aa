"""Markdown of tables, with whatever comes from a scenario, a file or an error message kept from being markup."""

from collections.abc import Sequence

LISTED = 5
"""Names that a line takes."""


def cell(text: str) -> str:
    """Return a text on one line, with what Markdown would take for markup escaped."""
    escaped = text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
    return " ".join(escaped.split())


def listed(names: Sequence[str]) -> str:
    """Return names joined by commas, of many only the first and how many there are."""
    shown = names if len(names) <= LISTED else names[: LISTED - 1]
    more = [f"{len(names) - len(shown)} more"] if len(shown) < len(names) else []
    return ", ".join([*shown, *more])


def table(header: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[str]) -> str:
    """Return a table; the columns named in `left` are aligned there, the others to the right."""
    rule = ["---" if name in left else "---:" for name in header]
    lines = [[cell(name) for name in header], rule, *([cell(value) for value in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
