"""Python source from values: literals, keyword arguments, calls and imports, as a formatter would lay them out.

The values may be somebody else's, so a key must be an identifier and a value a literal.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from bench import text
from bench.errors import InputError
from bench.text import is_identifier

LONGEST_CALL = 88
"""The line length on which Python's formatters agree."""


def quoted(value: str) -> str:
    """Return a string literal on one line, as a person would write it."""
    return json.dumps(value, ensure_ascii=False) if value.isprintable() else ascii(value)


def keywords(arguments: Mapping[str, Any]) -> list[str]:
    """Return arguments as they stand in a call; raise `InputError` for what is neither a name nor a literal."""
    for name in arguments:
        if not is_identifier(name):
            raise InputError(f"{text.printable(name)!r} is not the name of an argument; correct the scenario")
    return [f"{name}={literal(value)}" for name, value in arguments.items()]


def literal(value: Any) -> str:
    """Return a value as Python source; a tuple becomes a list, because diffusers expects lists."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{literal(key)}: {literal(item)}' for key, item in value.items())}}}"
    if value is None or type(value) in {bool, int} or (type(value) is float and math.isfinite(value)):
        return repr(value)
    raise InputError(f"{text.printable(repr(value)[:100])} cannot be written as a literal; correct the scenario")


def call(function: str, arguments: list[str], after: str = "") -> Iterator[str]:
    """Yield the lines of a call, one per argument if it is too long for one line."""
    line = f"{function}({', '.join(arguments)}){after}"
    if len(line) <= LONGEST_CALL:
        yield line
        return
    yield f"{function}("
    yield from (f"    {argument}," for argument in arguments)
    yield f"){after}"


def hoisted(sections: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Return the imports of all sections, each module once, and the sections without them."""
    found = {line for lines in sections for line in lines if line.startswith(("import ", "from "))}
    names: dict[str, list[str]] = {}
    for line in sorted(line for line in found if line.startswith("from ")):
        module, name = line.removeprefix("from ").split(" import ")
        names.setdefault(module, []).append(name)
    modules = sorted(line for line in found if line.startswith("import "))
    imports = [*modules, *(f"from {module} import {', '.join(taken)}" for module, taken in names.items())]
    return imports, [[line for line in lines if line not in found] for lines in sections]


def statements(lines: list[str]) -> int:
    """Return how many statements lines of ours are; a closing bracket and what is indented belong to the one before."""
    return sum(not line.startswith((" ", ")", "#")) and bool(line) for line in lines)
