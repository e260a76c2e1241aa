"""What an optimization needs of the device or of the pipeline, or it is skipped with the reason.

Each function raises `UnsupportedError` where that is not there.
"""

import os
from importlib.util import find_spec
from typing import Any

from bench.pipelines import roles
from bench.pipelines.effective import TF32_OVERRIDE
from bench.pipelines.errors import UnsupportedError
from bench.pipelines.roles import Role

AMPERE = (8, 0)  # the first compute capability with TF32 and bfloat16 (NVIDIA A100 white paper)
KERNEL_DIMENSIONS = 4
"""Of the weights of a two-dimensional convolution, which have a channels-last layout."""


def require_accelerator(device: Any, kind: str | None, what: str) -> None:
    """Raise `UnsupportedError` unless the device is an accelerator, of a kind if one is given."""
    if device.type == "cpu" or kind not in {None, device.type}:
        raise UnsupportedError(f"{what} needs {kind or 'an accelerator'}, but this device is {device.type}")


def require_ampere(device: Any, what: str) -> None:
    """Raise `UnsupportedError` on an NVIDIA card before Ampere."""
    import torch

    if device.type == "cuda" and torch.version.hip is None and torch.cuda.get_device_capability(device) < AMPERE:
        raise UnsupportedError(f"{what} needs compute capability 8.0 or later, and this card is older")


def denoisers(pipeline: Any) -> list[Any]:
    """Return the denoisers of a pipeline that are known as such by their classes."""
    found = list(roles.of(pipeline, Role.DENOISER).values())
    if not found:
        raise UnsupportedError(f"no component of {type(pipeline).__name__} is known to be a denoiser")
    return found


def kernels(module: Any) -> list[Any]:
    """Return the weights of the two-dimensional convolutions of a module, without those of single pixels."""
    return [each for each in module.parameters() if each.ndim == KERNEL_DIMENSIONS and each.shape[-1] > 1]


def with_kernels(pipeline: Any) -> list[Any]:
    """Return the denoisers with convolutions that have a channels-last layout."""
    found = [each for each in denoisers(pipeline) if kernels(each)]
    if not found:
        raise UnsupportedError(f"the denoiser of {type(pipeline).__name__} has no two-dimensional convolution")
    for each in found:
        if any(parameter.ndim > KERNEL_DIMENSIONS for parameter in each.parameters()):
            raise UnsupportedError(
                f"{type(each).__name__} has three-dimensional convolutions, which have another layout"
            )
    return found


def autoencoders_with(pipeline: Any, flag: str, what: str) -> list[Any]:
    """Return the autoencoders that have a flag; raise `UnsupportedError` if none has."""
    found = list(roles.of(pipeline, Role.AUTOENCODER).values())
    able = [each for each in found if hasattr(each, flag)]
    if not able:
        names = ", ".join(type(each).__name__ for each in found)
        raise UnsupportedError(f"{names} cannot {what}" if found else f"{type(pipeline).__name__} has no autoencoder")
    return able


def nothing(_device: Any) -> None:
    """Need nothing of the device."""


def needs_cudnn(device: Any) -> None:
    require_accelerator(device, "cuda", "cuDNN")


def needs_accelerator(device: Any) -> None:
    require_accelerator(device, None, "offloading to the CPU")


def needs_xformers(device: Any) -> None:
    require_accelerator(device, "cuda", "xFormers")
    if find_spec("xformers") is None:
        raise UnsupportedError("xformers is not installed; pip install xformers")


def needs_big_gpu(device: Any) -> None:
    if device.type not in {"cuda", "xpu"}:
        return
    from torch._inductor.utils import is_big_gpu

    if not is_big_gpu(device):
        raise UnsupportedError("this card is too small for max-autotune: torch would not time its matrix products")


def needs_tf32(device: Any) -> None:
    needs_tf32_flags(device)
    require_ampere(device, "TF32")


def needs_tf32_flags(device: Any) -> None:
    require_accelerator(device, "cuda", "TF32")
    if TF32_OVERRIDE in os.environ:
        raise UnsupportedError(f"{TF32_OVERRIDE} is set, which overrides torch's TF32 flags; unset it")
