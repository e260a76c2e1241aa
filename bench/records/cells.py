"""What a cell of a result file may hold: text of the column's type, and a figure that a measurement can have given.

A file that was cut off, edited in a spreadsheet or joined from two tools must not become a verdict. So every cell is
checked where a file is read, and what is wrong is told with file and line.
"""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.errors import InputError
from bench.records import schema
from bench.records.schema import Column

MAY_BE_NEGATIVE = ("breakdown_rest_s", "claim_parameter_reduction", "parameter_reduction", "temperature_c", "ssim")
MAY_BE_INFINITE = ("psnr_db",)
ABOVE_ZERO = ("latency_", "device_time_", "seconds_per_image", "images_per_second", "first_call_s")
"""Beginnings of the columns that time something: a call of no seconds was not timed."""
LARGEST_INTEGER = 2**63 - 1
"""Of a column of whole numbers, in pandas' 64 bits; none of ours counts below zero, and images from one."""
_LETTERS_OF_NUMBERS = set("0123456789+-.eEinfaN")
"""Of what `repr` writes, with `inf` and `nan`, and of what a spreadsheet makes of it."""
_LONGEST_SHOWN = 60


def check(path: Path, columns: Iterable[Column], rows: Iterable[tuple[int, Mapping[str, str]]]) -> None:
    """Raise `InputError` with file and line for the first cell that its column cannot hold.

    Args:
        path: of the file, for the message.
        columns: that are looked at.
        rows: (line, column -> text).
    """
    columns = list(columns)
    for line, row in rows:
        for column in columns:
            try:
                value(column, row[column.name])
            except ValueError as error:
                raise InputError(
                    f"{path}:{line}: {column.name} {error}; the file was changed, or is not ours"
                ) from error


def value(column: Column, text: str) -> Any:
    """Return a cell as a plain value, None for an empty one; raise ValueError for what cannot be."""
    if not text:
        return None
    match column.type:
        case schema.FLOAT:
            return _number(column.name, text)
        case schema.INT:
            return _integer(column.name, text)
        case schema.BOOL:
            return _truth(text)
    return text


def _number(name: str, text: str) -> float:
    try:
        number = float(_plain(text))
    except ValueError as error:
        raise ValueError(
            f"is '{_shown(text)}', no number (units are in the columns' names, never in a cell)"
        ) from error
    if math.isnan(number) or (math.isinf(number) and name not in MAY_BE_INFINITE):
        raise ValueError(f"is '{text}', no finite number (what is unknown is an empty cell)")
    if number <= 0 and name.startswith(ABOVE_ZERO):
        raise ValueError(f"is {text}, not above zero")
    if number < 0 and name not in MAY_BE_NEGATIVE:
        raise ValueError(f"is {text}, below zero")
    return number


def _integer(name: str, text: str) -> int:
    try:
        number = int(_plain(text))
    except ValueError as error:
        raise ValueError(f"is '{_shown(text)}', no whole number") from error
    least = int(name == "images")
    if not least <= number <= LARGEST_INTEGER:
        raise ValueError(f"is {_shown(text)}, not from {least} to {LARGEST_INTEGER}")
    return number


def _plain(text: str) -> str:
    """Return a number's text; raise ValueError for what only Python takes for one: `1_0`, digits of other scripts."""
    if not set(text) <= _LETTERS_OF_NUMBERS:
        raise ValueError
    return text


def _truth(text: str) -> bool:
    if text not in {"True", "False"}:
        raise ValueError(f"is '{_shown(text)}', not True or False")
    return text == "True"


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
