"""Turn what a pipeline returned, images or frames, into pictures, outside the timed region, and reject broken ones.

A fast pipeline that makes a black image is broken, not fast: half precision overflows to NaN, which diffusers turns
into black without an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import files
from bench.pipelines import latents
from bench.pipelines.signatures import DRAWN_FIELDS

_VIDEO_DIMENSIONS, _FRAME_DIMENSIONS = 4, 3


class BrokenImageError(Exception):
    """An image has NaN or infinite values, or a single color."""


VIDEO_FIELDS = ("frames", "video")


class NothingDrawnError(Exception):
    """A pipeline returned neither images nor frames."""


@dataclass(frozen=True)
class Drawn:
    """What a call drew.

    Attributes:
        images: how many, or how many videos.
        frames: per video; None for images, and where only latents were returned.
        pictures: PIL images to keep: all images, or three frames of each video; none if it is not known how latents
            are decoded.
    """

    images: int
    frames: int | None
    pictures: list[Any]


def drawn(output: Any, pipeline: Any, output_type: str, call: Mapping[str, Any]) -> Drawn:
    """Return what a call drew; latents of images are decoded.

    Raises:
        BrokenImageError: a value is NaN or infinite, or an image has a single color.
        NothingDrawnError: the pipeline returned something else.
    """
    field = next((name for name in DRAWN_FIELDS if getattr(output, name, None) is not None), None)
    if field is None:
        raise NothingDrawnError(f"{type(pipeline).__name__} returned neither images nor frames, so nothing is measured")
    values = getattr(output, field)
    if output_type == "latent":
        latents_of = _finite(values)
        decoded = _decode(latents_of, pipeline, call) if field == "images" else []
        return Drawn(len(latents_of), None, _checked(decoded))
    if field in {"images", "image"} and not _has_frames(values):
        return Drawn(len(values), None, _checked(_to_pil(_finite_values(values), output_type)))
    videos = [_to_pil(_finite_values(frames), output_type) for frames in _videos(values)]
    kept = [frames[at] for frames in videos for at in kept_frames(len(frames))]
    return Drawn(len(videos), len(videos[0]), _checked(kept))


def kept_frames(count: int) -> list[int]:
    """Return which frames of a video are kept: the first, the middle and the last."""
    return sorted({0, count // 2, count - 1})


def _has_frames(values: Any) -> bool:
    """Return whether each of the images is a list of frames, as those that show a body from all sides are."""
    return not hasattr(values, "shape") and isinstance(values[0], (list, tuple))


def _videos(values: Any) -> Any:
    """Return a list or an array of videos; some pipelines return a single one."""
    dimensions = len(values.shape) if hasattr(values, "shape") else None
    single = dimensions == _VIDEO_DIMENSIONS if dimensions else hasattr(values[0], "size") and _is_frame(values[0])
    return [values] if single else values


def _is_frame(value: Any) -> bool:
    """Return whether a value is one frame: a PIL image, or an array of height, width and channels."""
    return len(value.shape) <= _FRAME_DIMENSIONS if hasattr(value, "shape") else not isinstance(value, (list, tuple))


def _checked(images: Any) -> list[Any]:
    for index, image in enumerate(images):
        if all(low == high for low, high in _extrema(image)):
            raise BrokenImageError(f"image {index} has a single color: the pipeline computed NaN, or nothing")
    return list(images)


def save(images: list[Any], folder: Path, name: str) -> None:
    """Write the images as `name-0.png`, `name-1.png` ... into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(images):
        with files.replacing(folder / f"{name}-{index}.png") as file:
            image.save(file, format="png")


def _extrema(image: Any) -> list[tuple[int, int]]:
    found = image.getextrema()
    return [found] if isinstance(found[0], (int, float)) else list(found)


def _finite(values: Any) -> Any:
    import torch

    if not bool(torch.isfinite(torch.as_tensor(values)).all()):
        raise BrokenImageError("the output has NaN or infinite values")
    return values


def _finite_values(values: Any) -> Any:
    """Return images as they are, and arrays of them if they are finite."""
    return values if isinstance(values, (list, tuple)) and not hasattr(values[0], "shape") else _finite(values)


def _to_pil(values: Any, output_type: str) -> Any:
    """Return images or frames as PIL images."""
    import torch
    from diffusers.image_processor import VaeImageProcessor

    if output_type not in {"pt", "np"}:
        return values
    stacked = torch.stack(list(values)) if output_type == "pt" and not hasattr(values, "shape") else values
    return VaeImageProcessor.numpy_to_pil(VaeImageProcessor.pt_to_numpy(stacked) if output_type == "pt" else stacked)


def _decode(values: Any, pipeline: Any, call: Mapping[str, Any]) -> Any:
    decoded = latents.decode(values, pipeline, call)
    return [] if decoded is None else pipeline.image_processor.postprocess(_finite(decoded), output_type="pil")
