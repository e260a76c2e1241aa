"""Count the floating-point operations of one generation, once, from the shapes that the first call used.

The modules are built again on the meta device, with attention as written, and called there: nothing is computed, no
memory is taken, and fused attention (which `torch.utils.flop_counter` counts as zero on a CPU) is not in the way. So
the count is of the model and the shapes, the same for every optimization of them. A multiply-add is two operations.
"""

from dataclasses import dataclass
from typing import Any

from bench.pipelines.effective import unwrapped


@dataclass
class Visit:
    """The calls of one module during the first generation: what the first one was given, on the meta device."""

    args: Any
    kwargs: Any
    count: int = 1


def on_meta(values: Any) -> Any:
    """Return nested arguments with every tensor replaced by an empty one on the meta device, floats in float32."""
    import torch
    from torch.utils._pytree import tree_map

    def replaced(value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return value
        return torch.empty(
            value.shape, dtype=torch.float32 if value.is_floating_point() else value.dtype, device="meta"
        )

    return tree_map(replaced, values)


def count(pipeline: Any, visits: dict[str, Visit]) -> int:
    """Return the operations of one generation: each visited module's, times its visits.

    Args:
        pipeline: whose configurations the modules are built from.
        visits: by path in the pipeline, such as `unet` or `vae.decoder`.
    """
    return sum(_operations(pipeline, path, visit) * visit.count for path, visit in visits.items())


def _operations(pipeline: Any, path: str, visit: Visit) -> int:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    component, _, inner = path.partition(".")
    module = _skeleton(unwrapped(getattr(pipeline, component)))
    called = getattr(module, inner) if inner else module
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        called(*visit.args, **visit.kwargs)
    return int(counter.get_total_flops())


def _skeleton(module: Any) -> Any:
    """Build a module again on the meta device, with attention as written."""
    import torch

    with torch.device("meta"):
        if hasattr(module, "from_config") and hasattr(module, "register_to_config"):  # diffusers
            built = type(module).from_config(module.config)
        else:  # transformers
            config = type(module.config).from_dict(module.config.to_dict())
            config._attn_implementation = "eager"  # noqa: SLF001 - what the constructor's argument sets
            built = type(module)(config)
    if hasattr(built, "set_attn_processor"):
        from diffusers.models.attention_processor import AttnProcessor

        if hasattr(built, "set_default_attn_processor"):  # those whose attention an AttnProcessor computes
            built.set_attn_processor(AttnProcessor())
    return built.eval()
