"""Where the time of one call goes: spans of its named parts on the device's clock, and whether they add up to it.

This is a diagnosis apart from the samples, because recording the spans costs a little. On an accelerator two events
are recorded around each part, so that a span is the device's time however far ahead the host launches.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.measure.clock import timed
from bench.measure.device import Device
from bench.statistics import median

ADDS_UP = 0.05
"""If the parts leave more than 5 % of the call unexplained, something is worth a look."""


@dataclass(frozen=True)
class CallBreakdown:
    """Seconds of one call, and of every single visit by part."""

    whole_s: float
    spans: dict[str, list[float]]

    def seconds(self, part: str) -> float | None:
        """Return the seconds of all visits of a part; None if it was never visited."""
        return sum(self.spans[part]) if part in self.spans else None

    def typical(self, part: str) -> float | None:
        """Return the median seconds of one visit of a part; None if it was never visited."""
        return median(self.spans[part]) if part in self.spans else None

    @property
    def rest_s(self) -> float:
        """The seconds that no part explains."""
        return self.whole_s - sum(sum(spans) for spans in self.spans.values())

    @property
    def adds_up(self) -> bool:
        """Whether the parts explain the whole."""
        return abs(self.rest_s) <= ADDS_UP * self.whole_s


@dataclass
class Recorder:
    """Records the spans of parts during a call. A part that is entered within another belongs to the outer one."""

    device: Device
    _marks: list[tuple[str, Any, Any]] = field(default_factory=list)
    _inside: bool = False

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Record the span of a part."""
        if self._inside:
            yield
            return
        self._inside = True
        start = self._mark()
        try:
            yield
        finally:
            self._marks.append((name, start, self._mark()))
            self._inside = False

    def spans(self) -> dict[str, list[float]]:
        """Return the seconds of every visit by part; the device must have been synchronized."""
        found: dict[str, list[float]] = {}
        for name, start, end in self._marks:
            on_device = self.device.elapsed_s(start[0], end[0])
            found.setdefault(name, []).append(end[1] - start[1] if on_device is None else on_device)
        return found

    def _mark(self) -> tuple[Any, float]:
        return self.device.mark(), self.device.now()


def break_down(device: Device, call: Callable[[], Any], recorder: Recorder) -> CallBreakdown:
    """Make one call, during which the parts enter `recorder`, and return where its time went."""
    timing, _ = timed(device, call)
    return CallBreakdown(timing.own_clock_s, recorder.spans())
