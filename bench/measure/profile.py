"""One profiled call: how long the device computes, and a trace that Perfetto opens.

Where the device waits for the host, a faster kernel gains nothing. CPU time does not show that, because synchronizing
spins; the kernels do: the union of their intervals, relative to the latency of calls that were not profiled.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any


def profiled(kind: str, call: Callable[[], Any], trace: Path | None) -> float | None:
    """Make one call under torch's profiler; return the seconds that the device was busy, None on a CPU.

    Args:
        kind: torch device type.
        call: what is profiled.
        trace: where to write the trace (Chrome's JSON format); None writes none.
    """
    from torch.autograd import DeviceType
    from torch.profiler import ProfilerActivity, profile

    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if kind == "cuda" else [])]
    with profile(activities=activities) as profiler:
        call()
    if trace is not None:
        trace.parent.mkdir(parents=True, exist_ok=True)
        profiler.export_chrome_trace(str(trace))
    if kind != "cuda":
        return None
    return busy_s([event for event in profiler.events() if event.device_type == DeviceType.CUDA])


def busy_s(events: Sequence[Any]) -> float | None:
    """Return the seconds in which a device computed, from torch's profiler events on it (in microseconds).

    Annotations of libraries are not work (that of a compiled graph spans from its first kernel to its last). None means
    unknown: without kernels, another program is using the driver's profiler, or this one may not.
    """
    kernels = [event.time_range for event in events if not getattr(event, "is_user_annotation", False)]
    return union((kernel.start, kernel.end) for kernel in kernels) / 1e6 if kernels else None


def union(intervals: Iterable[tuple[float, float]]) -> float:
    """Return the length that intervals cover together, counting each point once."""
    covered, reached = 0.0, float("-inf")
    for start, end in sorted(intervals):
        covered += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return covered
