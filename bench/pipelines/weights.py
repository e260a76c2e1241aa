"""Build a published architecture with random weights: no download, directly on the device, in the requested dtype.

Latency and memory hardly depend on the values of weights, so figures are valid without the trained ones. The weights
are never zero, because a GPU multiplies zeros faster than data (it draws less power). Each is uniform within
1/sqrt(fan-in), which keeps activations finite in half precision through a whole pipeline. Values are drawn in float32
and then cast, so that a case in half precision has the rounded weights of its float32 baseline.
"""

import importlib
import zlib
from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

from bench.pipelines.architectures import Component

EMBEDDING_STD = 0.02
"""The standard deviation with which CLIP initializes its token embeddings (`initializer_range`)."""
_BYTES = 256


class WrongArchitectureError(RuntimeError):
    """A component does not have the published number of parameters, so another model would be measured."""


def build(component: Component, dtype: Any, home: Any, draw_on: Any = None) -> Any:
    """Build one component.

    Args:
        component: its published facts.
        dtype: a torch dtype; the class's `_keep_in_fp32_modules` stay in float32, as `from_pretrained` leaves them.
        home: the torch device, or its name, where the weights stay.
        draw_on: the device that draws them, `home` if None; an accelerator draws billions of values in no time.

    Raises:
        WrongArchitectureError: the number of parameters is not the published one.
    """
    import torch

    if component.cls == "byte-clip-tokenizer":
        return byte_tokenizer(component.config)
    library, name = component.cls.split(".")
    cls = getattr(importlib.import_module(library), name)
    if not issubclass(cls, torch.nn.Module):
        return cls.from_config(dict(component.config))
    module = uninitialized(cls, component.config)
    _check_count(module, component)
    generator = torch.Generator(device=home if draw_on is None else draw_on)
    _fill(module, dtype, home, generator.manual_seed(zlib.crc32(component.name.encode())))
    if name == "AutoencoderTiny":  # its colors are from 0 to 1, so around 0 half of them are clipped, at times all
        torch.nn.init.constant_(module.decoder.layers[-1].bias, 0.5)
    return module.eval().requires_grad_(requires_grad=False)


def uninitialized(cls: Any, config: Mapping[str, Any]) -> Any:
    """Make the module with parameters on the meta device and real buffers (position ids are computed, not loaded)."""
    from accelerate import init_empty_weights

    with init_empty_weights(include_buffers=False):
        if hasattr(cls, "config_class") and cls.config_class is not None:  # transformers
            return cls(cls.config_class(**config))
        return cls.from_config(dict(config))  # diffusers


def _check_count(module: Any, component: Component) -> None:
    found = sum(parameter.numel() for parameter in module.parameters())
    if found != component.parameters:
        raise WrongArchitectureError(
            f"{component.name} has {found:,} parameters instead of the published {component.parameters:,}; "
            "the installed library builds a different architecture from the same configuration"
        )


def _fill(module: Any, dtype: Any, home: Any, generator: Any) -> None:
    import torch

    filled: dict[int, Any] = {}  # by identity, so that tied parameters stay tied
    for owner, path, name, parameter in _parameters(module):
        if id(parameter) not in filled:
            values = _values(owner, name, parameter, generator).to(dtype=_kept(module, path, dtype), device=home)
            filled[id(parameter)] = torch.nn.Parameter(values, requires_grad=False)
        owner._parameters[name] = filled[id(parameter)]  # noqa: SLF001 - how torch itself replaces a meta parameter
    for owner in module.modules():
        for name, buffer in list(owner._buffers.items()):  # noqa: SLF001 - named_buffers hides the owner
            if buffer is not None:
                target = dtype if buffer.is_floating_point() else buffer.dtype
                owner._buffers[name] = buffer.to(device=home, dtype=target)  # noqa: SLF001 - as above


def _parameters(module: Any) -> Iterator[tuple[Any, str, str, Any]]:
    for path, owner in module.named_modules():
        for name, parameter in list(owner._parameters.items()):  # noqa: SLF001 - named_parameters hides the owner
            if parameter is not None:
                yield owner, f"{path}.{name}", name, parameter


def _kept(module: Any, path: str, dtype: Any) -> Any:
    import torch

    kept = getattr(module, "_keep_in_fp32_modules", None) or ()
    return torch.float32 if any(part in path.split(".") for part in kept) else dtype


def _values(owner: Any, name: str, parameter: Any, generator: Any) -> Any:
    """Draw a parameter; its distribution depends on the kind of module that owns it."""
    import torch

    values = torch.empty(parameter.shape, dtype=torch.float32, device=generator.device)
    if isinstance(owner, torch.nn.Embedding):
        return values.normal_(std=EMBEDDING_STD, generator=generator)
    if "norm" in type(owner).__name__.lower():
        return values.fill_(1.0 if name == "weight" else 0.0)
    bound = 1 / _fan_in(owner, parameter) ** 0.5
    return values.uniform_(-bound, bound, generator=generator)


def _fan_in(owner: Any, parameter: Any) -> int:
    """Return the number of inputs per output, which a bias takes from the weight beside it."""
    weight = getattr(owner, "weight", None)
    shape = parameter.shape if parameter.ndim > 1 or weight is None or weight.ndim < 2 else weight.shape  # noqa: PLR2004
    return max(1, int(prod(shape[1:]) if len(shape) > 1 else shape[0]))


def byte_tokenizer(config: Mapping[str, Any]) -> Any:
    """Return a `CLIPTokenizer` that needs no download: it reads single bytes, with the published special tokens.

    It makes about five times as many tokens as the real one, but pipelines pad and truncate to 77 either way, so the
    text encoder does the same work.

    Args:
        config: `bos_token`, `eos_token`, `bos_id`, `eos_id`, `pad_token`, `unk_token` and `model_max_length`.
    """
    from transformers import CLIPTokenizer

    letters = _printable_bytes()
    vocabulary = {token: index for index, token in enumerate([*letters, *(f"{letter}</w>" for letter in letters)])}
    vocabulary[config["bos_token"]] = config["bos_id"]
    vocabulary[config["eos_token"]] = config["eos_id"]
    special = {key: config[key] for key in ("bos_token", "eos_token", "unk_token", "pad_token", "model_max_length")}
    return CLIPTokenizer(vocab=vocabulary, merges=[], **special)


def _printable_bytes() -> list[str]:
    """Return one printable character per byte, as GPT-2's byte-level BPE assigns them (its encoder.py)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(_BYTES) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(_BYTES + index) for index in range(len(others))]
