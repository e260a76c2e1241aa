"""Which attention processors of diffusers can take each other's place.

A processor computes the attention of one architecture: given another's it draws another picture without an error, or
stops at shapes that do not fit. Those of the Stable Diffusion family compute the same and differ only in how.
"""

from typing import Any

from bench.pipelines.effective import processors
from bench.pipelines.errors import UnsupportedError
from bench.pipelines.requirements import denoisers

PLAIN = {"AttnProcessor", "AttnProcessor2_0", "SlicedAttnProcessor", "XFormersAttnProcessor", "FusedAttnProcessor2_0"}
"""Of one kind: with keys and values from the prompt, or from the picture."""
ADDED_KV = {name.replace("Attn", "AttnAddedKV") for name in PLAIN - {"FusedAttnProcessor2_0"}}
"""Of the other: from both together, as in Kandinsky and DeepFloyd IF."""


def is_replaceable(module: Any, *families: set[str]) -> bool:
    """Return whether a module's processors are all of one of these families; by default of either."""
    found = processors(module)
    fits = any(found <= family for family in families or (PLAIN, ADDED_KV))
    return bool(found) and fits and hasattr(module, "set_default_attn_processor") and not _normalizes(module)


def _normalizes(module: Any) -> bool:
    """Return whether a module normalizes queries or keys, which not every processor does."""
    return any(getattr(part, "norm_q", None) is not None for part in module.modules() if hasattr(part, "processor"))


def replaceable(pipeline: Any, *families: set[str]) -> list[Any]:
    """Return the denoisers, whose processors can be replaced by others of these families.

    Raises:
        UnsupportedError: the processors of a denoiser cannot be replaced, or there is no denoiser.
    """
    found = denoisers(pipeline)
    for each in found:
        if not is_replaceable(each, *families):
            names = ", ".join(sorted(processors(each))) or "fixed"
            raise UnsupportedError(f"the attention processors of {type(each).__name__} ({names}) cannot be replaced")
    return found


def without_kind(name: str) -> str:
    """Return the name of the processor that computes likewise for plain attention."""
    return name.replace("AddedKV", "")
