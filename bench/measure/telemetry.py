"""What the machine was doing while it was measured: clocks, temperature, power, throttling, and who else was on it.

Read before, between and after the samples, never in the timed region; what cannot be read is absent, never zero.
Software power capping is normal on a loaded data-center card and only reported; hardware slow-down, heat or the power
brake spoil a sample.
"""

from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import psutil

from bench.measure import throttling

SPOILING = {
    0x08: "hardware slow-down",
    0x40: "hardware thermal slow-down",
    0x80: "hardware power brake",
}
"""NVML's clocks-event reasons (nvml.h, nvmlClocksEventReasons) after which a sample is not the device's own speed."""

REPORTED = {**SPOILING, 0x04: "software power cap", 0x20: "software thermal slow-down", 0x02: "application clocks"}
SHORTEST_FOR_ENERGY_S = 1.0
"""The energy counter moves every 20 to 100 ms: over a second it is good to some per cent."""


class Telemetry(Protocol):
    """A watch over one machine."""

    def begin(self) -> None:
        """Begin to watch: the next call is a sample."""

    def rejected(self) -> str | None:
        """Say what rejected the sample that was just taken; None where nothing did, or nothing can tell."""

    def end(self) -> dict[str, Any]:
        """Return the columns of `records.schema.TELEMETRY` since `begin`."""


class HostTelemetry:
    """The load that others put on this machine's processors, as a share of all of them."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin to count."""
        self._start = perf_counter(), _busy_s(), _own_s()

    def rejected(self) -> None:
        """Return None: a host does not tell."""

    def end(self) -> dict[str, Any]:
        """Return the mean number of cores that others kept busy, and the share of the time that this process ran."""
        start, busy, own = self._start
        elapsed = perf_counter() - start
        if elapsed <= 0:
            return {}
        mine = _own_s() - own
        others = _busy_s() - busy - mine
        return {"others_busy_cores": max(0.0, others / elapsed), "own_cpu_share": mine / elapsed}


@dataclass
class NvmlTelemetry:
    """An NVIDIA card, through `pynvml` (nvidia-ml-py).

    Attributes:
        nvml: the module; a fake in tests.
        handle: of the card.
    """

    nvml: Any
    handle: Any

    def __post_init__(self) -> None:
        self._counters = throttling.fields(self.nvml, self.handle)
        self.begin()

    def begin(self) -> None:
        """Note the counters and the time."""
        self._throttled = self._last = throttling.read(self.nvml, self.handle, self._counters)
        self._start = perf_counter(), self._read("nvmlDeviceGetTotalEnergyConsumption")
        self._seen: int | None = None

    def rejected(self) -> str | None:
        """Name the hardware's reason for slower clocks: the counter that grew since the last reading, or one of now.

        The momentary reasons are all that a card without counters has; its power draw's fast trigger has none at all.
        """
        now = throttling.read(self.nvml, self.handle, self._counters)
        grown = throttling.growth(self._last, now)
        self._last = now
        reasons = self._read("nvmlDeviceGetCurrentClocksEventReasons")
        if reasons is not None:
            self._seen = (self._seen or 0) | reasons
        counted = (name for counter, name in throttling.SPOILING.items() if grown.get(counter, 0) > 0)
        return next(counted, None) or next((name for bit, name in SPOILING.items() if (reasons or 0) & bit), None)

    def end(self) -> dict[str, Any]:
        """Return clocks, temperature and power as they are now, energy and seconds of throttling since `begin`."""
        start, energy_before = self._start
        energy = self._read("nvmlDeviceGetTotalEnergyConsumption")
        elapsed = perf_counter() - start
        enough = energy is not None and energy_before is not None and elapsed >= SHORTEST_FOR_ENERGY_S
        sm_clock = self._read("nvmlDeviceGetClockInfo", self.nvml.NVML_CLOCK_SM)
        memory_clock = self._read("nvmlDeviceGetClockInfo", self.nvml.NVML_CLOCK_MEM)
        power = self._read("nvmlDeviceGetPowerUsage")
        return {
            "sm_clock_hz": None if sm_clock is None else sm_clock * 1e6,
            "memory_clock_hz": None if memory_clock is None else memory_clock * 1e6,
            "temperature_c": self._read("nvmlDeviceGetTemperature", self.nvml.NVML_TEMPERATURE_GPU),
            "power_w": None if power is None else power / 1000,
            "energy_j": (energy - energy_before) / 1000 if enough else None,
            "clock_events": self._events(),
            **throttling.growth(self._throttled, throttling.read(self.nvml, self.handle, self._counters)),
            "other_processes": self._others(),
        }

    def _events(self) -> str | None:
        """Return the reasons that were seen; None where the driver told none and not that there was none."""
        seen = self._seen
        return None if seen is None else "+".join(name for bit, name in REPORTED.items() if seen & bit)

    def _others(self) -> int | None:
        """Return how many processes but this one compute on the card.

        In a container NVML may number processes as its host does, so our own number proves nothing: it may be missing,
        or another's. But this process has just computed here, so one of those in the list is it; a list without any
        is none that tells.
        """
        running = self._read("nvmlDeviceGetComputeRunningProcesses")
        return len(running) - 1 if running else None

    def _read(self, function: str, *arguments: Any) -> Any:
        """Ask the driver; None where this card, driver or container does not tell."""
        try:
            return getattr(self.nvml, function)(self.handle, *arguments)
        except (self.nvml.NVMLError, AttributeError):
            return None


def open_telemetry(kind: str) -> Telemetry:
    """Return the watch over a torch device type: the card where NVML knows it, the host elsewhere."""
    import torch

    if kind != "cuda" or torch.version.hip is not None:
        return HostTelemetry()
    try:
        import pynvml
    except ImportError:  # another interpreter, gated side by side, need not have it
        return HostTelemetry()
    try:
        pynvml.nvmlInit()
        uuid = f"GPU-{torch.cuda.get_device_properties(0).uuid}"
        return NvmlTelemetry(pynvml, pynvml.nvmlDeviceGetHandleByUUID(uuid))
    except pynvml.NVMLError:
        return HostTelemetry()


def _busy_s() -> float:
    """Return the seconds that all cores together have been busy since the system started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _own_s() -> float:
    times = psutil.Process().cpu_times()
    return float(times.user + times.system)
