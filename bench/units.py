"""Quantities as text. The code works in SI units and scales them only here; an unknown quantity prints as ""."""

import math
import re
from collections.abc import Sequence

from bench.errors import InputError

MIB = 1024**2
GIB = 1024**3
LISTED = 5
"""Names in one line of text."""
_SIGNIFICANT = 3
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kMGT]i?)?B\s*", re.IGNORECASE)
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|m|min|h)?\s*")
_IN_S = {"s": 1, "m": 60, "min": 60, "h": 3600}
_MINUTES_FROM_S, _HOURS_FROM_S = 90, 90 * 60
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def parse_size(text: str) -> float:
    """Return bytes: `8GiB` is 8 * 1024**3, `8 GB` is 8 * 1000**3.

    Raises:
        InputError: `text` is not a number above zero with a unit.
    """
    found = _SIZE.fullmatch(text)
    prefix = (found.group(2) or "").lower() if found else ""
    value = float(found.group(1)) * (1024 if prefix.endswith("i") else 1000) ** _POWERS[prefix[:1]] if found else 0.0
    if not value or not math.isfinite(value):
        raise InputError(f"'{text}' is not a memory size; give a number above zero and a unit, such as 8GiB or 500 MB")
    return value


def parse_duration(text: str) -> float:
    """Return seconds: `90s`, `30m` or `30min`, `2h`; a number alone is minutes.

    Raises:
        InputError: `text` is not a time above zero.
    """
    found = _DURATION.fullmatch(text)
    value = float(found.group(1)) * _IN_S[found.group(2) or "m"] if found else 0.0
    if not value or not math.isfinite(value):
        raise InputError(f"'{text}' is not a time; give a number above zero and a unit, such as 90s, 30m or 2h")
    return value


def duration(value: float) -> str:
    """Return seconds as a person plans with them: `45 s`, `12 min`, `2 h 5 min`."""
    if value < _MINUTES_FROM_S:
        return f"{value:.0f} s"
    minutes = round(value / 60)
    if value < _HOURS_FROM_S:
        return f"{minutes} min"
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")


def parse_share(value: str | float) -> float:
    """Return the share that a user wrote as `3%` or 0.03; raise ValueError unless it is between 0 and 100 %."""
    text = str(value).strip()
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        number = math.nan
    if not 0 < number < 1:
        raise ValueError(f"'{text}' is not a share between 0 and 100 %; write 3% or 0.03")
    return number


def seconds(value: float | None) -> str:
    """Return seconds with three significant digits, in ms below one second."""
    if value is None or not math.isfinite(value):
        return ""
    if abs(_rounded(value)) < 1:
        return f"{significant(value * 1000)} ms"
    return f"{significant(value)} s"


def span(low: float | None, high: float | None) -> str:
    """Return an interval of seconds, with a common unit written once: `132 to 139 ms`."""
    first, last = seconds(low), seconds(high)
    if not first or not last:
        return ""
    same = first.rsplit(" ", 1)[1] == last.rsplit(" ", 1)[1]
    return f"{first.rsplit(' ', 1)[0] if same else first} to {last}"


def memory(value: float | None) -> str:
    """Return bytes in MiB, or in GiB from 1 GiB up."""
    if value is None or not math.isfinite(value):
        return ""
    if round(abs(value) / MIB) * MIB < GIB:
        return f"{value / MIB:.0f} MiB"
    return f"{value / GIB:.2f} GiB"


def memory_change(value: float) -> str:
    """Return a difference in bytes with its sign, in MiB or GiB."""
    return f"{'-' if value < 0 else '+'}{memory(abs(value))}"


def change(value: float) -> str:
    """Return a ratio as a change: `+1.5 %`."""
    return f"{100 * (value - 1):+.1f} %"


def ratio(value: float | None) -> str:
    """Return a ratio as diffusers' documentation writes it: `x1.50`."""
    return "" if value is None or not math.isfinite(value) else f"x{value:.2f}"


def bounds(low: float | None, high: float | None) -> str:
    """Return the interval to print after a ratio: ` [1.48, 1.52]`."""
    return "" if low is None or high is None else f" [{low:.2f}, {high:.2f}]"


def decibels(value: float) -> str:
    """Return a PSNR in dB; that of two identical images is infinite."""
    return "identical" if math.isinf(value) else f"{value:.1f} dB"


def significant(value: float) -> str:
    """Return a number with three significant digits and without an exponent."""
    rounded = _rounded(value)
    if rounded == 0:
        return "0"
    decimals = max(0, _SIGNIFICANT - 1 - math.floor(math.log10(abs(rounded))))
    return f"{value:.{decimals}f}"


def _rounded(value: float) -> float:
    """Round to three significant digits, so that 0.9996 s does not print as 1000 ms."""
    return float(f"{value:.{_SIGNIFICANT - 1}e}")


def listed(names: Sequence[str]) -> str:
    """Return names joined by commas; of many only the first, and how many more there are."""
    shown = names if len(names) <= LISTED else names[: LISTED - 1]
    more = [f"{len(names) - len(shown)} more"] if len(shown) < len(names) else []
    return ", ".join([*shown, *more])
