"""Is this YAML file a scenario? Told from its text, cheaply and safely: it may be anybody's file, and it may be broken.

A scenario with a fault in it must still be taken for one, so that its fault can be told; a file of another tool must be
left alone, silently. So nothing is parsed: the keys that every scenario has are looked for at the beginnings of lines.
"""

import re
from pathlib import Path

MOST_READ = 1024**2
"""Bytes; no scenario is longer (`document.MAX_BYTES`)."""

SCHEMA = re.compile(r"^#.*\$schema=\S*\bscenario\.schema\.json", re.MULTILINE)
_CASES = re.compile(r"""^["']?(?:cases|matrix)["']?\s*:""", re.MULTILINE)
_MODEL, _CALL = (re.compile(rf"""(?:^|[{{,])\s*["']?{key}["']?\s*:""", re.MULTILINE) for key in ("model", "call"))
_EXTENDS = re.compile(r"""^["']?extends["']?\s*:\s*["']?([^"'#\n]+\.ya?ml)\b""", re.MULTILINE)
_MOST_PARENTS = 10


def is_scenario(path: Path) -> bool:
    """Say whether a file is a scenario: it has `cases` or `matrix`, `model` and `call`, or names the schema.

    A file that extends a scenario is one.
    """
    for _ in range(_MOST_PARENTS):
        text = _text(path)
        if SCHEMA.search(text) or (_CASES.search(text) and _MODEL.search(text) and _CALL.search(text)):
            return True
        extends = _EXTENDS.search(text)
        if extends is None:
            return False
        path = path.parent / extends[1]
    return False


def _text(path: Path) -> str:
    """Return the beginning of a file; nothing of one that cannot be read, which is then no scenario."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(MOST_READ).decode("utf-8-sig", errors="replace")
    except (OSError, ValueError):
        return ""
