"""Count the floating-point operations of one generation, from the shapes that the first call used.

The modules are built again on the meta device, with plain attention, and called there. So nothing is computed, no
memory is used, and fused attention (which `torch.utils.flop_counter` counts as zero on a CPU) does not get in the way:
the count depends on the model and the shapes, not on optimizations. A multiply-add is two operations.
"""

from dataclasses import dataclass
from typing import Any

from bench.pipelines.effective import unwrapped


@dataclass
class Visit:
    """The calls of one module during a generation: the arguments of the first, on the meta device, and their number."""

    args: Any
    kwargs: Any
    count: int = 1


def on_meta(values: Any) -> Any:
    """Return nested arguments with each tensor replaced by an empty one on the meta device, floats as float32."""
    import torch
    from torch.utils._pytree import tree_map_only

    def replaced(value: Any) -> Any:
        dtype = torch.float32 if value.is_floating_point() else value.dtype
        return torch.empty(value.shape, dtype=dtype, device="meta")

    return tree_map_only(torch.Tensor, replaced, values)


def count(pipeline: Any, visits: dict[str, Visit]) -> int:
    """Return the operations of one generation: those of each visited module, times its visits.

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
    """Build a module again on the meta device, with plain attention."""
    import torch
    from diffusers.models.attention_processor import AttnProcessor

    with torch.device("meta"):
        if hasattr(module, "from_config") and hasattr(module, "register_to_config"):  # diffusers
            built = type(module).from_config(module.config)
        else:  # transformers
            config = type(module.config).from_dict(module.config.to_dict())
            config._attn_implementation = "eager"  # noqa: SLF001 - what the constructor's argument sets
            built = type(module)(config)
    if hasattr(built, "set_attn_processor") and hasattr(built, "set_default_attn_processor"):
        built.set_attn_processor(AttnProcessor())
    return built.eval()
