"""One profiled call: how long the device computes, and a trace that Perfetto opens.

Where the device waits for the host, a faster kernel gains nothing. CPU time does not show that, because the host spins
while it synchronizes. The kernels do: compare the union of their intervals with the latency of unprofiled calls.
"""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from bench import files


def profiled(kind: str, call: Callable[[], Any], trace: Path | None) -> float | None:
    """Make one call under torch's profiler; return the seconds that the device was busy, None on a CPU.

    Args:
        kind: torch device type.
        call: what is profiled.
        trace: where to write the trace (Chrome's JSON format); None writes none.
    """
    from torch.autograd import DeviceType
    from torch.profiler import ProfilerActivity, profile

    # Events of the host cost 45 us each, 4 s for a call of 10 steps on an H200; only a trace needs them.
    host = [ProfilerActivity.CPU] if kind != "cuda" or trace is not None else []
    activities = [*host, *([ProfilerActivity.CUDA] if kind == "cuda" else [])]
    with profile(activities=activities, acc_events=True) as profiler:
        call()
    if trace is not None:
        with tempfile.TemporaryDirectory(prefix="diffusion-bench-") as folder:
            trace.parent.mkdir(parents=True, exist_ok=True)
            profiler.export_chrome_trace(f"{folder}/trace.json")
            files.replace(trace, Path(f"{folder}/trace.json").read_bytes())
    if kind != "cuda":
        return None
    # Not profiler.events(): that builds an object with parents and children of every event.
    events = profiler.profiler.kineto_results.events()
    return busy_s([event for event in events if event.device_type() == DeviceType.CUDA])


COPIES = ("Memcpy", "Memset")
"""What kineto calls the events that are not computing. Offloading's copies would make a waiting device look busy."""


def busy_s(events: Sequence[Any]) -> float | None:
    """Return the seconds in which a device computed, from kineto's events on it; copies are not computing.

    Annotations of libraries are not work (that of a compiled graph spans from its first kernel to its last). None means
    unknown: without kernels, another program is using the driver's profiler, or this one may not.
    """
    kernels = [event for event in events if not _is_annotation(event) and not event.name().startswith(COPIES)]
    return union((event.start_ns(), event.end_ns()) for event in kernels) / 1e9 if kernels else None


def _is_annotation(event: Any) -> bool:
    """Say whether an event only marks a span; torch before 2.13 has no such method and reports no such event."""
    return bool(event.is_user_annotation()) if hasattr(event, "is_user_annotation") else False


def union(intervals: Iterable[tuple[float, float]]) -> float:
    """Return the length that intervals cover together, counting each point once."""
    covered, reached = 0.0, float("-inf")
    for start, end in sorted(intervals):
        covered += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return covered
