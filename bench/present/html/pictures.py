"""The pictures inside the page: small enough for all of them to fit, each embedded once."""

import base64
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.analyze.similarity import open_picture

BUDGET = 2_000_000
"""Bytes of all pictures together as text: less than half of the five megabytes that a page may have."""
PROBES = 6
"""Pictures that are encoded to see how large all of them would become."""
LADDER = ((512, None), (512, 90), (384, 85), (320, 80), (256, 80), (192, 75), (128, 70), (96, 60), (64, 50), (48, 40))
"""The longest side in pixels and WebP's quality (None: lossless), from the best to that of a page with many cases."""


@dataclass(frozen=True)
class Picture:
    """A picture of the page: the CSS class that shows it, and its original size in pixels."""

    name: str
    width: int
    height: int


@dataclass(frozen=True)
class Album:
    """All pictures of a page.

    Attributes:
        by_path: the pictures that could be read.
        css: one rule for each, with the picture inside.
        side: pixels that their longest side was reduced to.
        quality: WebP's; None is lossless.
    """

    by_path: dict[Path, Picture]
    css: str
    side: int
    quality: int | None

    @property
    def encoding(self) -> str:
        """How the pictures were encoded, in words."""
        kept = "lossless" if self.quality is None else f"quality {self.quality}"
        return f"WebP, {kept}, at most {self.side} pixels per side"


def album(paths: Iterable[Path]) -> Album:
    """Read pictures and encode all of them alike, as well as the budget allows; damaged ones are left out."""
    found, distinct = dict[Path, Picture](), dict[str, Any]()
    for path in paths:
        image = open_picture(path)
        if image is not None:
            name = _name(image)
            found[path] = Picture(name, *image.size)
            image.thumbnail((LADDER[0][0], LADDER[0][0]))  # one at a time, so that large ones fit the memory
            distinct[name] = image
    side, quality, encoded = _fitting(distinct)
    css = "\n".join(f".{name}{{background-image:url(data:image/webp;base64,{data})}}" for name, data in encoded.items())
    return Album(found, css, side, quality)


def _name(image: Any) -> str:
    """Return a class that pictures share only if their pixels are the same."""
    return f"p-{hashlib.sha256(f'{image.size}'.encode() + image.tobytes()).hexdigest()[:16]}"


def _fitting(images: dict[str, Any]) -> tuple[int, int | None, dict[str, str]]:
    """Return the first step of the ladder at which the pictures fit, otherwise the last, and them as base64."""
    every = max(1, len(images) // PROBES)
    for side, quality in LADDER:
        probes = [len(_webp(image, side, quality)) for image in list(images.values())[::every]]
        if sum(probes) * every > BUDGET and (side, quality) != LADDER[-1]:
            continue
        encoded = {name: _webp(image, side, quality) for name, image in images.items()}
        if sum(map(len, encoded.values())) <= BUDGET:
            break
    return side, quality, encoded


def _webp(image: Any, side: int, quality: int | None) -> str:
    small, file = image.copy(), io.BytesIO()
    small.thumbnail((side, side))
    small.save(file, "WEBP", lossless=quality is None, quality=80 if quality is None else quality)
    return base64.b64encode(file.getvalue()).decode("ascii")
