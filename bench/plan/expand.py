"""Turn a validated scenario into its cases: lay settings over each other, multiply the matrix, name every row."""

import re
from collections.abc import Callable, Mapping
from math import prod
from typing import Any

from pydantic import ValidationError

from bench.plan import matrix
from bench.plan.case import Case
from bench.plan.document import Document, Location, shown
from bench.plan.explain import explain
from bench.plan.scenario import CaseEntry, Matrix, Scenario, Settings
from bench.plan.vocabulary import suggestion

Schedulers = Callable[[str], list[str]]
"""model -> class names of its compatible schedulers; asks diffusers, hence handed in by the door."""

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
LONGEST_NAME = 100
"""With the scenario's name and a number it is still a file name everywhere."""
MOST_CASES = 1000
"""A day of measuring, at a minute a case; more is a mistake."""
COMPATIBLE = "compatible"
MERGED = ("call", "load", "scheduler_config")
"""Mappings are laid over each other key by key; every other setting replaces the one below it."""


def cases(
    scenario: Scenario, document: Document, compatible: Schedulers, order: list[str]
) -> list[tuple[Case, Location]]:
    """Return the cases of a scenario, each with the location that its errors are reported at.

    Args:
        scenario: the validated file.
        document: the same file's data and lines.
        compatible: asked only where the scheduler axis says `compatible`.
        order: the optimizations in the order they are applied.

    Raises:
        InputError: a case is empty, named unsafely, or without a model; a matrix expands to nothing; a baseline is no
            case.
    """
    named = _named(scenario, document)
    if scenario.matrix is not None:
        named = _cross(named, scenario, document, compatible)
    if not named:
        raise document.error(("cases",), "there is no case; write at least one under 'cases', or a 'matrix'")
    return [(_resolve(name, entry, scenario, document, where, order), where) for name, entry, where in named]


_Named = list[tuple[str, CaseEntry, Location]]


def _named(scenario: Scenario, document: Document) -> _Named:
    named: _Named = []
    for name, entry in (scenario.cases or {}).items():
        where: Location = ("cases", name)
        if entry is None:
            raise document.error(where, f"the case '{name}' is empty; write '{name}: {{}}' for one with no settings")
        _refuse_unsafe(name, where, document)
        named.append((name, entry, where))
    return named


def _refuse_unsafe(name: str, where: Location, document: Document) -> None:
    if not SAFE_NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        allowed = f"at most {LONGEST_NAME} letters, digits, '.', '_', '+' and '-', a letter or digit first"
        raise document.error(where, f"{shown(name)} cannot be a file name; use {allowed}")


def _cross(named: _Named, scenario: Scenario, document: Document, compatible: Schedulers) -> _Named:
    """Cross the named cases, or one without settings where there are none, with the matrix."""
    base = named or [("", CaseEntry(), ("matrix",))]
    combinations, axes = _combinations(scenario, document, compatible)
    crossed = [
        (_join(name, matrix.name(combination, axes)), _entry(entry, combination, document), where)
        for name, entry, where in base
        for combination in combinations
    ]
    for name, _, where in crossed:
        _refuse_unsafe(name, where, document)
    _refuse_same_names(crossed, document)
    return crossed


def _combinations(
    scenario: Scenario, document: Document, compatible: Schedulers
) -> tuple[list[matrix.Combination], list[str]]:
    """Return the combinations of the matrix and the names of its axes; raise `InputError` for none, or too many."""
    table = scenario.matrix or Matrix()
    axes = _axes(scenario, document, compatible)
    for index, entry in enumerate(table.exclude):
        for key in entry:
            if key not in axes:
                where: Location = ("matrix", "exclude", index, key)
                raise document.error(where, f"'{key}' is no axis of this matrix; {suggestion(key, set(axes))}")
    if prod(len(values) for values in axes.values()) > MOST_CASES:
        raise document.error(("matrix",), f"the matrix has more than {MOST_CASES} combinations; shorten an axis")
    combinations = matrix.include(matrix.multiply(axes, table.exclude), table.include, list(axes))
    if not combinations:
        raise document.error(("matrix",), "the matrix expands to nothing; give every axis a value, or exclude less")
    return combinations, list(axes)


