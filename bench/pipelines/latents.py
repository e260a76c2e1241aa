"""From the latents that a pipeline returns to pictures, the way the pipeline itself goes.

Every family scales, shifts, standardizes or packs its latents differently. What a pipeline does with them is read from
the source of its `__call__`: from the branch that is left out where `output_type` is `latent`. If that branch does
anything that is not known here, the way back is unknown, and no picture is better than a wrong one.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from bench.pipelines.diffusers_api import call_method

SIDES = ("height", "width")
_UNPACK = "self._unpack_latents(latents, height, width, self.vae_scale_factor)"
_SCALE, _SHIFT = "self.vae.config.scaling_factor", "self.vae.config.shift_factor"
_MEAN, _STD = "self.vae.config.latents_mean", "self.vae.config.latents_std"
_UPCAST = "self.vae.config.force_upcast"
_RESIZE = "self.image_processor.resize_and_crop_tensor"
_WITHOUT_EFFECT = {
    "self.vae.decode", "self.vae.dtype", "self.vae.to", "self.vae", "self.vae.config", "self.vae.config.z_dim",
    "self.upcast_vae", "self.vae.post_quant_conv.parameters", "self.vae_scale_factor", "self._unpack_latents",
    "self.image_processor.postprocess", "self.run_safety_checker", "self.watermark", "self.watermark.apply_watermark",
}  # fmt: skip
"""What the branch may use beside the above. The safety checker did not run in a call that returned latents."""
_KNOWN = {*_WITHOUT_EFFECT, _SCALE, _SHIFT, _MEAN, _STD, _UPCAST, _RESIZE}
_NAMES = {
    "self", "latents", "denoised", "image", "height", "width", "output_type", "generator", "device", "prompt_embeds",
    "torch", "latents_mean", "latents_std", "has_latents_mean", "has_latents_std", "needs_upcasting",
    "has_nsfw_concept", "get_module_execution_device", "hasattr", "next", "iter", "use_resolution_binning",
    "orig_height", "orig_width", "warnings", "e",
}  # fmt: skip
_METHODS = {
    "to", "view", "tensor", "backends", "mps", "is_available", "float16", "float32", "device", "dtype", "warn",
    "OutOfMemoryError",
}  # fmt: skip
"""The names that the branch may use, and the attributes of anything but the pipeline."""


@dataclass(frozen=True)
class WayBack:
    """How a pipeline turns its latents into pictures.

    Attributes:
        packed: it unpacks them, for transformers that read patches.
        scaled, shifted: by the factors in the autoencoder's configuration.
        standardized: by the mean and the standard deviation in it, if they are there.
        upcast: it decodes in float32 if the autoencoder is in float16 and would overflow.
        resized: it draws the nearest size that it was trained for, and resizes the picture.
    """

    packed: bool
    scaled: bool
    shifted: bool
    standardized: bool
    upcast: bool
    resized: bool


@cache
def way_back(pipeline: str) -> WayBack | None:
    """Return how a pipeline class turns its latents into pictures; None if that is unknown. Imports no torch."""
    method = call_method(pipeline)
    branch = list(_decoding(method)) if method is not None else []
    nodes = [node for statement in branch for node in ast.walk(statement)]
    used = {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)}
    own = {text for text in used if text.startswith("self.") and not any(f"{text}." in other for other in used)}
    calls = {ast.unparse(node) for node in nodes if isinstance(node, ast.Call)}
    packed = "self._unpack_latents" in own
    if (
        "self.vae.decode" not in own
        or not own <= _KNOWN
        or (packed and _UNPACK not in calls)
        or not {node.id for node in nodes if isinstance(node, ast.Name)} <= _NAMES
        or not {text.rpartition(".")[2] for text in used if not text.startswith("self.")} <= _METHODS
    ):
        return None
    return WayBack(packed, _SCALE in own, _SHIFT in own, _MEAN in own, _UPCAST in own, _RESIZE in own)


def _decoding(method: ast.FunctionDef) -> Iterator[ast.stmt]:
    """Yield the statements that run only where the output is not latents."""
    for node in ast.walk(method):
        if isinstance(node, ast.If):
            match ast.unparse(node.test):
                case "output_type == 'latent'":
                    yield from node.orelse
                case "not output_type == 'latent'" | "output_type != 'latent'":
                    yield from node.body


def decode(latents: Any, pipeline: Any, call: Mapping[str, Any]) -> Any:
    """Return the decoded values of a call's latents; None if the way back is unknown.

    The autoencoder's hooks of offloading stay in force, and what they moved is put back.
    """
    import torch

    way = way_back(type(pipeline).__name__)
    if way is None or getattr(pipeline, "watermark", None) is not None:
        return None
    vae, dtype = pipeline.vae, pipeline.vae.dtype
    upcast = way.upcast and dtype == torch.float16 and vae.config.force_upcast
    with torch.no_grad():
        if upcast:
            vae.to(torch.float32)
        decoded = vae.decode(_normal(latents, pipeline, call, way).to(vae.dtype), return_dict=False)[0]
        if upcast:
            vae.to(dtype)
    pipeline.maybe_free_model_hooks()
    if _resizes(way, call):
        decoded = pipeline.image_processor.resize_and_crop_tensor(decoded, call["width"], call["height"])
    return decoded[:, :, 0] if decoded.ndim == 5 else decoded  # noqa: PLR2004 - a video of one frame


def _resizes(way: WayBack, call: Mapping[str, Any]) -> bool:
    """Return whether the size asked for may differ from the one drawn; the pipeline's own size is one of the latter."""
    return way.resized and call.get("use_resolution_binning", True) and "width" in call and "height" in call


