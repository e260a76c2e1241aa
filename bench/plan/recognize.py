"""Decide whether a YAML file is a scenario: cheaply and safely, because the file may be somebody else's, or broken.

A faulty scenario must still be recognized, so that its fault is reported; another tool's file must be ignored. So
nothing is parsed: the keys that every scenario has are searched for at the beginnings of lines. No pattern may take
more than linear time, because any file with the suffix of YAML is searched.
"""

import re
from pathlib import Path

MAX_READ_BYTES = 1024**2
"""No scenario is longer (`document.MAX_BYTES`)."""

SCHEMA = re.compile(r"^#.{0,100}\$schema=\S{0,1000}\bscenario\.schema\.json", re.MULTILINE)
_CASES = re.compile(r"""^["']?(?:cases|matrix)["']?[ \t]*:""", re.MULTILINE)
_MODEL, _CALL = (re.compile(rf"""(?:^|[{{,])[ \t]*["']?{key}["']?[ \t]*:""", re.MULTILINE) for key in ("model", "call"))
_EXTENDS = re.compile(r"""^["']?extends["']?[ \t]*:[ \t]*["']?([^\s"'#][^"'#\n]{0,1000}?\.ya?ml)\b""", re.MULTILINE)
_MAX_PARENTS = 10


def is_scenario(path: Path) -> bool:
    """Return whether a file has `cases` or `matrix`, `model` and `call`, names the schema, or extends such a file."""
    for _ in range(_MAX_PARENTS):
        text = _beginning(path)
        if SCHEMA.search(text) or (_CASES.search(text) and _MODEL.search(text) and _CALL.search(text)):
            return True
        extends = _EXTENDS.search(text)
        if extends is None:
            return False
        path = path.parent / extends[1]
    return False


def _beginning(path: Path) -> str:
    """Return the beginning of a file; "" if it cannot be read, so that it is not a scenario."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(MAX_READ_BYTES).decode("utf-8-sig", errors="replace")
    except (OSError, ValueError):
        return ""
