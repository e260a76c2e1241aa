"""Models that are folders: relative to the file that names them, absolute in a plan, and never taken for a hub id.

A plan is read again from another directory, where a relative path would mean something else, or a model on the hub.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from bench import files

_STARTS_LIKE_A_PATH = re.compile(r"[/~\\]|\.{1,2}([/\\]|$)|[A-Za-z]:[/\\]")
OWNER_AND_NAME = 2
"""Parts of a hub id."""
LONGEST_SHOWN = 100


class MissingFolderError(ValueError):
    """A name that can only be meant as a folder or a file, or that is beside one in its path, but there is none."""


def folder_of(name: str) -> Path | None:
    """Return the folder that a model of a plan is, whether it exists or not; None for any other model."""
    try:
        path = Path(name).expanduser()
    except RuntimeError:  # ~ of an unknown user
        return None
    return path if path.is_absolute() else None


def is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # too long, or a zero byte: not a possible folder name
        return False


def located_model(name: str, beside: Path, marker: str, *, known: bool) -> str:
    """Return a model's name as a plan has it: a folder by its absolute path, anything else as it was written.

    Args:
        name: as it was written.
        beside: the folder of the file in which it was written; the current directory is searched after it.
        marker: a file of every saved model, without which a folder does not hide a known model.
        known: whether it is the name of a known model.

    Raises:
        MissingFolderError: it looks like a folder, but there is none.
    """
    for folder in _candidates(name, beside):
        if is_folder(folder) and (not known or files.is_file(folder / marker)):
            return str(folder.absolute())
    if not known and _looks_like_a_folder(name, beside):
        raise MissingFolderError(_missing(name, beside))
    return name


def located_weights(name: str, beside: Path, suffix: str) -> str:
    """Return the name of an adapter as a plan has it: a folder or a file by its absolute path, else as it was written.

    Raises:
        MissingFolderError: it looks like a folder, or like a file by its suffix, but there is none.
    """
    for found in _candidates(name, beside):
        if is_folder(found) or files.is_file(found):
            return str(found.absolute())
    if name.endswith(suffix) or _looks_like_a_folder(name, beside):
        raise MissingFolderError(_missing(name, beside, "file or folder"))
    return name


def _candidates(name: str, beside: Path) -> Iterator[Path]:
    try:
        path = Path(name).expanduser()
    except RuntimeError:
        return
    yield from dict.fromkeys((beside / path, path))


def _looks_like_a_folder(name: str, beside: Path) -> bool:
    if _STARTS_LIKE_A_PATH.match(name) or "\\" in name or name.endswith("/"):
        return True
    owner, *rest = name.split("/")
    if len(rest) + 1 != OWNER_AND_NAME:
        return bool(rest)
    return any(is_folder(folder) for folder in _candidates(owner, beside))


def _missing(name: str, beside: Path, what: str = "folder") -> str:
    owner = name.partition("/")[0]
    is_path = _STARTS_LIKE_A_PATH.match(name) or name.count("/") != OWNER_AND_NAME - 1 or name.endswith("/")
    remedy = (
        "write it with '/'" if "\\" in name
        else "correct the path" if is_path
        else f"correct the path, or rename the folder '{owner}' if this is a hub id"
    )  # fmt: skip
    searched = " or ".join(dict.fromkeys(str(folder.absolute()) for folder in (beside, Path())))
    return f"there is no {what} {name[:LONGEST_SHOWN]!r} in {searched}; {remedy}"
