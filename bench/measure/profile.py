"""One profiled call: how much of its time the device computes, and a trace that Perfetto opens.

Where the device waits for the host, a faster kernel gains nothing. CPU time does not show that (synchronizing spins),
the kernels do: the union of their intervals, over the latency of calls that were not profiled.
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

    activities = [ProfilerActivity.CPU]
    if kind == "cuda":
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities) as profiler:
        call()
    if trace is not None:
        trace.parent.mkdir(parents=True, exist_ok=True)
        profiler.export_chrome_trace(str(trace))
    if kind != "cuda":
        return None
    return busy_s([event for event in profiler.events() if event.device_type == DeviceType.CUDA])


def busy_s(events: Sequence[Any]) -> float | None:
    """Return the seconds in which a device computed, from the profiler's events on it (torch's, in microseconds).

    What a library marks there (a compiled graph, from its first kernel to its last) is no work; None where there is no
    kernel: another program listens to the driver, or this one may not, and nothing is known.
    """
    kernels = [event.time_range for event in events if not getattr(event, "is_user_annotation", False)]
    return union((kernel.start, kernel.end) for kernel in kernels) / 1e6 if kernels else None


def union(intervals: Iterable[tuple[float, float]]) -> float:
    """Return the length that intervals cover together, each point once."""
    covered, reached = 0.0, float("-inf")
    for start, end in sorted(intervals):
        covered += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return covered
