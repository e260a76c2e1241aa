"""Standard output that may be a full disk: an error in writing it names it, so that no file is blamed for it."""

import io
import os
import sys
from pathlib import Path
from typing import TextIO

from bench import files

NAME = Path("standard output")


class _Named(io.TextIOWrapper):
    def write(self, text: str) -> int:
        with files.naming(NAME):
            return super().write(text)

    def flush(self) -> None:
        with files.naming(NAME):
            super().flush()


def name_errors(stream: TextIO) -> TextIO:
    """Return a stream whose errors name it, instead of this one, which is detached; only of a real file."""
    if type(stream) is not io.TextIOWrapper:
        return stream
    encoding, errors, buffered = stream.encoding, stream.errors, stream.line_buffering
    return _Named(stream.detach(), encoding=encoding, errors=errors, line_buffering=buffered)


def discard() -> None:
    """Send what is still buffered nowhere, so that the interpreter does not complain of it again when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
