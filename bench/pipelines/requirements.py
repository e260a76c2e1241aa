"""What an optimization needs of the device or of the pipeline, or it is skipped with the reason.

Each function raises `UnsupportedError` where that is not there.
"""

from typing import Any

from bench.pipelines import roles
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
