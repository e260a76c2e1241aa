"""What torch.compile has done in this process: graphs, seconds, and whether its disk cache was warm.

A process that never compiled has zero graphs and an unknown number of seconds. Asking does not import dynamo.
"""

import sys
from typing import Any


def graphs() -> int:
    """Return the number of graphs that dynamo has compiled."""
    return int(_counters().get("stats", {}).get("unique_graphs", 0))


def seconds() -> float | None:
    """Return the seconds that dynamo and its backend have spent; None if nothing was compiled."""
    if not graphs():
        return None
    from torch._dynamo.utils import compilation_time_metrics

    return float(sum(compilation_time_metrics.get("_compile.compile_inner", ())))


def cache() -> str:
    """Return `warm` if inductor found all its graphs on disk, `cold` if it made one; "" if it made none."""
    inductor = _counters().get("inductor", {})
    if inductor.get("fxgraph_cache_miss", 0) or inductor.get("fxgraph_cache_bypass", 0):
        return "cold"
    return "warm" if inductor.get("fxgraph_cache_hit", 0) else ""


def _counters() -> dict[str, Any]:
    if "torch._dynamo" not in sys.modules:
        return {}
    from torch._dynamo.utils import counters

    return dict(counters)
