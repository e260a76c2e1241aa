"""What proves that an optimization is in effect: readers of the live pipeline, used after its first call.

What a reader returns is compared with what the optimization's row in the table expects.
"""

from dataclasses import dataclass
from typing import Any

from bench.pipelines import effective
from bench.pipelines.first_call import FirstCall


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

    kernels = [p for p in effective.denoiser(live.pipeline).parameters() if p.ndim == 4 and p.shape[-1] > 1]  # noqa: PLR2004
    last = all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)
    return "channels_last" if kernels and last else "contiguous"


def attention(live: Live) -> str:
    """Read the classes of all attention processors of the denoiser."""
    return effective.attention(live.pipeline)


def slicing(live: Live) -> str:
    """Read the autoencoder's slicing flag."""
    return f"slicing={getattr(live.pipeline.vae, 'use_slicing', False)}"


def tiling(live: Live) -> str:
    """Read the autoencoder's tiling flag."""
    return f"tiling={getattr(live.pipeline.vae, 'use_tiling', False)}"


def compiled(live: Live) -> str:
    """Read what is wrapped, and whether dynamo compiled a graph of it."""
    from torch._dynamo.utils import counters

    parts = effective.compiled(live.pipeline)
    wrapped = "blocks" if "." in parts else "whole" if parts else ""
    return wrapped if counters["stats"]["unique_graphs"] else "no graph"


def output_dtype(live: Live) -> str:
    """Read the type of the denoiser's output in the first call."""
    return live.first_call.denoiser_dtype or ""