def _join(name: str, combination: str) -> str:
    return "-".join(part for part in (name, combination) if part)


def _axes(scenario: Scenario, document: Document, compatible: Schedulers) -> dict[str, list[Any]]:
    axes = {}
    for axis, values in (scenario.matrix or Matrix()).axes.items():
        where: Location = ("matrix", axis)
        if axis == "scheduler" and values == COMPATIBLE:
            if scenario.model is None:
                raise document.error(where, "'compatible' asks the model's own scheduler; name the model at the top")
            axes[axis] = compatible(scenario.model)
        elif isinstance(values, list) and values:
            axes[axis] = values
        else:
            raise document.error(
                where, f"the axis '{axis}' is {shown(values)}; give a list of values, such as [20, 50]"
            )
    return axes


def _entry(entry: CaseEntry, combination: matrix.Combination, document: Document) -> CaseEntry:
    """Lay a combination over a named case: a key of the settings as that setting, any other as a call argument."""
    known = {key: value for key, value in combination.items() if key in CaseEntry.model_fields}
    call = {key: value for key, value in combination.items() if key not in known}
    given = entry.model_dump(exclude_unset=True)
    laid = _overlay(given, known)
    if call:
        laid["call"] = {**(laid.get("call") or {}), **call}
    try:
        return CaseEntry.model_validate(laid)
    except ValidationError as error:
        location, message = explain(error, laid)
        written = origin(document, location[:1], laid.get(str(location[0]))) if location else ("matrix",)
        raise document.error(written, message) from error


def origin(document: Document, path: Location, value: Any) -> Location:
    """Return where in the matrix a setting's value was written: on its axis, or in the last `include` that gives it.

    Args:
        document: of the scenario.
        path: of the setting, such as `("dtype",)` or `("call", "height")`; an axis goes by its last part.
        value: that the case came out with.
    """
    table, key = document.data.get("matrix"), path[-1]
    if not isinstance(table, dict):
        return path
    if isinstance(table.get(key), list) and value in table[key]:
        return ("matrix", key)
    entries = table.get("include")
    for index, entry in reversed(list(enumerate(entries if isinstance(entries, list) else []))):
        if isinstance(entry, dict) and key in entry and entry[key] == value:
            return ("matrix", "include", index, key)
    return ("matrix", key) if key in table else path


def _overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = {
        key: {**(below.get(key) or {}), **(above.get(key) or {})} for key in MERGED if below.get(key) or above.get(key)
    }
    return {**below, **above, **merged}


def _refuse_same_names(named: _Named, document: Document) -> None:
    seen: set[str] = set()
    for name, _, where in named:
        if name in seen:
            raise document.error(where, f"two cases come out as '{name}'; remove the value that is given twice")
        seen.add(name)


def _resolve(
    name: str, entry: CaseEntry, scenario: Scenario, document: Document, where: Location, order: list[str]
) -> Case:
    """Lay a case over its scenario's settings and fill in what neither says."""
    common = {key: value for key in Settings.model_fields if (value := getattr(scenario, key)) is not None}
    own = {key: value for key, value in entry.model_dump(exclude_unset=True).items() if value is not None}
    settings = _overlay(common, own)
    if "model" not in settings:
        raise document.error(where, f"the case '{name}' has no model; write 'model:' in it or at the top of the file")
    baseline = settings.pop("baseline", None) or scenario.baseline
    optimizations = set(settings.pop("optimizations", None) or ())
    ordered = [known for known in order if known in optimizations]
    seed = settings.pop("seed", 0)
    return Case(
        scenario=document.path.stem,
        name=name,
        optimizations=(*ordered, *sorted(optimizations.difference(order))),
        seed=tuple(seed) if isinstance(seed, list) else seed,
        baseline=f"{document.path.stem}/{baseline}" if baseline else None,
        claim={k: v for k, v in (settings.pop("claim", None) or {}).items() if v is not None},
        **settings,
    )
