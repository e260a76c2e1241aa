"""Build a published architecture with random weights: no download, straight on the device, in the dtype asked for.

Latency and memory hardly depend on the weights' values, so a table is true without them. They are never zero, for a GPU
multiplies zeros faster than data (it draws less power). Every weight is uniform within 1/sqrt(fan-in), which keeps
activations finite in half precision through a whole pipeline. The values are drawn in float32 and then cast, so that a
case in half precision has the rounded weights of its float32 baseline.
"""

import importlib
import zlib
from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

from bench.pipelines.architectures import Component
from bench.pipelines.tokenizer import byte_clip_tokenizer

EMBEDDING_STD = 0.02
"""The standard deviation of CLIP's own token embeddings at initialization (`initializer_range`)."""


class WrongArchitectureError(RuntimeError):
    """A built component has not the published number of parameters: what would be measured is another model."""


def build(component: Component, dtype: Any, home: Any, draw_on: Any = None) -> Any:
    """Build one component.

    Args:
        component: its published facts.
        dtype: a torch dtype; `_keep_in_fp32_modules` of the class stay in float32, as `from_pretrained` leaves them.
        home: the torch device, or its name, that the weights are kept on.
        draw_on: the device that draws them, `home` if none; an accelerator draws billions of values in no time.

    Raises:
        WrongArchitectureError: the number of parameters is not the published one.
    """
    if component.cls == "byte-clip-tokenizer":
        return byte_clip_tokenizer(component.config)
    cls = _class(component.cls)
    if not _has_weights(cls):
        return cls.from_config(dict(component.config))
    module = _skeleton(cls, component.config)
    _assert_count(module, component)
    source = _generator(home if draw_on is None else draw_on, seed=zlib.crc32(component.name.encode()))
    _fill(module, dtype, home, source)
    return module.eval().requires_grad_(requires_grad=False)


def _class(path: str) -> Any:
    library, name = path.split(".")
    return getattr(importlib.import_module(library), name)


def _has_weights(cls: type) -> bool:
    import torch

    return issubclass(cls, torch.nn.Module)


def _skeleton(cls: Any, config: Mapping[str, Any]) -> Any:
    """Make the module with parameters on the meta device and real buffers (position ids are computed, not loaded)."""
    from accelerate import init_empty_weights

    with init_empty_weights(include_buffers=False):
        if hasattr(cls, "config_class") and cls.config_class is not None:  # transformers
            return cls(cls.config_class(**config))
        return cls.from_config(dict(config))  # diffusers


def _assert_count(module: Any, component: Component) -> None:
    found = sum(parameter.numel() for parameter in module.parameters())
    if found != component.parameters:
        raise WrongArchitectureError(
            f"{component.name} has {found:,} parameters, published are {component.parameters:,}; "
            "the installed library builds another architecture from the same configuration"
        )


def _generator(device: Any, seed: int) -> Any:
    import torch

    return torch.Generator(device=device).manual_seed(seed)


def _fill(module: Any, dtype: Any, home: Any, source: Any) -> None:
    import torch

    filled: dict[int, Any] = {}  # by identity, so that tied parameters stay tied
    for owner, path, name, parameter in _parameters(module):
        if id(parameter) not in filled:
            values = _values(owner, name, parameter, source).to(dtype=_kept(module, path, dtype), device=home)
            filled[id(parameter)] = torch.nn.Parameter(values, requires_grad=False)
        owner._parameters[name] = filled[id(parameter)]  # noqa: SLF001 - how torch itself replaces a meta parameter
    for owner, name, buffer in _buffers(module):
        target = dtype if buffer.is_floating_point() else buffer.dtype
        owner._buffers[name] = buffer.to(device=home, dtype=target)  # noqa: SLF001 - as above


def _parameters(module: Any) -> Iterator[tuple[Any, str, str, Any]]:
    for path, owner in module.named_modules():
        for name, parameter in list(owner._parameters.items()):  # noqa: SLF001 - named_parameters hides the owner
            if parameter is not None:
                yield owner, f"{path}.{name}", name, parameter


def _buffers(module: Any) -> Iterator[tuple[Any, str, Any]]:
    for owner in module.modules():
        for name, buffer in list(owner._buffers.items()):  # noqa: SLF001 - as above
            if buffer is not None:
                yield owner, name, buffer


def _kept(module: Any, path: str, dtype: Any) -> Any:
    import torch

    kept = getattr(module, "_keep_in_fp32_modules", None) or ()
    return torch.float32 if any(part in path.split(".") for part in kept) else dtype


def _values(owner: Any, name: str, parameter: Any, source: Any) -> Any:
    """Draw a parameter by the kind of module that owns it."""
    import torch

    values = torch.empty(parameter.shape, dtype=torch.float32, device=source.device)
    if isinstance(owner, torch.nn.Embedding):
        return values.normal_(std=EMBEDDING_STD, generator=source)
    if "norm" in type(owner).__name__.lower():
        return values.fill_(1.0 if name == "weight" else 0.0)
    bound = 1 / _fan_in(owner, parameter) ** 0.5
    return values.uniform_(-bound, bound, generator=source)


def _fan_in(owner: Any, parameter: Any) -> int:
    """Return the inputs of one output: of the parameter itself, or for a bias of the weight beside it."""
    weight = getattr(owner, "weight", None)
    shape = parameter.shape if parameter.ndim > 1 or weight is None or weight.ndim < 2 else weight.shape  # noqa: PLR2004
    return max(1, int(prod(shape[1:]) if len(shape) > 1 else shape[0]))
