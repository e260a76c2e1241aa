"""What the machine did while it was measured: clocks, temperature, power, throttling, and who else used it.

It is read before, between and after the samples, never within the timed region. What cannot be read is absent, never
zero. A software power cap is normal on a loaded data-center card and only reported; a hardware slow-down, heat or the
power brake reject a sample.

The momentary reasons (nvmlDeviceGetCurrentClocksEventReasons) can only be read after a call, when the card may be idle
again. The counters, where a card has them, miss nothing between two readings.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import psutil

from bench.measure.nvml import computing, open_nvml, read

REJECTING_REASONS = {0x08: "hardware slow-down", 0x40: "hardware thermal slow-down", 0x80: "hardware power brake"}
"""NVML's clocks-event reasons (nvml.h, nvmlClocksEventReasons) that reject a sample: not the device's own speed."""
REASONS = {
    **REJECTING_REASONS,
    0x04: "software power cap",
    0x20: "software thermal slow-down",
    0x02: "application clocks",
}

REJECTING_COUNTERS = {"hw_thermal_s": "hardware thermal slow-down", "hw_power_brake_s": "hardware power brake"}
_POWER_CAP, _POWER_CAP_ID = "sw_power_cap_s", 74
_NUMBERINGS = (
    {"sw_thermal_s": 251, "hw_thermal_s": 252, "hw_power_brake_s": 253},
    {"sw_thermal_s": 269, "hw_thermal_s": 270, "hw_power_brake_s": 271},
)
"""nvml.h, NVML_FI_DEV_CLOCKS_EVENT_REASON_*, in version 12 and in 13, where 251 to 253 are about power smoothing.

A driver answers to the numbers of its own version, whichever the installed nvidia-ml-py knows.
"""

SHORTEST_FOR_ENERGY_S = 2.0
"""The energy counter advances every 77 to 118 ms (an H200, n = 12), so over two seconds it is within 6 %."""


class HostTelemetry:
    """The load that other processes put on this machine's cores."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin to watch: the next call is a sample."""
        self._start = perf_counter(), _busy_s(), _own_s()

    def rejected(self) -> str | None:
        """Return why the sample that was just taken must be rejected; on a host nothing says so."""
        return None

    def end(self) -> dict[str, Any]:
        """Return columns of `records.models.Telemetry` for the time since `begin`."""
        start, busy, own = self._start
        elapsed = perf_counter() - start
        if elapsed <= 0:
            return {}
        mine = _own_s() - own
        others = _busy_s() - busy - mine
        return {"others_busy_cores": max(0.0, others / elapsed), "own_cpu_share": mine / elapsed}


