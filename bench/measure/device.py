"""The device under the clock: everything that is special about an accelerator behind four small methods.

Launches are asynchronous, so a clock reading is only valid after waiting for the whole device, not for one stream.
`torch.accelerator` covers CUDA, ROCm, XPU and MPS.
"""

from time import perf_counter
from typing import Any


class Device:
    """The CPU, whose calls return when they are done. An accelerator overrides what differs."""

    def synchronize(self) -> None:
        """Wait until everything that was launched has finished."""

    def now(self) -> float:
        """Return the host's monotonic clock in seconds."""
        return perf_counter()

    def mark(self) -> Any:
        """Record an event on the device's own clock; None if it has none."""
        return None

    def elapsed_s(self, _start: Any, _end: Any) -> float | None:
        """Return the seconds between two marks, after `synchronize`; None without marks."""
        return None


class Accelerator(Device):
    """Any device that `torch.accelerator` drives."""

    def __init__(self, device: Any) -> None:
        self._device = device
        self._timed_events = _has_timed_events(device)

    def synchronize(self) -> None:
        import torch

        torch.accelerator.synchronize(self._device)  # all its streams: offloading uses its own

    def mark(self) -> Any:
        import torch

        if not self._timed_events:
            return None
        event = torch.Event(self._device.type, enable_timing=True)
        event.record()
        return event

    def elapsed_s(self, start: Any, end: Any) -> float | None:
        return None if start is None or end is None else float(start.elapsed_time(end)) / 1000


def open_device(kind: str) -> Device:
    import torch

    return Device() if kind == "cpu" else Accelerator(torch.device(kind))


def _has_timed_events(device: Any) -> bool:
    """Try it once: not every backend of torch.Event keeps time."""
    import torch

    try:
        start, end = (torch.Event(device.type, enable_timing=True) for _ in range(2))
        start.record()
        end.record()
        torch.accelerator.synchronize(device)
        start.elapsed_time(end)
    except (RuntimeError, NotImplementedError):
        return False
    return True
