"""The gallery: the first picture of each case beside its baseline's."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.analyze.rows import Row
from bench.analyze.similarity import picture
from bench.present.html.grid import label
from bench.present.html.pictures import Album, Picture


@dataclass(frozen=True)
class Card:
    """A case's picture with what is known of it; `baseline` is None where there is nothing to hold it against."""

    case: str
    tag: str
    picture: Picture
    baseline: Picture | None
    against: str
    figures: str
    note: str


def paths(folder: Path, rows: Sequence[Row]) -> list[Path]:
    """Return the first pictures that are there of the cases in these rows."""
    found = (picture(folder, row["scenario"], row["case"]) for row in rows)
    return [path for path in found if path.is_file()]


def cards(folder: Path, rows: Sequence[Row], album: Album) -> list[Card]:
    """Return a card for each case that has a picture, in the order of the rows."""
    known = {
        row["case"]: album.by_path[path]
        for row in rows
        if (path := picture(folder, row["scenario"], row["case"])) in album.by_path
    }
    return [_card(row, known) for row in rows if row["case"] in known]


def _card(row: Row, known: Mapping[str, Picture]) -> Card:
    mine, base = known[row["case"]], known.get(row["baseline"] or "")
    itself = row["baseline"] == row["case"]
    alike = base is not None and (base.width, base.height) == (mine.width, mine.height)
    note = "the baseline" if itself else row["similarity"] if row["psnr_db"] is not None else "not compared"
    if base is not None and not alike:
        note = "of another size than the baseline's picture: not compared"
    return Card(
        row["case"],
        label(row),
        mine,
        base if alike and not itself else None,
        row["baseline"] or "",
        _figures(row),
        note,
    )


def _figures(row: Row) -> str:
    psnr, ssim = row["psnr_db"], row["ssim"]
    told = [
        "" if psnr is None else "identical" if math.isinf(psnr) else f"PSNR {psnr:.1f} dB",
        "" if ssim is None else f"SSIM {ssim:.4f}",
    ]
    return ", ".join(filter(None, told))
