"""Translate a validation error into the terms of the scenario file, because pydantic's own speak of Python types."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bench.plan.adapters import IPAdapter, Lora
from bench.plan.document import Location, shown
from bench.plan.scenario import CaseEntry, Claim, Scenario, Source
from bench.plan.vocabulary import suggestion

_REMEDIES = {
    "string_type": "give a string",
    "string_too_short": "give a string that is not empty",
    "int_type": "give a whole number",
    "int_from_float": "give a whole number",
    "float_type": "give a number",
    "finite_number": "give a finite number",
    "bool_type": "give true or false",
    "list_type": "give a list, such as [a, b]",
    "too_short": "give at least one value",
    "dict_type": "give a mapping, such as {key: value}",
    "model_type": "give a mapping, such as {key: value}",
}
_BOUNDS = {
    "greater_than": ("gt", "greater than"),
    "greater_than_equal": ("ge", "of at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "of at most"),
}
_SEED = "give a whole number of at least 0 and less than 2**63, or a list with one per image"


def explain(error: ValidationError, data: Mapping[str, Any]) -> tuple[Location, str]:
    """Return the location of the first fault, and a message: what is wrong; what to do.

    Unknown keys come first, because a misspelled key is also reported as missing.

    Args:
        error: of the validation.
        data: what was validated; distinguishes its keys in a location from pydantic's names of union members.
    """
    faults = error.errors()
    first = min(faults, key=lambda fault: (fault["type"] != "extra_forbidden", fault["type"] == "missing"))
    location = _location(first, data)
    return location, _message(first, location)


def _location(fault: ErrorDetails, data: Any) -> Location:
    """Return the part of a fault's location that is written in the file, and last the key if it is missing."""
    location: Location = ()
    for part in fault["loc"]:
        here = data if isinstance(data, dict) else dict(enumerate(data)) if isinstance(data, list) else {}
        if part in here:
            location, data = (*location, part), here[part]
    return (*location, fault["loc"][-1]) if fault["type"] == "missing" else location


def _message(fault: ErrorDetails, location: Location) -> str:
    key = next((str(part) for part in reversed(location) if isinstance(part, str)), "the scenario")
    kind = fault["type"]
    if kind == "extra_forbidden":
        return f"unknown key '{key}'; {suggestion(key, _siblings(location))}"
    if kind == "missing":
        return f"'{key}' is missing; add it"
    if kind == "value_error":
        return f"'{key}': {fault['msg'].removeprefix('Value error, ')}"
    return f"'{key}' is {shown(fault['input'])}; {_SEED if 'seed' in location else _remedy(fault)}"


def _remedy(fault: ErrorDetails) -> str:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return f"give a number {words} {context[bound]}"
    if kind == "literal_error":
        return f"give one of {context['expected']}"
    return _REMEDIES.get(kind, "run `bench schema` to see what is allowed")


def _siblings(location: Location) -> list[str]:
    parents: dict[tuple[bool, str | int | None], type[BaseModel]] = {(False, "source"): Source, (True, "claim"): Claim}
    in_case = location[0] == "cases" and len(location) > 2  # noqa: PLR2004 - cases, its name, the key
    parent = location[2] if in_case and len(location) > 3 else location[0] if len(location) > 1 else None  # noqa: PLR2004
    adapters: dict[object, type[BaseModel]] = {"lora": Lora, "ip_adapter": IPAdapter}
    if parent in adapters:
        return list(adapters[parent].model_fields)
    if (in_case, parent) in parents:
        return list(parents[in_case, parent].model_fields)
    return list(CaseEntry.model_fields) if in_case else [*Scenario.model_fields, "extends"]
