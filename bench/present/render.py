"""Draw a grid on the terminal, or as Markdown, CSV or JSON. HTML has its own templates."""

import csv
import io
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.present.grid import ALWAYS, Cell, Grid, Tone
from bench.text import guarded, printable, printed_line

MOST_ROWS = 100
"""On a terminal, which nobody scrolls back for thousands. A pipe gets them all."""
NARROWEST_NAME = 12
"""Letters that a column of names has at least before other columns are left out for it."""
UNLIMITED = 100_000
"""Characters per line in a pipe: whatever reads it must find every figure."""
STYLES = {Tone.NONE: "", Tone.GOOD: "green", Tone.BAD: "red", Tone.OPEN: "yellow", Tone.MUTED: "dim"}
_JOINTS = re.compile(r"(?<=[-+_/ ])|(?<=\.)(?!\d)|(?<=[a-z])(?=[A-Z]\w)")
"""Where a long name may be broken: EulerDiscreteScheduler has three words, but 74.83 GiB only two."""
_MARKUP = re.compile(r"[\\|\[\]`]|!(?=\[)")
_ADDRESS = re.compile(r"://|\bwww\.", re.IGNORECASE)
"""GitHub makes a link of a bare address, unless its first character is an entity."""


class PatientConsole(Console):
    """A console whose reader may go away (`| head`): from then on its output is lost, and nothing else."""

    def on_broken_pipe(self) -> None:
        """Send further output nowhere; rich would end the program."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


def console() -> Console:
    """Return the terminal; where the output goes into a pipe, lines are as long as they need to be."""
    made = PatientConsole()
    return made if made.is_terminal or "COLUMNS" in os.environ else PatientConsole(width=UNLIMITED)


def say(lines: Iterable[str], style: str = "", indent: int = 0) -> None:
    """Print lines of text as they are."""
    terminal = console()
    for line in lines:
        terminal.print(Padding(Text(printed_line(line), style), (0, 0, 0, indent), expand=False))


def show(grid: Grid, rest: str) -> None:
    """Print a grid and its notes on the terminal.

    Figures are never cut. On a narrow terminal names are wrapped, then columns are left out, which is said.

    Args:
        grid: to print.
        rest: says where everything is that there is no room for, such as `tables.md has them`.
    """
    terminal = console()
    rows = [
        [replace(cell, text=printed_line(cell.text), tag=printed_line(cell.tag)) for cell in row]
        for row in (grid.rows[:MOST_ROWS] if terminal.is_terminal else grid.rows)
    ]
    widths = _widths(grid, rows, terminal.width)
    drawn = Table(title=escape(printed_line(grid.title)) or None, title_justify="left")
    for at, width in widths.items():
        head = Text(_broken(grid.columns[at].name, width))
        drawn.add_column(head, justify="left" if grid.columns[at].left else "right", width=width, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(_broken(row[at].labeled, width), STYLES[row[at].tone]) for at, width in widths.items()))
    terminal.print(drawn, crop=False)
    dropped = [column.name for at, column in enumerate(grid.columns) if column.keep and at not in widths]
    lines = [grid.warning, *grid.notes, *_below(grid, rows)]
    if len(rows) < len(grid.rows):
        lines.append(f"These are the first {len(rows)} of {len(grid.rows)} rows; {rest}.")
    if dropped:
        lines.append(f"Left out, because the terminal is too narrow: {', '.join(dict.fromkeys(dropped))}; {rest}.")
    say(filter(None, lines))


def fits(grid: Grid) -> bool:
    """Say whether the terminal is wide enough for all columns of a grid."""
    return len(_widths(grid, grid.rows, console().width)) == sum(column.keep > 0 for column in grid.columns)


def _widths(grid: Grid, rows: Sequence[Sequence[Cell]], room: int) -> dict[int, int]:
    """Return the columns that fit, by position, with their widths."""
    wanted, least = dict[int, int](), dict[int, int]()
    for at, column in enumerate(grid.columns):
        if column.keep:
            longest = max((cell_len(row[at].labeled) for row in rows), default=0)
            word = max(cell_len(part.strip()) for part in _JOINTS.split(column.name))
            wanted[at] = max(longest, cell_len(column.name))
            least[at] = max(word, min(longest, NARROWEST_NAME) if column.wraps else longest)
    while _total(least) > room and (spare := [at for at in least if grid.columns[at].keep < ALWAYS]):
        del least[min(spare, key=lambda at: (grid.columns[at].keep, -at))]
    widths, wrapping = dict(least), [at for at in least if grid.columns[at].wraps]
    shares = {at: len(wrapping) - index for index, at in enumerate(sorted(wrapping, key=lambda at: wanted[at]))}
    for at in [*shares, *(widths.keys() - shares.keys())]:  # names share the spare room, headers get what is left
        widths[at] = min(wanted[at], widths[at] + max(0, room - _total(widths)) // shares.get(at, 1))
    return widths


def _total(widths: Mapping[int, int]) -> int:
    """Return the characters of a line, borders and padding included."""
    return sum(widths.values()) + 3 * len(widths) + 1


def _broken(text: str, width: int) -> str:
    """Return a text in lines, broken at its joints; the table folds a part that is longer than a line."""
    lines = [""]
    for part in _JOINTS.split(text):
        if lines[-1] and cell_len(lines[-1]) + cell_len(part.rstrip()) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


def _below(grid: Grid, rows: Sequence[Sequence[Cell]]) -> list[str]:
    """Return `case, case: text` for the columns that are printed below; rows with the same text together."""
    found: dict[str, list[str]] = {}
    for at in (at for at, column in enumerate(grid.columns) if column.below):
        for row in rows:
            if row[at].text:
                found.setdefault(row[at].text, []).append(row[0].text)
    return [f"{', '.join(names)}: {text}" for text, names in found.items()]


def markdown(grid: Grid) -> str:
    """Return the table alone as Markdown."""
    rule = ["---" if column.left else "---:" for column in grid.columns]
    rows = ([escaped(cell.labeled) for cell in row] for row in grid.rows)
    return "\n".join("| " + " | ".join(line) + " |" for line in [list(map(escaped, grid.header)), rule, *rows])


def escaped(text: str) -> str:
    """Return a text on one line, with whatever Markdown would take for markup escaped: links and images are inert."""
    line = printable(" ".join(text.split()))
    line = _MARKUP.sub(r"\\\g<0>", line.replace("&", "&amp;").replace("<", "&lt;"))
    return _ADDRESS.sub(lambda found: f"&#{ord(found[0][0])};{found[0][1:]}", line)


def document(grid: Grid, heading: str = "#", first: str = "") -> str:
    """Return a grid as a Markdown document: title, a first line in Markdown, the table, and its notes as a list."""
    lines = [f"- {escaped(line)}" for line in (grid.warning, *grid.notes, *grid.details) if line]
    parts = [f"{heading} {escaped(grid.title)}", first, markdown(grid), "\n".join(lines)]
    return "\n\n".join(filter(None, parts)) + "\n"


def csv_text(grid: Grid) -> str:
    """Return the values of a grid as CSV, at full precision."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(
        [grid.header, *(map(_guarded, map(_value, row)) for row in grid.rows)]
    )
    return text.getvalue()


def objects(grid: Grid) -> list[dict[str, Any]]:
    """Return the rows of a grid as JSON objects, None for what is unknown."""
    return [dict(zip(grid.header, map(_value, row), strict=True)) for row in grid.rows]


def json_text(data: Any) -> str:
    """Return data as the JSON that commands print; no text in it is a command to a CI runner."""
    return json.dumps(data, indent=1).replace("##", "#\\u0023") + "\n"


def _guarded(value: Any) -> Any:
    return guarded(printed_line(value)) if isinstance(value, str) else value


def _value(cell: Cell) -> Any:
    return cell.text or None if cell.value is None else cell.value
