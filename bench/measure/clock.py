"""Time one call: synchronize, read the clock, call, synchronize, read the clock. Nothing else is timed."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.measure.device import Device


@dataclass(frozen=True)
class Timing:
    """Seconds of one call, on the host's clock and between two device events (None if there are none)."""

    latency_s: float
    device_time_s: float | None

    @property
    def own_clock_s(self) -> float:
        """Seconds on the device's own clock if it has one, else on the host's."""
        return self.latency_s if self.device_time_s is None else self.device_time_s


def timed(device: Device, call: Callable[[], Any]) -> tuple[Timing, Any]:
    """Return the timing of one call, and its result."""
    device.synchronize()
    begin = device.mark()
    start = device.now()
    result = call()
    end = device.mark()
    device.synchronize()
    latency = device.now() - start
    return Timing(latency, device.elapsed_s(begin, end)), result


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Keep the garbage collector out of timed calls: a full collection can take longer than a call.

    Existing objects are collected and frozen first, so that later collections skip them.
    """
    was_enabled, was_frozen = gc.isenabled(), gc.get_freeze_count() > 0
    gc.disable()
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        if not was_frozen:  # what a fork server froze stays frozen
            gc.unfreeze()
        if was_enabled:
            gc.enable()
