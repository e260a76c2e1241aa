"""Prepare the pictures that a call is given, before anything is timed.

Orientation and mode are normalized, because what an editor wrote into a file must not decide what is measured: RGB, or
one channel for a mask. A tiny model gets its pictures as much smaller as what it draws.
"""

import hashlib
import warnings
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from bench import files
from bench.errors import InputError
from bench.pipelines import synthetic
from bench.plan.case import Case
from bench.plan.image_input import ImageInput, image_inputs, images_of

LARGEST_BYTES = 64 * 1024**2
LARGEST_PIXELS = 8_192 * 8_192
_UNREADABLE = (OSError, SyntaxError, ValueError)
"""What Pillow raises on damaged files; its UnidentifiedImageError is an OSError."""
Resize = Callable[[int], int]
"""From a side in pixels to the one that is used."""


def mode_of(argument: str) -> str:
    """Return Pillow's mode of an argument's pictures."""
    return "L" if "mask" in argument else "RGB"


def prepare(case: Case, resize: Resize) -> dict[str, Any]:
    """Return the arguments of a case's call, with PIL images where it has pictures.

    Raises:
        InputError: a file cannot be read, is not a picture, or has too many pixels.
    """
    return {**case.call, **{name: _argument(case, name, resize) for name in images_of(case.call)}}


def _argument(case: Case, name: str, resize: Resize) -> Any:
    value = case.call[name]
    made = [_pictures(each, mode_of(name), resize) for each in image_inputs(value, case.call)]
    single = isinstance(value, Mapping) and value.get("frames") is None
    return made[0][0] if single else [picture for group in made for picture in group]


def _pictures(source: ImageInput, mode: str, resize: Resize) -> list[Any]:
    if source.path is not None:
        return [_from_file(source, mode, resize)]
    make = synthetic.MAKERS[str(source.synthetic)]
    height, width = resize(source.height or 0), resize(source.width or 0)
    return [make(height, width, source.seed, frame).convert(mode) for frame in range(source.frames or 1)]


def _from_file(source: ImageInput, mode: str, resize: Resize) -> Any:
    from PIL import Image, ImageOps

    path = Path(str(source.path))
    try:
        with warnings.catch_warnings(), Image.open(BytesIO(files.read(path, LARGEST_BYTES))) as image:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if image.width * image.height > LARGEST_PIXELS:
                raise InputError(f"{path}: has more than {LARGEST_PIXELS:,} pixels; make it smaller")
            upright = ImageOps.exif_transpose(image).convert(mode)
    except (*_UNREADABLE, Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: is not a picture that Pillow can read ({error}); give another") from error
    size = resize(source.width or upright.width), resize(source.height or upright.height)
    return upright if size == upright.size else upright.resize(size, Image.Resampling.LANCZOS)


def described(arguments: Mapping[str, Any], case: Case) -> dict[str, Any] | None:
    """Return what a row says of the pictures that were given: size, mode and hash of each, by argument."""
    return {name: [_described(each) for each in _listed(arguments[name])] for name in images_of(case.call)} or None


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _described(picture: Any) -> dict[str, Any]:
    digest = hashlib.sha256(f"{picture.mode} {picture.size}".encode() + picture.tobytes()).hexdigest()
    return {"width": picture.width, "height": picture.height, "mode": picture.mode, "sha256": digest}
