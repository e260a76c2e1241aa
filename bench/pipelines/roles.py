"""What each component of a pipeline does, by its class and not by the name that the pipeline gives it.

Two-stage pipelines call a denoiser `prior_prior` or `decoder`, and an autoencoder `movq` or `vqgan`; some have two of a
kind. A class that is not known here has the role `UNKNOWN`, and what it did is seen in the first call. Combined
pipelines run theirs through pipelines of their own, whose components count as the combined one's.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Role(StrEnum):
    """What a component does in a call."""

    TEXT_ENCODER = "text encoder"
    IMAGE_ENCODER = "image encoder"
    DENOISER = "denoiser"
    AUTOENCODER = "autoencoder"
    CONTROLNET = "ControlNet"
    SCHEDULER = "scheduler"
    SAFETY_CHECKER = "safety checker"
    UNKNOWN = "unknown"


_BY_CLASS = (
    (re.compile(r"SafetyChecker"), Role.SAFETY_CHECKER),
    (re.compile(r"Scheduler$"), Role.SCHEDULER),
    (re.compile(r"Autoencoder|VQModel|VAE|Vae$"), Role.AUTOENCODER),
    (re.compile(r"^UNet"), Role.DENOISER),  # UNetControlNetXSModel is both
    (re.compile(r"ControlNet"), Role.CONTROLNET),
    (re.compile(r"UNet|UVit|Transformer|DiT|Prior$|DiffNeXt$|UniDiffuserModel"), Role.DENOISER),
)
"""The names of the classes in diffusers; the first that matches decides."""
_BY_INPUT = {"input_ids": Role.TEXT_ENCODER, "pixel_values": Role.IMAGE_ENCODER}
"""The main input that transformers declares for a model."""
_SEES = re.compile(r"Image|Vision")


def by_class_name(library: str, name: str) -> Role:
    """Return the role of a class of diffusers, known only by its name; `UNKNOWN` for any other library."""
    if library == "transformers":
        return Role.UNKNOWN
    return next((role for pattern, role in _BY_CLASS if pattern.search(name)), Role.UNKNOWN)


def role(component: Any) -> Role:
    """Return the role of a live component."""
    cls = type(unwrapped(component))
    main_input = getattr(cls, "main_input_name", None)
    if main_input is None or "SafetyChecker" in cls.__name__:
        found = by_class_name("diffusers", cls.__name__)
        return Role.AUTOENCODER if found is Role.UNKNOWN and callable(getattr(cls, "decode", None)) else found
    return Role.IMAGE_ENCODER if _SEES.search(cls.__name__) else _BY_INPUT.get(main_input, Role.UNKNOWN)


def unwrapped(module: Any) -> Any:
    """Return the module inside torch.compile's wrapper, or the module itself."""
    return getattr(module, "_orig_mod", module)


def pipelines(pipeline: Any) -> dict[str, Any]:
    """Return a pipeline, as "", and those that it consists of, by their paths in it."""
    from diffusers import DiffusionPipeline

    found = {"": pipeline}
    for name, value in vars(pipeline).items():
        if isinstance(value, DiffusionPipeline):
            found |= {".".join(filter(None, (name, inner))): each for inner, each in pipelines(value).items()}
    return found


def components(pipeline: Any) -> dict[str, Any]:
    """Return the modules, the schedulers and the safety checkers of a pipeline by their paths in it, each once."""
    import torch

    found: dict[str, Any] = {}
    for prefix, owner in pipelines(pipeline).items():
        for name, value in vars(owner).items():
            known = isinstance(value, torch.nn.Module) or role(value) in {Role.SCHEDULER, Role.SAFETY_CHECKER}
            if known and not any(value is other for other in found.values()):
                found[".".join(filter(None, (prefix, name)))] = value
    return found


def modules(pipeline: Any) -> dict[str, Any]:
    """Return the components that have parameters."""
    import torch

    return {path: part for path, part in components(pipeline).items() if isinstance(part, torch.nn.Module)}


def of(pipeline: Any, wanted: Role) -> dict[str, Any]:
    """Return the components that have a role, by their paths in the pipeline."""
    return {path: part for path, part in components(pipeline).items() if role(part) is wanted}


def scheduler(pipeline: Any) -> Any:
    """Return the scheduler that a case may replace; None if the pipeline has none of that name."""
    return getattr(pipeline, "scheduler", None)


def shared_with(pipeline: Any, component: Any) -> str | None:
    """Return the path of a pipeline within this one that holds the same component; None if there is none.

    Replacing the component in the outer pipeline would change nothing.
    """
    inner = {path: each for path, each in pipelines(pipeline).items() if path}
    return next((path for path, each in inner.items() if any(v is component for v in vars(each).values())), None)


def named(classes: Mapping[str, tuple[str, ...]], wanted: Role) -> list[str]:
    """Return the names of those components, given by library and class, that have a role."""
    return [name for name, cls in classes.items() if by_class_name(cls[0], cls[-1]) is wanted]
