"""Write one plot to the file that somebody named."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".pdf", ".png", ".svg")
LITERAL: dict[Any, Any] = {"text.parse_math": False, "text.usetex": False, "svg.fonttype": "none"}
"""A `$` in a case's name is a dollar."""


def check(path: Path) -> None:
    """Raise `InputError` where another kind of file is asked for; before anything is drawn."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path}: a plot is written as {', '.join(FORMATS)}")


def save(path: Path, figure: "Figure") -> None:
    """Write a figure; raise `InputError` where its file cannot be written."""
    import matplotlib as mpl

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with mpl.rc_context(LITERAL):
            figure.savefig(path, dpi=150)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another place") from error
