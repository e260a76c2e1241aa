"""The columns of a record that come from the case: its settings, its weights, its first call and its samples."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from operator import attrgetter
from typing import Any

from bench.measure.sampling import Sampled
from bench.pipelines import effective, roles
from bench.pipelines.build import Ready
from bench.pipelines.first_call import FirstCall
from bench.pipelines.roles import Role
from bench.plan.case import STEP_LISTS, Case, batch_size
from bench.records.outcomes import Remark, RemarkKind

SIZED_LIKE = ("image", "video", "control_image")
"""Arguments whose pictures decide the size of what is drawn, where the call names none."""
LARGEST_MULTIPLE = 64
"""Pixels to which a side is rounded at most; what differs by more was not rounded, but made in another size."""


def requested(case: Case, size: str) -> dict[str, Any]:
    """Return what is known before anything is built."""
    return {
        "model": case.model,
        "size": size,
        "vae": case.vae,
        "dtype": case.dtype,
        "optimizations": case.optimizations,
        "scheduler": case.scheduler,
        "scheduler_config": case.scheduler_config or None,
        "steps": None if _own_steps(case) else case.call.get("num_inference_steps"),
        "height": case.call.get("height"),
        "width": case.call.get("width"),
        "images": batch_size(case.call),
        "output_type": output_type(case),
        "call": case.call or None,
        "load": case.load or None,
        "seed": case.seed if isinstance(case.seed, tuple) else (case.seed,),
        "generator_device": case.generator_device,
    }


def output_type(case: Case) -> str:
    """Return what the pipeline call returns; diffusers' default is PIL images."""
    return str(case.call.get("output_type", "pil"))


def weights(ready: Ready) -> dict[str, Any]:
    """Return where the weights come from."""
    vae = ready.vae_origin
    return {
        "weights": ready.origin.weights,
        "weights_from": ready.origin.name,
        "revision": ready.origin.revision,
        "components": _components(ready),
        "adapters": dict(ready.adapters) or None,
        "vae_weights": vae and vae.weights,
        "vae_weights_from": vae and vae.name,
        "vae_revision": vae and vae.revision,
    }


def _components(ready: Ready) -> dict[str, Any] | None:
    return {role: asdict(found) for role, found in ready.component_origins.items()} or None


def first_call(ready: Ready, watched: FirstCall) -> dict[str, Any]:
    """Return what only a call can show."""
    return {
        "denoiser_calls": watched.denoiser_calls,
        "denoiser_parameters": _parameters(ready.pipeline, watched),
        "vae_decodes": watched.vae_decodes,
        "steps": _steps(ready),
        "remarks": "; ".join(map(str, _remarks(ready, watched))),
    }


def _parameters(pipeline: Any, watched: FirstCall) -> int | None:
    """Return the number of parameters of the denoisers: of those known by their classes, or of what ran as one."""
    known = roles.of(pipeline, Role.DENOISER).values() or [attrgetter(path)(pipeline) for path in watched.denoisers]
    return sum(map(effective.parameters, known)) if known else None


def drawn(ready: Ready, watched: FirstCall, pictures: Sequence[Any], others: Sequence[Remark] = ()) -> dict[str, Any]:
    """Return how many images there are, the size of the first where there is a picture of it, and all remarks."""
    remarks = [*_remarks(ready, watched), *others]
    size: dict[str, Any] = {}
    if pictures:
        size = {"width": pictures[0].width, "height": pictures[0].height}
        asked = _asked(ready, size)
        if asked != size:
            remarks.append(Remark(RemarkKind.RESIZED, subject=f"{asked['width']}x{asked['height']}"))
    else:
        remarks.append(Remark(RemarkKind.NO_PICTURE, subject=type(ready.pipeline).__name__))
    frames = ready.case.call.get("num_frames")
    if watched.frames is not None and frames not in {None, watched.frames}:
        remarks.append(Remark(RemarkKind.OTHER_LENGTH, frames))
    return {**size, "images": watched.images, "frames": watched.frames, "remarks": "; ".join(map(str, remarks))}


def _asked(ready: Ready, drawn: Mapping[str, int]) -> dict[str, int]:
    """Return the size that a call asks for: its arguments, or the size of its picture if that was only rounded."""
    pictures = [ready.prepared[name] for name in SIZED_LIKE if ready.prepared.get(name)]
    first = next((each[0] if isinstance(each, list) else each for each in pictures), None)
    given = {side: getattr(first, side, 0) for side in drawn}
    rounded = all(0 <= given[side] - drawn[side] < LARGEST_MULTIPLE for side in drawn)
    call = ready.case.call
    return {side: call.get(side) or (given[side] if rounded else drawn[side]) for side in drawn}


def _remarks(ready: Ready, watched: FirstCall) -> list[Remark]:
    once = {"vae_slicing", "vae_tiling"} if watched.vae_decodes <= 1 else set()
    cls = type(ready.pipeline).__name__
    return [
        *([] if watched.denoisers else [Remark(RemarkKind.NO_DENOISER, subject=cls)]),
        *(Remark(RemarkKind.NO_PART, subject=path) for path in watched.unknown),
        *(Remark(RemarkKind.OVERRIDDEN, subject=variable) for variable in effective.overridden(ready.device.type)),
        *(Remark(RemarkKind.IDLE, subject=name) for name in ready.case.optimizations if name in once),
    ]


def _own_steps(case: Case) -> bool:
    """Return whether a case lists its steps, which overrides their number."""
    return any(case.call.get(name) is not None for name in STEP_LISTS)


def _steps(ready: Ready) -> int | None:
    """Return the number of steps; if the case lists them the scheduler's, because some lists end with a zero."""
    if not _own_steps(ready.case):
        found = ready.case.call.get("num_inference_steps")
        return found if found is not None else _default_steps(ready.pipeline)
    scheduler = roles.scheduler(ready.pipeline)
    if scheduler is None:
        return None
    return getattr(scheduler, "num_inference_steps", None) or len(scheduler.timesteps)


def _default_steps(pipeline: Any) -> int | None:
    parameter = inspect.signature(type(pipeline).__call__).parameters.get("num_inference_steps")
    return parameter.default if parameter is not None else None


def sampling(sampled: Sampled, telemetry: dict[str, Any], images: int) -> dict[str, Any]:
    """Return how the samples were taken and what the machine did meanwhile; `images` is per call."""
    energy, calls = telemetry.get("energy_j"), sampled.watched_calls
    return {
        **telemetry,
        "energy_per_image_j": energy / calls / images if energy is not None and calls else None,
        "warmup_calls": sampled.warmup_calls,
        "warm": sampled.warm,
        "steady": sampled.steady,
        "rejected_samples": len(sampled.rejected),
        "rejected_by": sorted(set(sampled.rejected)),
    }