def _normal(latents: Any, pipeline: Any, call: Mapping[str, Any], way: WayBack) -> Any:
    """Return latents as the autoencoder expects them."""
    import torch

    config, mean = pipeline.vae.config, None
    if way.packed:
        height, width = (call.get(side) or pipeline.default_sample_size * pipeline.vae_scale_factor for side in SIDES)
        latents = pipeline._unpack_latents(latents, height, width, pipeline.vae_scale_factor)  # noqa: SLF001
    if way.standardized and config.get("latents_mean") is not None and config.get("latents_std") is not None:
        shape = (1, -1, *[1] * (latents.ndim - 2))
        mean, std = (torch.tensor(config[name]).view(shape).to(latents) for name in ("latents_mean", "latents_std"))
        latents = latents * std
    if way.scaled:
        latents = latents / config.scaling_factor
    if way.shifted:
        latents = latents + config.shift_factor
    return latents if mean is None else latents + mean


def code(pipeline: str, call: Mapping[str, Any]) -> list[str]:
    """Return the lines that decode `images`, the latents of a call, and turn them into pictures; [] if unknown."""
    way = way_back(pipeline)
    if way is None:
        return []
    lines = ["vae, config = pipe.vae, pipe.vae.config"]
    if way.upcast:
        lines += [
            "if vae.dtype == torch.float16 and config.force_upcast:",
            "    vae.to(torch.float32)  # else it overflows",
        ]
    if way.packed:
        sides = [str(call.get(side, "pipe.default_sample_size * pipe.vae_scale_factor")) for side in SIDES]
        lines.append(f"images = pipe._unpack_latents(images, {', '.join(sides)}, pipe.vae_scale_factor)")
    scaled = "images / config.scaling_factor" if way.scaled else "images"
    scaled += " + config.shift_factor" if way.shifted else ""
    if way.standardized:
        scaled = scaled.replace("images", "images * std")
        lines += [
            'statistics = config.get("latents_mean") or [0.0], config.get("latents_std") or [1.0]',
            "shape = (1, -1, *[1] * (images.ndim - 2))",
            "mean, std = (torch.tensor(values).view(shape).to(images) for values in statistics)",
        ]
        scaled += " + mean"
    lines += ["with torch.no_grad():", f"    images = vae.decode(({scaled}).to(vae.dtype), return_dict=False)[0]"]
    if _resizes(way, call):
        lines.append(f"images = pipe.image_processor.resize_and_crop_tensor(images, {call['width']}, {call['height']})")
    frame = "images[:, :, 0] if images.ndim == 5 else images" if way.packed and way.standardized else "images"
    return [*lines, f"images = pipe.image_processor.postprocess({frame})"]
