"""For how long an NVIDIA card has lowered its clocks, by cause: counters that miss nothing between two readings.

The momentary reasons (nvmlDeviceGetCurrentClocksEventReasons) can only be read after a call, when the card may have
idled already. What cannot be read is absent, never zero.
"""

from collections.abc import Mapping
from typing import Any

POWER_CAP = "sw_power_cap_s"
_POWER_CAP_ID = 74
_NUMBERINGS = (
    {"sw_thermal_s": 251, "hw_thermal_s": 252, "hw_power_brake_s": 253},
    {"sw_thermal_s": 269, "hw_thermal_s": 270, "hw_power_brake_s": 271},
)
"""nvml.h, NVML_FI_DEV_CLOCKS_EVENT_REASON_*: of version 12, and of 13, where 251 to 253 are about power smoothing.

A driver answers to the numbers of its own version, whichever the installed nvidia-ml-py has.
"""

CAUSES = (POWER_CAP, *_NUMBERINGS[0])
SPOILING = {"hw_thermal_s": "hardware thermal slow-down", "hw_power_brake_s": "hardware power brake"}
"""The counters of the hardware: a sample during which one grew is not the device's own speed."""


def fields(nvml: Any, handle: Any) -> dict[str, int]:
    """Return the counters that this card has: column -> NVML's field id.

    The numbers of another version belong to settings of power smoothing, which are no 64-bit counters and which few
    cards have. Should all of both answer like counters nothing tells which are, and none is taken.
    """
    found = [numbers for numbers in _NUMBERINGS if len(read(nvml, handle, numbers)) == len(numbers)]
    known = {POWER_CAP: _POWER_CAP_ID, **(found[0] if len(found) == 1 else {})}
    return {name: known[name] for name in read(nvml, handle, known)}


def read(nvml: Any, handle: Any, fields: Mapping[str, int]) -> dict[str, float]:
    """Return the seconds that each of `fields` has counted; those that the driver does not tell are left out."""
    if not fields:
        return {}
    try:
        values = nvml.nvmlDeviceGetFieldValues(handle, list(fields.values()))
    except (nvml.NVMLError, AttributeError):
        return {}
    return {
        name: value.value.ullVal / 1e9  # nanoseconds: DCGM, which hands them on, calls them ..._NS
        for name, value in zip(fields, values, strict=True)
        if value.nvmlReturn == nvml.NVML_SUCCESS and value.valueType == nvml.NVML_VALUE_TYPE_UNSIGNED_LONG_LONG
    }


def growth(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return by how many seconds each counter grew that was read both times."""
    return {name: after[name] - before[name] for name in after if name in before}
