"""Turn what a pipeline returned into pictures, outside the timed region, and reject broken ones.

A fast pipeline that makes a black image is broken, not fast: half precision overflows to NaN, which diffusers turns
into black without an error.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import files
from bench.pipelines import latents


class BrokenImageError(Exception):
    """An image has NaN or infinite values, or a single color."""


def pictures(output: Any, pipeline: Any, output_type: str, call: Mapping[str, Any]) -> list[Any]:
    """Return the images of a call as PIL images; latents are decoded, and [] if it is not known how.

    Raises:
        BrokenImageError: a value is NaN or infinite, or an image has a single color.
    """
    images = output.images
    if output_type == "latent":
        images = _decode(_finite(images), pipeline, call)
    elif output_type in {"pt", "np"}:
        images = _to_pil(_finite(images), output_type)
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


def _to_pil(values: Any, output_type: str) -> Any:
    from diffusers.image_processor import VaeImageProcessor

    array = VaeImageProcessor.pt_to_numpy(values) if output_type == "pt" else values
    return VaeImageProcessor.numpy_to_pil(array)


def _decode(values: Any, pipeline: Any, call: Mapping[str, Any]) -> Any:
    decoded = latents.decode(values, pipeline, call)
    return [] if decoded is None else pipeline.image_processor.postprocess(_finite(decoded), output_type="pil")
