"""What proves that an optimization is in effect: readers of the live pipeline, used after its first call.

What a reader returns is compared with what the optimization's row in the table expects.
"""

from dataclasses import dataclass
from typing import Any

from bench.pipelines import effective, requirements, roles
from bench.pipelines.attention import without_kind
from bench.pipelines.first_call import FirstCall
from bench.pipelines.roles import Role


@dataclass(frozen=True)
class Live:
    """A pipeline after its first call."""

    pipeline: Any
    first_call: FirstCall


def cudnn_benchmark(_live: Live) -> str:
    """Read torch.backends.cudnn.benchmark back."""
    return f"cudnn_benchmark={effective.process_flags()['cudnn_benchmark']}"


def tf32_flags(_live: Live) -> str:
    """Read both TF32 flags back."""
    flags = effective.process_flags()
    return f"matmul={flags['tf32_matmul']}, conv={flags['tf32_conv']}"


def offload(live: Live) -> str:
    """Read the offloading hooks of all components."""
    return effective.offload(live.pipeline)


def layout(live: Live) -> str:
    """Read the memory format of the denoiser's convolution kernels."""
    import torch

    found = roles.of(live.pipeline, Role.DENOISER).values()
    kernels = [kernel for each in found for kernel in requirements.kernels(each)]
    last = all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)
    return "channels_last" if kernels and last else "contiguous"


def attention(live: Live) -> str:
    """Read the classes of all attention processors of the denoiser."""
    found = roles.of(live.pipeline, Role.DENOISER).values()
    return "+".join(sorted({without_kind(name) for each in found for name in effective.processors(each)}))


def slicing(live: Live) -> str:
    """Read the autoencoder's slicing flag."""
    return f"slicing={_switched_on(live, 'use_slicing')}"


def tiling(live: Live) -> str:
    """Read the autoencoder's tiling flag."""
    return f"tiling={_switched_on(live, 'use_tiling')}"


def _switched_on(live: Live, flag: str) -> bool:
    """Return whether a flag is set in every autoencoder that has it, and one has."""
    autoencoders = roles.of(live.pipeline, Role.AUTOENCODER).values()
    found = [getattr(each, flag) for each in autoencoders if hasattr(each, flag)]
    return bool(found) and all(found)


def compiled(live: Live) -> str:
    """Read what is wrapped, and whether dynamo compiled a graph of it."""
    from torch._dynamo.utils import counters

    found = roles.of(live.pipeline, Role.DENOISER).values()
    whole = [hasattr(each, "_orig_mod") for each in found]
    wrapped = "whole" if whole and all(whole) else "blocks" if effective.compiled(live.pipeline) else ""
    return wrapped if counters["stats"]["unique_graphs"] else "no graph"


def output_dtype(live: Live) -> str:
    """Read the type of the denoiser's output in the first call."""
    return live.first_call.denoiser_dtype or ""
