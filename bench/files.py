"""Open, write and name files in folders that somebody else may have made.

A folder that was sent can contain pipes, devices, links to elsewhere and names that lead out of it. What is read is a
regular file of bounded size; what is written goes into a new file that is then moved into place, so a reader sees the
old contents or the new, and a link is replaced, never written through.
"""

import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from bench.errors import InputError

LARGEST_BYTES = 256 * 1024**2
"""A file with a million samples is smaller. Reading a larger one would only fill the memory."""
NEW = ".new"
"""How the name of a file ends that is being written; after a kill, such a file may remain."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
LONGEST_NAME = 100
"""Most file systems allow 255 bytes; a name is joined with others and with a suffix."""
LONGEST_FILE_NAME = 255
"""Bytes that file systems allow."""
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
"""Names that Windows reserves, with any suffix."""
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def is_name(text: str) -> bool:
    """Return whether a text can be part of a path on every system: no separator, no leading or trailing dot."""
    fits = _NAME.fullmatch(text) is not None and len(text) <= LONGEST_NAME and not text.endswith(".")
    return fits and not _DEVICES.fullmatch(text)


def is_file(path: Path) -> bool:
    """Return whether there is a regular file; False for a name that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, a surrogate, a zero byte
        return False


def read(path: Path, limit: int = LARGEST_BYTES) -> bytes:
    """Return the contents of a regular file.

    Raises:
        InputError: it cannot be read, is not a regular file (opening a pipe would block), or has more than `limit`
            bytes.
    """
    try:
        with os.fdopen(os.open(path, _READ), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InputError(f"{path}: is not a regular file; name one")
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason}); check the path") from error
    if len(data) > limit:
        raise InputError(f"{path}: is larger than {limit:,} bytes, the most that is read; name another file")
    return data


def replace(path: Path, contents: str | bytes) -> None:
    """Replace a file whole; raise OSError, with the file's name, if the disk refuses."""
    data = contents if isinstance(contents, bytes) else contents.encode(errors="backslashreplace")
    with replacing(path) as file:
        file.write(data)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Yield a new file that takes the place of `path` at the end, unless the block fails."""
    new = path.with_name(f".{path.name[:LONGEST_NAME]}.{secrets.token_hex(8)}{NEW}")
    try:
        with naming(path), os.fdopen(os.open(new, _NEW, 0o666), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with naming(path):
            new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


@contextmanager
def appending(path: Path) -> Iterator[BinaryIO]:
    """Yield a regular file that is written at its end and synced; raise OSError for a link or a pipe."""
    with naming(path), os.fdopen(os.open(path, _APPEND, 0o666), "ab") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(None, "is not a regular file", str(path))
        yield file
        file.flush()
        os.fsync(file.fileno())


def within(folder: Path, *names: str) -> Path:
    """Return a path below a folder, which itself may be a link.

    Raises:
        InputError: a part is not a name, or what it names is a link, so that the path could lead elsewhere.
    """
    path = folder
    for name in names:
        path /= name
        if name in {"", ".", ".."} or Path(name).name != name or not _is_possible(name):
            raise InputError(
                f"{folder}: {name[:LONGEST_NAME]!r} is not the name of a file in it; the folder is damaged"
            )
        if path.is_symlink():
            raise InputError(f"{path}: is a link, which may lead out of the folder; replace it by what it links to")
    return path


def _is_possible(name: str) -> bool:
    """Return whether a file system can have a file of this name."""
    try:
        encoded = os.fsencode(name)
    except UnicodeEncodeError:  # a surrogate
        return False
    return b"\0" not in encoded and len(encoded) <= LONGEST_FILE_NAME


def subfolder(folder: Path, *names: str) -> Path:
    """Return a folder below another one, created if it is missing; raise `InputError` as `within` does."""
    for end in range(1, len(names) + 1):
        within(folder, *names[:end]).mkdir(exist_ok=True)
    return folder.joinpath(*names)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name the file in an OSError that names none, such as that of a full disk."""
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        raise
