"""Text that somebody else may have written: names, reasons, logs, environment variables.

Printed as it is, it could move a terminal's cursor, reverse what a reader sees, command a CI runner, or publish a
password. Each function here takes one of these powers away and changes nothing else.
"""

import re
from keyword import iskeyword
from typing import Any

_COMMAND = re.compile(r"##(?=\w*\[)")
"""Azure's and TeamCity's commands, and GitHub's first syntax, which its runner finds anywhere in a line."""
_SECRETS = (
    (re.compile(r"//[^/\s@]+@"), "//***@"),
    (re.compile(r"\b(hf_|api_org_|gh[a-z]_|github_pat_|glpat-|sk-|AKIA)[A-Za-z0-9_-]{12,}"), r"\1***"),
    (re.compile(r"(?i)\b((?:bearer|basic)\s+)[\w.~+/=-]{8,}"), r"\1***"),
    (re.compile(r"(?i)([?&;](?:access_|auth_|api_)?(?:token|key|password|secret|signature)=)[^&\s\"']+"), r"\1***"),
)
"""Credentials in a URL, tokens by the prefixes that their issuers gave them, HTTP authorization, query parameters."""


_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a formula begins, by OWASP's list of CSV injections; and the apostrophe, so that a guard can be taken off."""


def printable(text: str) -> str:
    """Return a text on one line; what has no glyph (controls, C1, bidirectional marks, surrogates) is escaped."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def printed_line(text: str) -> str:
    """Return a printable text that a CI runner does not take for a command, wherever in a line it is printed."""
    line = _COMMAND.sub("## ", printable(text))
    start = len(line) - len(line.lstrip())
    return f"{line[:start]}: :{line[start + 2 :]}" if line.startswith("::", start) else line


def printed_lines(text: str) -> str:
    """Return a text of several lines, each as `printed_line` returns it."""
    return "\n".join(map(printed_line, text.split("\n")))


def is_identifier(name: str) -> bool:
    """Return whether a text can stand in code as the name of an argument, a class or a variable."""
    return name.isascii() and name.isidentifier() and not iskeyword(name)


def guarded(value: Any) -> Any:
    """Return a value of a CSV cell; what a spreadsheet would take for a formula begins with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def unguarded(cell: str) -> str:
    """Return what `guarded` was given."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def without_secrets(text: str) -> str:
    """Return a text without credentials and tokens."""
    for pattern, mask in _SECRETS:
        text = pattern.sub(mask, text)
    return text
