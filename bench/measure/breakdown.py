"""Where the time of one call goes: spans of named parts on the device's clock, and whether they add up to the whole.

A diagnostic pass, apart from the samples: taking the spans costs a little. On an accelerator two events are recorded
around each part, so that its span is the device's, however far ahead the host launches; elsewhere it is the host's.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.measure.clock import timed
from bench.measure.device import Device
from bench.statistics import median

ADDS_UP = 0.05
"""Parts that miss more than 5 % of the whole leave something unexplained that is worth a look."""


@dataclass(frozen=True)
class Split:
    """Seconds of one call by part, and of the whole; `spans` has every single visit of a part."""

    whole_s: float
    spans: dict[str, list[float]]

    def seconds(self, part: str) -> float | None:
        """Return the seconds of all visits of a part; None where it was never visited."""
        return sum(self.spans[part]) if part in self.spans else None

    def typical(self, part: str) -> float | None:
        """Return the median seconds of one visit of a part; None where it was never visited."""
        return median(self.spans[part]) if part in self.spans else None

    @property
    def rest_s(self) -> float:
        """Return the seconds that no part explains; negative where parts overlap."""
        return self.whole_s - sum(sum(spans) for spans in self.spans.values())

    @property
    def adds_up(self) -> bool:
        """Say whether the parts explain the whole."""
        return abs(self.rest_s) <= ADDS_UP * self.whole_s


@dataclass
class Recorder:
    """Takes the spans of parts while a call runs. A part that is entered within another one is the outer one's."""

    device: Device
    _marks: list[tuple[str, Any, Any]] = field(default_factory=list)
    _inside: str | None = None

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Record the span of a part."""
        if self._inside is not None:
            yield
            return
        self._inside = name
        start = self._mark()
        try:
            yield
        finally:
            self._marks.append((name, start, self._mark()))
            self._inside = None

    def spans(self) -> dict[str, list[float]]:
        """Return the seconds of every visit by part; call after the device was synchronized."""
        found: dict[str, list[float]] = {}
        for name, start, end in self._marks:
            found.setdefault(name, []).append(self._seconds(start, end))
        return found

    def _mark(self) -> tuple[Any, float]:
        return self.device.mark(), self.device.now()

    def _seconds(self, start: tuple[Any, float], end: tuple[Any, float]) -> float:
        on_device = self.device.elapsed_s(start[0], end[0])
        return end[1] - start[1] if on_device is None else on_device


def split(device: Device, call: Callable[[], Any], recorder: Recorder) -> Split:
    """Make one call, during which `recorder` is visited, and return where its time went."""
    timing, _ = timed(device, call)
    whole = timing.latency_s if timing.device_time_s is None else timing.device_time_s
    return Split(whole, recorder.spans())
