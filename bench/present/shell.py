"""Commands for a reader to copy."""

import os
import shlex
import shutil
import sys
from pathlib import Path


def python() -> str:
    """Return the Python that runs now, as `python` unless that is another one in the shell."""
    shells = shutil.which("python")
    same = shells is not None and Path(shells).parent.absolute() == Path(sys.executable).parent
    return "python" if same else os.path.relpath(sys.executable)


def of_python(*words: str) -> str:
    """Return a command of this Python."""
    return shlex.join([python(), *words])
