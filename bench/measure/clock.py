"""Time one call: synchronize, read the clock, call, synchronize, read the clock. Nothing else is in the region."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.measure.device import Device


@dataclass(frozen=True)
class Timing:
    """The seconds of one call: on the host's clock, and between two device events (None where there are none)."""

    latency_s: float
    device_time_s: float | None


def timed(device: Device, call: Callable[[], Any]) -> tuple[Timing, Any]:
    """Time one call of `call` and return its timing and its result."""
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
    """Keep the collector out of a timed call: a full collection takes longer than many a call, at a moment of its own.

    What lives already is collected and frozen before, so that nothing of it is looked at again afterwards.
    """
    was_enabled, was_frozen = gc.isenabled(), gc.get_freeze_count() > 0
    gc.disable()
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        if not was_frozen:  # what a fork server froze stays so
            gc.unfreeze()
        if was_enabled:
            gc.enable()
