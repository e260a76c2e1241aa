"""Read back from the live pipeline what is in effect. Silent no-ops are the most common source of false results."""

import os
from collections.abc import Iterable
from typing import Any

from bench.pipelines.errors import NotInEffectError
from bench.plan.case import Case

DENOISERS = ("unet", "transformer")
TF32_OVERRIDE = "NVIDIA_TF32_OVERRIDE"
"""Read by cuBLAS and cuDNN themselves; overrides whatever a program has set (NVIDIA's cuBLAS documentation)."""


def denoiser(pipeline: Any) -> Any:
    """Return the module that runs once per step; raise AttributeError if it has none of the known names."""
    return getattr(pipeline, denoiser_name(pipeline))


def denoiser_name(pipeline: Any) -> str:
    """Return the name of the denoiser in the pipeline; raise AttributeError if it is none of the known names."""
    for name in DENOISERS:
        if getattr(pipeline, name, None) is not None:
            return name
    raise AttributeError(f"{type(pipeline).__name__} has no denoiser under any of the names {', '.join(DENOISERS)}")


def modules(pipeline: Any) -> dict[str, Any]:
    """Return the components that have parameters, by name."""
    import torch

    return {name: part for name, part in pipeline.components.items() if isinstance(part, torch.nn.Module)}


def dtypes(pipeline: Any) -> dict[str, str]:
    """Return the floating-point types of each component's parameters: `float16`, or `float16+float32` for a mixture."""
    return {
        name: _joined(str(p.dtype) for p in part.parameters() if p.is_floating_point())
        for name, part in modules(pipeline).items()
    }


def devices(pipeline: Any) -> dict[str, str]:
    return {name: _joined(p.device.type for p in part.parameters()) for name, part in modules(pipeline).items()}


def attention(pipeline: Any) -> str:
    """Return the class names of the denoiser's attention processors; "" if it has none."""
    processors = getattr(unwrapped(denoiser(pipeline)), "attn_processors", {})
    return _joined(type(processor).__name__ for processor in processors.values())


def unwrapped(module: Any) -> Any:
    """Return the module inside torch.compile's wrapper, or the module itself."""
    return getattr(module, "_orig_mod", module)


def compiled(pipeline: Any) -> str:
    """Return what is compiled: component names, and the classes of blocks that are compiled within them."""
    found = []
    for name, part in modules(pipeline).items():
        if hasattr(part, "_orig_mod"):
            found.append(name)
        blocks = {type(m).__name__ for m in part.modules() if getattr(m, "_compiled_call_impl", None) is not None}
        found += [f"{name}.{block}" for block in sorted(blocks)]
    return "+".join(found)


def offload(pipeline: Any) -> str:
    """Return how weights move to the device during a call: `model`, `sequential`, `group`; "" if they stay there."""
    kinds = set()
    for part in modules(pipeline).values():
        hooks = {type(hook).__name__ for m in part.modules() if (hook := getattr(m, "_hf_hook", None)) is not None}
        kinds |= {"model"} if "CpuOffload" in hooks else {"sequential"} if "AlignDevicesHook" in hooks else set()
        registries = (getattr(m, "_diffusers_hook", None) for m in part.modules())
        kinds |= {"group"} if any("group_offloading" in r.hooks for r in registries if r is not None) else set()
    return "+".join(sorted(kinds))


def process_flags() -> dict[str, bool]:
    """Return the flags of this process that change which kernel is chosen or what it computes."""
    import torch

    return {
        "tf32_matmul": torch.backends.cuda.matmul.allow_tf32,
        "tf32_conv": torch.backends.cudnn.allow_tf32,
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
    }


def overridden(kind: str) -> list[str]:
    """Return the environment variables, as NAME=VALUE, that override flags of this process on a device type.

    The flags read back as if nothing overrode them.
    """
    override = os.environ.get(TF32_OVERRIDE)
    return [f"{TF32_OVERRIDE}={override}"] if kind == "cuda" and override else []


def parameters(module: Any) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def read(pipeline: Any) -> dict[str, Any]:
    """Return everything that a row says about the live pipeline, by the columns of `records.models`."""
    vae = getattr(pipeline, "vae", None)
    return {
        **process_flags(),
        "pipeline": type(pipeline).__name__,
        "dtypes": _by_component(dtypes(pipeline)),
        "devices": _by_component(devices(pipeline)),
        "scheduler": type(pipeline.scheduler).__name__,
        "vae_class": type(vae).__name__ if vae is not None else None,
        "vae_slicing": getattr(vae, "use_slicing", None),
        "vae_tiling": getattr(vae, "use_tiling", None),
        "attention": attention(pipeline),
        "offload": offload(pipeline),
        "compiled": compiled(pipeline),
        "safety_checker": getattr(pipeline, "safety_checker", None) is not None,
        "denoiser_parameters": parameters(denoiser(pipeline)),
        "parameters": sum(parameters(part) for part in modules(pipeline).values()),
    }


def verify(case: Case, pipeline: Any) -> None:
    """Raise `NotInEffectError` if the live pipeline differs from a setting of the case."""
    for name, dtype in dtypes(pipeline).items():
        if dtype and case.dtype not in dtype.split("+"):
            raise NotInEffectError(f"dtype {case.dtype}", f"{name} in {dtype}")
    found = type(pipeline.scheduler).__name__
    if case.scheduler is not None and case.scheduler != found:
        raise NotInEffectError(f"scheduler {case.scheduler}", found)
    for key, value in case.scheduler_config.items():
        if pipeline.scheduler.config.get(key) != value:
            raise NotInEffectError(f"{found}({key}={value!r})", repr(pipeline.scheduler.config.get(key)))
    has_checker = getattr(pipeline, "safety_checker", None) is not None
    if case.safety_checker != has_checker:
        raise NotInEffectError(f"safety_checker {case.safety_checker}", str(has_checker))


def _joined(values: Iterable[str]) -> str:
    return "+".join(sorted({value.removeprefix("torch.") for value in values}))


def _by_component(values: dict[str, str]) -> str:
    """Write a value once if all components agree, else by component: `unet=float16 vae=float32`."""
    distinct = set(values.values())
    return distinct.pop() if len(distinct) == 1 else " ".join(f"{name}={value}" for name, value in values.items())
