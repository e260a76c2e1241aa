"""Pictures that a scenario gives to a pipeline call: files, or pictures that are made from a seed.

A synthetic picture is the same on every machine, so a table of image-to-image cases needs no file beside it. What a
picture shows hardly changes the latency, only its size does.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from bench import files
from bench.plan.fields import Name, Seed, Strict

Kind = Literal["photo-like", "noise", "edges", "mask"]
KINDS: tuple[str, ...] = get_args(Kind)
MOST_FRAMES = 1_000
LARGEST_SIDE = 8_192
"""Pixels."""
_NAMED = re.compile(r"(.*_)?(image|images|mask|video|frames)")
"""Arguments that take pictures, where the pipeline's class is not known."""
_REMEDY = (
    "give the path of a picture, or {synthetic: KIND, height: .., width: ..}, of which KIND is one of "
    f"{', '.join(KINDS)}; or a list of them"
)


class ImageInput(Strict):
    """One picture, or the frames of one video.

    Attributes:
        path: of the file; relative to the scenario that names it, absolute in a plan.
        synthetic: what to make instead of reading a file.
        height: in pixels; a file is resized to it.
        width: in pixels.
        seed: of a synthetic picture.
        frames: of a synthetic video; None makes a single picture.
    """

    path: Name | None = None
    synthetic: Kind | None = None
    height: int | None = Field(default=None, ge=1, le=LARGEST_SIDE)
    width: int | None = Field(default=None, ge=1, le=LARGEST_SIDE)
    seed: Seed = 0
    frames: int | None = Field(default=None, ge=1, le=MOST_FRAMES)

    @model_validator(mode="after")
    def _one_source(self) -> "ImageInput":
        if (self.path is None) == (self.synthetic is None):
            raise ValueError("it needs either 'path' or 'synthetic'; give one of them")
        if (self.height is None) != (self.width is None):
            raise ValueError("it has only one of 'height' and 'width'; give both")
        if self.synthetic is not None and self.height is None:
            raise ValueError("it has no size; add 'height' and 'width' to it, or to the call")
        if self.path is not None and self.frames is not None:
            raise ValueError("a file has one frame; list several files instead")
        return self


_INPUT = TypeAdapter(ImageInput)


def takes_images(argument: str, known: frozenset[str] | None) -> bool:
    """Return whether a call argument takes pictures.

    Args:
        argument: its name.
        known: the arguments of this pipeline that do; None goes by the name.
    """
    return argument in known if known is not None else _NAMED.fullmatch(argument) is not None


def is_image(value: Any) -> bool:
    """Return whether a value can only be meant as a picture, or a list of them."""
    values = value if isinstance(value, (list, tuple)) else [value]
    return any(isinstance(each, Mapping) and each.keys() & {"path", "synthetic"} for each in values)


def images_of(call: Mapping[str, Any]) -> list[str]:
    """Return the names of the arguments of a plan's call that are pictures."""
    return [name for name, value in call.items() if is_image(value)]


def image_inputs(value: Any, call: Mapping[str, Any]) -> list[ImageInput]:
    """Return the pictures that an argument of a call has.

    Args:
        value: a path, a mapping, or a list of these.
        call: gives a synthetic picture its size where it has none of its own.

    Raises:
        ValueError: what is wrong and what to do.
    """
    values = value if isinstance(value, (list, tuple)) else [value]
    if not values or len(values) > MOST_FRAMES:
        raise ValueError(f"it is a list of {len(values):,}; give 1 to {MOST_FRAMES:,} pictures")
    return [_image_input(each, call) for each in values]


def _image_input(value: Any, call: Mapping[str, Any]) -> ImageInput:
    given = {"path": value} if isinstance(value, str) else value
    if not isinstance(given, Mapping):
        raise ValueError(f"it is {value!r:.60}; {_REMEDY}")  # noqa: TRY004 - the caller reports every fault of a value in the same way
    if "synthetic" in given and not given.keys() & {"height", "width"}:
        given = {**given, **{side: call[side] for side in ("height", "width") if side in call}}
    try:
        return _INPUT.validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(
            first["msg"].removeprefix("Value error, ")
            if not where
            else f"its '{where}' is wrong ({first['msg']}); {_REMEDY}"
        ) from error


def located(value: Any, folder: Path) -> Any:
    """Return the value of an argument as a plan has it: with a mapping for every picture, and absolute paths.

    Args:
        value: as it was written.
        folder: of the file in which it was written, where a path is looked up before the current directory.
    """
    if isinstance(value, (list, tuple)):
        return [located(each, folder) for each in value]
    if isinstance(value, str):
        value = {"path": value}
    if not isinstance(value, Mapping) or not isinstance(value.get("path"), str):
        return value
    path = Path(value["path"]).expanduser()
    found = path if not files.is_file(folder / path) and files.is_file(path) else folder / path
    return {**value, "path": str(found.absolute())}


def paths(inputs: list[ImageInput]) -> Iterator[str]:
    """Yield the files that are read."""
    return (each.path for each in inputs if each.path is not None)
