"""Render the page and write it: one file with its style, script, plots and pictures inside.

The policy in the page's head lets a browser load nothing: only its own style, `data:` pictures, and the one script by
its hash. All text goes through jinja2's escaping; only what this package makes itself is taken as markup.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench import files
from bench.analyze import highlights
from bench.analyze.run import Run
from bench.errors import InputError
from bench.present import claims, words
from bench.present.grid import claim_tone
from bench.present.html import gallery, tables
from bench.present.html.sections import sections
from bench.records.case_result import CaseResult
from bench.version import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def write(runs: Sequence[tuple[Run, Sequence[CaseResult]]], output: Path) -> Path:
    """Write the report of runs, each with its results, and return the file.

    Raises:
        InputError: the file cannot be written.
    """
    if output.is_dir():
        raise InputError(f"{output}: is a folder; name a file inside it, such as {output / 'report.html'}")
    text = render(runs)
    try:
        files.replace(output, text)
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror}); choose another --output") from error
    return output


def render(runs: Sequence[tuple[Run, Sequence[CaseResult]]]) -> str:
    """Return the report as HTML."""
    from markupsafe import Markup

    found, album = sections(runs)
    script = _own("report.js")
    return _templates().get_template("page.html.j2").render(
        sections=found,
        album=album,
        columns=tables.documentation(),
        most_rows=tables.MOST_ROWS,
        most_cards=gallery.MOST_CARDS,
        words=words,
        claims=claims,
        highlights=highlights,
        claim_tone=claim_tone,
        style=Markup(_own("style.css")),  # noqa: S704 - a file of this package
        pictures=Markup(album.css),  # noqa: S704 - class names and base64
        script=Markup(script),  # noqa: S704 - a file of this package
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        version=__version__,
        made_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )  # fmt: skip


def _templates() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _own(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