@dataclass
class NvmlTelemetry:
    """An NVIDIA card, or a MIG slice of one, through `pynvml` (nvidia-ml-py).

    Attributes:
        nvml: the module; tests pass a fake.
        handle: of the card or the slice.
        whole: whether it is a whole card. Power and energy of a slice are not known, because they are the card's.
    """

    nvml: Any
    handle: Any
    whole: bool = True

    def __post_init__(self) -> None:
        self._fields = self._known_fields()
        self.begin()

    def begin(self) -> None:
        self._first = self._last = self._counters(self._fields)
        self._start = perf_counter(), self._energy_mj()
        self._seen: int | None = None

    def rejected(self) -> str | None:
        """Return the hardware's reason for lower clocks: a counter that grew since the last reading, or one of now.

        A card without counters has only the momentary reasons, and the fast trigger of its power draw has neither.
        """
        now = self._counters(self._fields)
        grown = _growth(self._last, now)
        self._last = now
        reasons = self._read("nvmlDeviceGetCurrentClocksEventReasons")
        if reasons is not None:
            self._seen = (self._seen or 0) | reasons
        counted = (name for counter, name in REJECTING_COUNTERS.items() if grown.get(counter, 0) > 0)
        momentary = (name for bit, name in REJECTING_REASONS.items() if (reasons or 0) & bit)
        return next(counted, None) or next(momentary, None)

    def end(self) -> dict[str, Any]:
        """Return clocks, temperature and power as they are now, energy and seconds of throttling since `begin`."""
        start, energy_before = self._start
        energy = self._energy_mj()
        elapsed = perf_counter() - start
        energy_j = None
        if energy is not None and energy_before is not None and elapsed >= SHORTEST_FOR_ENERGY_S:
            energy_j = (energy - energy_before) / 1000
        sm_clock = self._read("nvmlDeviceGetClockInfo", self.nvml.NVML_CLOCK_SM)
        memory_clock = self._read("nvmlDeviceGetClockInfo", self.nvml.NVML_CLOCK_MEM)
        power, seen = self._read("nvmlDeviceGetPowerUsage") if self.whole else None, self._seen
        return {
            "sm_clock_hz": None if sm_clock is None else sm_clock * 1e6,
            "memory_clock_hz": None if memory_clock is None else memory_clock * 1e6,
            "temperature_c": self._read("nvmlDeviceGetTemperature", self.nvml.NVML_TEMPERATURE_GPU),
            "power_w": None if power is None else power / 1000,
            "energy_j": energy_j,
            "clock_events": None if seen is None else [name for bit, name in REASONS.items() if seen & bit],
            **_growth(self._first, self._counters(self._fields)),
            "other_processes": self._others(),
        }

    def _others(self) -> int | None:
        """Return how many other processes compute on the card.

        In a container NVML may count process ids as the host does, so our own id may be missing or belong to another
        process. But this process has just computed here, so it is one of those in the list; an empty list says nothing.
        """
        running = computing(self.nvml, self.handle)
        return len(running) - 1 if running else None

    def _known_fields(self) -> dict[str, int]:
        """Return the throttling counters that this card has: column -> NVML's field id.

        The numbers of the other version belong to settings of power smoothing, which are not 64-bit counters and exist
        on few cards. If both numberings answer like counters, neither is used, because nothing shows which is right.
        """
        found = [numbers for numbers in _NUMBERINGS if len(self._counters(numbers)) == len(numbers)]
        known = {_POWER_CAP: _POWER_CAP_ID, **(found[0] if len(found) == 1 else {})}
        return {name: known[name] for name in self._counters(known)}

    def _counters(self, fields: Mapping[str, int]) -> dict[str, float]:
        """Return the seconds that each of `fields` has counted, except those that the driver does not support."""
        values = self._read("nvmlDeviceGetFieldValues", list(fields.values())) if fields else None
        if values is None:
            return {}
        return {
            name: value.value.ullVal / 1e9  # nanoseconds: DCGM, which passes them on, names them ..._NS
            for name, value in zip(fields, values, strict=True)
            if value.nvmlReturn == self.nvml.NVML_SUCCESS
            and value.valueType == self.nvml.NVML_VALUE_TYPE_UNSIGNED_LONG_LONG
        }

    def _read(self, function: str, *arguments: Any) -> Any:
        return read(self.nvml, function, self.handle, *arguments)

    def _energy_mj(self) -> int | None:
        return self._read("nvmlDeviceGetTotalEnergyConsumption") if self.whole else None


Telemetry = HostTelemetry | NvmlTelemetry


def open_telemetry(kind: str) -> Telemetry:
    """Return the telemetry for a torch device type: of the card if NVML knows it, else of the host."""
    import torch

    nvml = open_nvml() if kind == "cuda" and torch.version.hip is None else None
    if nvml is None:
        return HostTelemetry()
    device = torch.cuda.get_device_properties(0)
    is_slice = " MIG " in device.name
    # Of a slice, some versions of CUDA report the card's UUID, by which its clocks could be read but not its processes.
    known = [os.environ.get("CUDA_VISIBLE_DEVICES", ""), f"MIG-{device.uuid}"] if is_slice else [f"GPU-{device.uuid}"]
    handles = (read(nvml, "nvmlDeviceGetHandleByUUID", uuid) for uuid in known if uuid.startswith(("GPU-", "MIG-")))
    handle = next((found for found in handles if found is not None), None)
    return HostTelemetry() if handle is None else NvmlTelemetry(nvml, handle, whole=not is_slice)


def _growth(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return by how many seconds each counter grew that was read both times."""
    return {name: after[name] - before[name] for name in after if name in before}


def _busy_s() -> float:
    """Return the seconds that all cores together have been busy since the system started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _own_s() -> float:
    times = psutil.Process().cpu_times()
    return float(times.user + times.system)
