"""Read back from the live pipeline what is in effect. Silent no-ops are the most common source of false results."""

import os
from collections.abc import Iterable
from typing import Any

from bench.pipelines import roles
from bench.pipelines.errors import NotInEffectError
from bench.pipelines.roles import Role, modules
from bench.plan.case import Case

TF32_OVERRIDE = "NVIDIA_TF32_OVERRIDE"
"""Read by cuBLAS and cuDNN themselves; overrides whatever a program has set (NVIDIA's cuBLAS documentation)."""


def dtypes(pipeline: Any) -> dict[str, str]:
    """Return the floating-point types of each component's parameters: `float16`, or `float16+float32` for a mixture."""
    return {
        name: _joined(str(p.dtype) for p in part.parameters() if p.is_floating_point())
        for name, part in modules(pipeline).items()
    }


def devices(pipeline: Any) -> dict[str, str]:
    return {name: _joined(p.device.type for p in part.parameters()) for name, part in modules(pipeline).items()}


def attention(pipeline: Any) -> str:
    """Return the class names of the denoisers' attention processors; "" if they have none."""
    return _joined(name for each in roles.of(pipeline, Role.DENOISER).values() for name in processors(each))


def processors(module: Any) -> set[str]:
    """Return the class names of a module's attention processors."""
    found = getattr(roles.unwrapped(module), "attn_processors", {})
    return {type(processor).__name__ for processor in found.values()}


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
    decoders = roles.of(pipeline, Role.AUTOENCODER).values()
    denoisers = roles.of(pipeline, Role.DENOISER).values()
    return {
        **process_flags(),
        "pipeline": type(pipeline).__name__,
        "dtypes": _by_component(dtypes(pipeline)),
        "devices": _by_component(devices(pipeline)),
        "scheduler": scheduler(pipeline),
        "vae_class": _joined(type(each).__name__ for each in decoders) or None,
        "vae_slicing": _any_of(each.use_slicing for each in decoders if hasattr(each, "use_slicing")),
        "vae_tiling": _any_of(each.use_tiling for each in decoders if hasattr(each, "use_tiling")),
        "attention": attention(pipeline),
        "offload": offload(pipeline),
        "compiled": compiled(pipeline),
        "safety_checker": checks_safety(pipeline),
        "denoiser_parameters": sum(map(parameters, denoisers)) if denoisers else None,
        "parameters": sum(parameters(part) for part in modules(pipeline).values()),
    }


def scheduler(pipeline: Any) -> str | None:
    """Return the class of the scheduler that a case may replace, or else those of all that there are."""
    own = roles.scheduler(pipeline)
    found = [own] if own is not None else roles.of(pipeline, Role.SCHEDULER).values()
    return _joined(type(each).__name__ for each in found) or None


def checks_safety(pipeline: Any) -> bool:
    return bool(roles.of(pipeline, Role.SAFETY_CHECKER))


def verify(case: Case, pipeline: Any) -> None:
    """Raise `NotInEffectError` if the live pipeline differs from a setting of the case."""
    for name, dtype in dtypes(pipeline).items():
        if dtype and case.dtype not in dtype.split("+"):
            raise NotInEffectError(f"dtype {case.dtype}", f"{name} in {dtype}")
    found = scheduler(pipeline)
    if case.scheduler is not None and case.scheduler != found:
        raise NotInEffectError(f"scheduler {case.scheduler}", str(found))
    for key, value in case.scheduler_config.items():
        if pipeline.scheduler.config.get(key) != value:
            raise NotInEffectError(f"{found}({key}={value!r})", repr(pipeline.scheduler.config.get(key)))
    if case.safety_checker != checks_safety(pipeline):
        raise NotInEffectError(f"safety_checker {case.safety_checker}", str(checks_safety(pipeline)))


def _any_of(values: Iterable[bool]) -> bool | None:
    """Return whether one is true; None if there is none."""
    found = list(values)
    return any(found) if found else None


def _joined(values: Iterable[str]) -> str:
    return "+".join(sorted({value.removeprefix("torch.") for value in values}))


def _by_component(values: dict[str, str]) -> str:
    """Write a value once if all components agree, else by component: `unet=float16 vae=float32`."""
    distinct = set(values.values())
    return distinct.pop() if len(distinct) == 1 else " ".join(f"{name}={value}" for name, value in values.items())
