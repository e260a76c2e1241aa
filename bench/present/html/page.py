"""Render the page and write it: one file with its style, script, plots and pictures inside.

A browser is told to load nothing: the policy in the page's head allows its own style, `data:` pictures, and the one
script by its hash. All text goes through jinja2's escaping; only what this package makes itself is taken as markup.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import bench
from bench.errors import InputError
from bench.present.html import raw
from bench.present.html.grid import tone
from bench.present.html.sections import sections
from bench.present.tables import TINY
from bench.records import store

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def write(runs: Sequence[tuple[Path, pd.DataFrame]], output: Path) -> Path:
    """Write the report of runs, each a folder with its results, and return the file.

    Raises:
        InputError: a folder is no run's, or the file cannot be written.
    """
    if output.is_dir():
        raise InputError(f"{output}: is a folder; name a file in it, such as {output / 'report.html'}")
    text = render(runs)
    try:
        store.replace(output, text)
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror}); choose another --output") from error
    return output


def render(runs: Sequence[tuple[Path, pd.DataFrame]]) -> str:
    """Return the report as HTML; raise `InputError` where a folder is no run's."""
    from markupsafe import Markup

    told, album = sections(runs)
    script = _own("report.js")
    return _templates().get_template("page.html.j2").render(
        sections=told,
        album=album,
        columns=raw.columns(),
        tiny=TINY,
        style=Markup(_own("style.css")),  # noqa: S704 - a file of this package
        pictures=Markup(album.css),  # noqa: S704 - class names and base64
        script=Markup(script),  # noqa: S704 - a file of this package
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        version=bench.__version__,
        made_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )  # fmt: skip


def _templates() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["tone"] = tone
    return made


def _own(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
