"""The device under the clock: all of an accelerator's subtlety behind four small methods.

Launches are asynchronous, so a clock is only true after the whole device, not one stream, has been waited for.
`torch.accelerator` serves CUDA, ROCm, XPU and MPS alike. Tests put a fake in its place.
"""

from time import perf_counter
from typing import Any, Protocol


class Device(Protocol):
    """What timing needs of a device."""

    def synchronize(self) -> None:
        """Wait until everything that was launched has finished."""

    def now(self) -> float:
        """Return the host's clock, in seconds."""

    def mark(self) -> Any:
        """Record an event on the device's own clock; None where it has none."""

    def elapsed_s(self, start: Any, end: Any) -> float | None:
        """Return the seconds between two marks, after `synchronize`; None where there are no marks."""


class HostDevice:
    """The CPU: calls return when they are done, and there is no second clock."""

    def synchronize(self) -> None:
        """Do nothing: nothing is in flight."""

    def now(self) -> float:
        """Return the host's monotonic clock, in seconds."""
        return perf_counter()

    def mark(self) -> None:
        """Return None: there is no device clock."""

    def elapsed_s(self, start: None, end: None) -> None:
        """Return None: there is no device clock."""


class Accelerator:
    """Whatever `torch.accelerator` drives."""

    def __init__(self, device: Any) -> None:
        self._device = device
        self._timed_events = _has_timed_events(device)

    def synchronize(self) -> None:
        """Wait for all streams of the device: offloading works on streams of its own."""
        import torch

        torch.accelerator.synchronize(self._device)

    def now(self) -> float:
        """Return the host's monotonic clock, in seconds."""
        return perf_counter()

    def mark(self) -> Any:
        """Record a timed event on the current stream; None where this device has no timed events."""
        import torch

        if not self._timed_events:
            return None
        event = torch.Event(self._device.type, enable_timing=True)
        event.record()
        return event

    def elapsed_s(self, start: Any, end: Any) -> float | None:
        """Return the seconds between two recorded events."""
        return None if start is None or end is None else float(start.elapsed_time(end)) / 1000


def open_device(kind: str) -> Device:
    """Return the device of a torch device type."""
    import torch

    return HostDevice() if kind == "cpu" else Accelerator(torch.device(kind))


def _has_timed_events(device: Any) -> bool:
    """Ask the device itself, once: not every backend of torch.Event keeps time."""
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
