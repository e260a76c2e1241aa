"""Turn a validated scenario into its cases: override settings, multiply the matrix, name every row."""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

from pydantic import ValidationError

from bench import files
from bench.plan import matrix
from bench.plan.adapters import IPAdapter, Lora, plain
from bench.plan.case import ROLES, Case
from bench.plan.document import Document, Location, shown
from bench.plan.explain import explain
from bench.plan.scenario import CaseEntry, Matrix, Scenario, Settings
from bench.plan.vocabulary import suggestion

Schedulers = Callable[[str], list[str]]
"""model -> class names of its compatible schedulers. Only diffusers knows them, so the caller passes this in."""

ALLOWED = (
    f"at most {files.LONGEST_NAME} letters, digits, '.', '_', '+' and '-', beginning with a letter or digit, and no "
    "name that Windows reserves"
)
MAX_CASES = 1000
"""A day of measuring at a minute per case; more is a mistake."""
COMPATIBLE = "compatible"
MERGED = ("call", "load", "scheduler_config")
"""These mappings are merged key by key; any other setting replaces the one below it."""

_Named = list[tuple[str, CaseEntry, Location]]


def cases(
    scenario: Scenario, document: Document, compatible: Schedulers, order: list[str]
) -> list[tuple[Case, Location]]:
    """Return the cases of a scenario, each with the location at which its errors are reported.

    Args:
        scenario: the validated file.
        document: the same file's data and lines.
        compatible: called only if the scheduler axis says `compatible`.
        order: the optimizations in the order they are applied.

    Raises:
        InputError: a case is empty, has an unsafe name or no model; or a matrix expands to nothing or to too much.
    """
    named = _named(scenario, document)
    if scenario.matrix is not None:
        axes = _axes(scenario.matrix, scenario.model, document, compatible)
        named = _cross(named, _combinations(scenario.matrix, axes, document), list(axes), document)
    if not named:
        raise document.error(("cases",), "there is no case; write at least one under 'cases', or a 'matrix'")
    return [(_resolve(name, entry, scenario, document, where, order), where) for name, entry, where in named]


def _named(scenario: Scenario, document: Document) -> _Named:
    named: _Named = []
    for name, entry in (scenario.cases or {}).items():
        where: Location = ("cases", name)
        if entry is None:
            raise document.error(where, f"the case '{name}' is empty; write '{name}: {{}}' for one without settings")
        _refuse_unsafe(name, where, document)
        named.append((name, entry, where))
    return named


def _refuse_unsafe(name: str, where: Location, document: Document) -> None:
    if not files.is_name(name):
        raise document.error(where, f"{shown(name)} cannot be a file name; use {ALLOWED}")


def _axes(table: Matrix, model: str | None, document: Document, compatible: Schedulers) -> dict[str, list[Any]]:
    axes = {}
    for axis, values in table.axes.items():
        where: Location = ("matrix", axis)
        if axis == "scheduler" and values == COMPATIBLE:
            if model is None:
                message = "'compatible' depends on the model's own scheduler; write 'model:' at the top of the file"
                raise document.error(where, message)
            axes[axis] = compatible(model)
        elif isinstance(values, list) and values:
            axes[axis] = values
        else:
            message = f"the axis '{axis}' is {shown(values)}; give a list of values, such as [20, 50]"
            raise document.error(where, message)
    return axes


def _combinations(table: Matrix, axes: dict[str, list[Any]], document: Document) -> list[matrix.Combination]:
    """Return the combinations of the matrix; raise `InputError` if there are none or too many."""
    for index, entry in enumerate(table.exclude):
        for key in entry:
            if key not in axes:
                where: Location = ("matrix", "exclude", index, key)
                raise document.error(where, f"'{key}' is not an axis of this matrix; {suggestion(key, axes)}")
    if prod(len(values) for values in axes.values()) > MAX_CASES:
        raise document.error(("matrix",), f"the matrix has more than {MAX_CASES} combinations; shorten an axis")
    combinations = matrix.include(matrix.multiply(axes, table.exclude), table.include, list(axes))
    if not combinations:
        raise document.error(("matrix",), "the matrix expands to nothing; give every axis a value, or exclude less")
    return combinations


def _cross(named: _Named, combinations: list[matrix.Combination], axes: list[str], document: Document) -> _Named:
    """Cross the named cases, or one case without settings if there are none, with the matrix."""
    crossed: _Named = []
    seen: set[str] = set()
    for case_name, entry, where in named or [("", CaseEntry(), ("matrix",))]:
        for combination in combinations:
            name = "-".join(filter(None, [case_name, matrix.name(combination, axes)]))
            _refuse_unsafe(name, where, document)
            if name in seen:
                raise document.error(where, f"two cases are named '{name}'; remove the value that is given twice")
            seen.add(name)
            crossed.append((name, _entry(entry, combination, document), where))
    return crossed


def _entry(entry: CaseEntry, combination: matrix.Combination, document: Document) -> CaseEntry:
    """Override a case with a combination, in which a key is a setting or else an argument of the pipeline call."""
    known = {key: value for key, value in combination.items() if key in CaseEntry.model_fields}
    call = {key: value for key, value in combination.items() if key not in known}
    laid = _overlay(entry.model_dump(exclude_unset=True), known)
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
        path: of the setting, such as `("dtype",)` or `("call", "height")`; an axis is named by its last part.
        value: the value in the resolved case.
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


def _resolve(
    name: str, entry: CaseEntry, scenario: Scenario, document: Document, where: Location, order: list[str]
) -> Case:
    """Override the scenario's settings with a case's, and fill in what neither gives."""
    common = {
        key: value
        for key, value in scenario.model_dump(include=set(Settings.model_fields)).items()
        if value is not None
    }
    own = {key: value for key, value in entry.model_dump(exclude_unset=True).items() if value is not None}
    settings = _overlay(common, own)
    if "model" not in settings:
        raise document.error(where, f"the case '{name}' has no model; write 'model:' in it or at the top of the file")
    baseline = settings.pop("baseline", None) or scenario.baseline
    optimizations = set(settings.pop("optimizations", None) or ())
    ordered = [known for known in order if known in optimizations]
    seed = settings.pop("seed", 0)
    components = {role: settings.pop(role) for role in ROLES if role in settings}
    lora = tuple(plain(Lora.model_validate(each)) for each in settings.pop("lora", ()))
    ip_adapter = settings.pop("ip_adapter", None)
    return Case(
        scenario=document.path.stem,
        name=name,
        components=components,
        lora=lora,
        ip_adapter=plain(IPAdapter.model_validate(ip_adapter)) if ip_adapter else {},
        optimizations=(*ordered, *sorted(optimizations.difference(order))),
        seed=tuple(seed) if isinstance(seed, list) else seed,
        baseline=f"{document.path.stem}/{baseline}" if baseline else None,
        claim={k: v for k, v in (settings.pop("claim", None) or {}).items() if v is not None},
        **settings,
    )
