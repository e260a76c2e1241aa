"""Count the floating-point operations of one generation, from the shapes that the first call used.

The modules are built again on the meta device, with plain attention, and called there. So nothing is computed, no
memory is used, and fused attention (which `torch.utils.flop_counter` counts as zero on a CPU) does not get in the way:
the count depends on the model and the shapes, not on how the operations are carried out. Tiling changes the shapes, and
overlapping tiles are more work. A multiply-add is two operations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from bench.pipelines import attention
from bench.pipelines.roles import unwrapped

CODERS = ("encoder", "decoder", "encode", "decode")
"""What an autoencoder is called by, as the last part of a path: its halves, or its methods if it has none."""


@dataclass
class Visit:
    """Calls of one module with arguments of the same shapes: those of the first, on the meta device; their number."""

    args: Any
    kwargs: Any
    count: int = 0


class Visits(dict[Any, Visit]):
    """The calls of one module during a generation, by the shapes of their arguments."""

    def add(self, args: Any, kwargs: Any) -> None:
        """Count one more call."""
        key = shapes((args, kwargs))
        if key not in self:
            self[key] = Visit(on_meta(args), on_meta(kwargs))
        self[key].count += 1

    @property
    def calls(self) -> int:
        return sum(visit.count for visit in self.values())


def shapes(values: Any) -> tuple[Any, ...]:
    """Return the shapes of all tensors in nested arguments, which do not differ otherwise within a generation."""
    import torch
    from torch.utils._pytree import tree_leaves

    return tuple(tuple(leaf.shape) for leaf in tree_leaves(values) if isinstance(leaf, torch.Tensor))


def on_meta(values: Any) -> Any:
    """Return nested arguments with each tensor replaced by an empty one on the meta device, floats as float32."""
    import torch
    from torch.utils._pytree import tree_map_only

    def replaced(value: Any) -> Any:
        dtype = torch.float32 if value.is_floating_point() else value.dtype
        return torch.empty(value.shape, dtype=dtype, device="meta")

    return tree_map_only(torch.Tensor, replaced, values)


def count(pipeline: Any, visits: Mapping[str, Visits]) -> int:
    """Return the operations of one generation: of each module and each shape it was called with, times those calls.

    Args:
        pipeline: whose configurations the modules are built from.
        visits: by path in the pipeline, such as `unet`, `vae.decoder` or `prior_pipe.text_encoder`.
    """
    return sum(_operations(pipeline, path, list(found.values())) for path, found in visits.items())


def _operations(pipeline: Any, path: str, visits: Sequence[Visit]) -> int:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    component, _, inner = path.rpartition(".")
    component, inner = (component, inner) if component and inner in CODERS else (path, "")
    module = _skeleton(unwrapped(attrgetter(component)(pipeline)))
    called = getattr(module, inner) if inner else module
    total = 0
    for visit in visits:
        with FlopCounterMode(display=False) as counter, torch.no_grad(), every_condition_true():
            called(*visit.args, **visit.kwargs)
        total += int(counter.get_total_flops()) * visit.count
    return total


def every_condition_true() -> Any:
    """Return a mode in which a condition on the values of a tensor, which the meta device does not have, is true.

    transformers asks whether an attention mask is all ones. Plain attention computes every product either way. The
    mode also counts `launches`: operators that compute something, rather than look at the same memory differently.
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    asked = torch.ops.aten._local_scalar_dense.default  # noqa: SLF001 - what `item`, `bool` and `if` end up in

    class EveryConditionTrue(TorchDispatchMode):  # type: ignore[misc]
        launches = 0

        def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is asked and args[0].dtype is torch.bool:
                return True
            self.launches += not func.is_view
            return func(*args, **(kwargs or {}))

    return EveryConditionTrue()


def _skeleton(module: Any) -> Any:
    """Build a module again on the meta device, with plain attention."""
    import torch

    with torch.device("meta"):
        if hasattr(module, "from_config") and hasattr(module, "register_to_config"):  # diffusers
            built = type(module).from_config(module.config)
        else:  # transformers
            config = type(module.config).from_dict(module.config.to_dict())
            config._attn_implementation = "eager"  # noqa: SLF001 - what the constructor's argument sets
            built = type(module)(config)
    if attention.is_replaceable(built):
        built.set_default_attn_processor()
    with torch.device("meta"):
        added = getattr(module, "peft_config", {})
        for name, config in added.items():
            built.add_adapter(config, name)
        if added:  # the last one would be the only active one
            built.set_adapter(list(added))
    return built.eval()
