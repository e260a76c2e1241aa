"""Multiply the axes of a matrix, with `include` and `exclude` as in GitHub Actions."""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

Combination = dict[str, Any]
_UNSAFE = re.compile(r"[^A-Za-z0-9._+]+")
_NOT_FIRST = "._+"
_LONGEST_WORD = 40


def multiply(axes: Mapping[str, Sequence[Any]], exclude: Sequence[Combination] = ()) -> list[Combination]:
    """Return every combination of the axes, the last axis varying fastest; none if there are no axes.

    A combination is left out if it agrees with all keys of an `exclude` entry.
    """
    if not axes:
        return []
    products = (dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values()))
    return [product for product in products if not any(_agrees(product, entry) for entry in exclude)]


def include(combinations: list[Combination], entries: Sequence[Combination], axes: Sequence[str]) -> list[Combination]:
    """Add each entry to the combinations whose axis values it agrees with, or as a new combination if there are none.

    As in GitHub Actions, an entry never overwrites an original axis value, but may overwrite what an earlier entry
    added.
    """
    extended = [dict(combination) for combination in combinations]
    originals = len(extended)
    for entry in entries:
        of_axes = {key: value for key, value in entry.items() if key in axes}
        matching = [combination for combination in extended[:originals] if _agrees(combination, of_axes)]
        for combination in matching:
            combination.update(entry)
        if not matching:
            extended.append(dict(entry))
    return extended


def name(combination: Combination, axes: Sequence[str]) -> str:
    """Join the axis values with `-`, safe as a file name: `DDIMScheduler-20`.

    A combination that only `include` made and that has no axis is named by all its values.
    """
    keys = [axis for axis in axes if axis in combination] or list(combination)
    return "-".join(_word(combination[key]) for key in keys)


def _agrees(combination: Combination, entry: Combination) -> bool:
    return all(key in combination and combination[key] == value for key, value in entry.items())


def _word(value: object) -> str:
    if isinstance(value, list):
        text = "+".join(str(item) for item in value)
    elif isinstance(value, dict):
        text = "+".join(f"{key}.{item}" for key, item in value.items())
    elif isinstance(value, (int, float)) and value < 0:
        text = f"minus{-value}"
    else:
        text = str(value)
    return _UNSAFE.sub("_", text).lstrip(_NOT_FIRST).rstrip("_")[:_LONGEST_WORD] or "none"
