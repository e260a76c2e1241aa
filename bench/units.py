"""SI inside, scaled only here, at print. An unknown quantity prints as an empty string, never as zero."""

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
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def size(text: str) -> float:
    """Return the bytes that a person wrote: `8GiB` is 8 * 1024**3, `8 GB` is 8 * 1000**3.

    Raises:
        InputError: it is no size above zero with a unit.
    """
    found = _SIZE.fullmatch(text)
    prefix = (found.group(2) or "").lower() if found else ""
    value = float(found.group(1)) * (1024 if prefix.endswith("i") else 1000) ** _POWERS[prefix[:1]] if found else 0.0
    if not value or not math.isfinite(value):
        raise InputError(f"'{text}' is no size of memory; give a number above zero and a unit, such as 8GiB or 500 MB")
    return value


def seconds(value: float | None) -> str:
    """Print seconds with three significant digits, in ms below one second."""
    if value is None or not math.isfinite(value):
        return ""
    if abs(_rounded(value)) < 1:
        return f"{significant(value * 1000)} ms"
    return f"{significant(value)} s"


def span(low: float | None, high: float | None) -> str:
    """Print an interval of seconds, its unit once where both ends have the same: `132 to 139 ms`."""
    first, last = seconds(low), seconds(high)
    if not first or not last:
        return ""
    same = first.rsplit(" ", 1)[1] == last.rsplit(" ", 1)[1]
    return f"{first.rsplit(' ', 1)[0] if same else first} to {last}"


def memory(value: float | None) -> str:
    """Print bytes as MiB, or as GiB from one GiB up."""
    if value is None or not math.isfinite(value):
        return ""
    if round(abs(value) / MIB) * MIB < GIB:
        return f"{value / MIB:.0f} MiB"
    return f"{value / GIB:.2f} GiB"


def share(value: str | float) -> float:
    """Read a share as people write it, `3%` or 0.03; raise ValueError for what is none between 0 and 100 %."""
    text = str(value).strip()
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        number = math.nan
    if not 0 < number < 1:
        raise ValueError(f"'{text}' is no share between 0 and 100 %; write 3% or 0.03")
    return number


def change(value: float) -> str:
    """Print a ratio as a change: `+1.5 %`."""
    return f"{100 * (value - 1):+.1f} %"


def memory_change(value: float) -> str:
    """Print a difference of bytes with its sign, in MiB or GiB."""
    return f"{'-' if value < 0 else '+'}{memory(abs(value))}"


def ratio(value: float | None) -> str:
    """Print a ratio the way the documentation does: `x1.50`."""
    return "" if value is None or not math.isfinite(value) else f"x{value:.2f}"


def bounds(low: float | None, high: float | None) -> str:
    """Print the interval of a ratio, to stand after it: ` [1.48, 1.52]`; nothing where there is none."""
    return "" if low is None or high is None else f" [{low:.2f}, {high:.2f}]"


def decibels(value: float) -> str:
    """Print a similarity in dB; an infinite one is that of identical pictures."""
    return "identical" if math.isinf(value) else f"{value:.1f} dB"


def significant(value: float) -> str:
    """Print a number with three significant digits and no exponent."""
    rounded = _rounded(value)
    if rounded == 0:
        return "0"
    decimals = max(0, _SIGNIFICANT - 1 - math.floor(math.log10(abs(rounded))))
    return f"{value:.{decimals}f}"


def _rounded(value: float) -> float:
    """Round to three significant digits; rounding first keeps 0.9996 from printing as 1000 ms."""
    return float(f"{value:.{_SIGNIFICANT - 1}e}")


def listed(names: Sequence[str]) -> str:
    """Return names joined by commas; of many only the first, and how many more there are."""
    shown = names if len(names) <= LISTED else names[: LISTED - 1]
    more = [f"{len(names) - len(shown)} more"] if len(shown) < len(names) else []
    return ", ".join([*shown, *more])
