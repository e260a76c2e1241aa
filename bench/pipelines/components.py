"""Components that a case names beside its model and its autoencoder: which a pipeline takes, and their weights."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from bench.pipelines import diffusers_api, source
from bench.pipelines.component_names import pipeline_class
from bench.pipelines.errors import UnsupportedError
from bench.pipelines.first_call import FirstCall
from bench.pipelines.source import Origin
from bench.plan.case import Case
from bench.plan.settings import RunSettings

MERGED = ("motion_adapter",)
"""These become parts of the denoiser, so they do not run themselves."""


def check(case: Case, size: str, run: RunSettings) -> None:
    """Check that the pipeline of a case takes what it names, as far as that is known before anything is loaded.

    Raises:
        UnsupportedError: the pipeline has no such part, the model is a tiny one, or the weights cannot be had.
        FileNotFoundError: the folder of saved pipelines lacks a component.
    """
    if case.components and size == "tiny":
        raise UnsupportedError("the tiny models have no other components; use --size full")
    name = pipeline_class(case)
    parts = diffusers_api.components(name) if name else None
    if parts is not None:
        vae = [] if case.vae is None else ["vae"]
        _refuse_missing(str(name), [*vae, *case.components], parts)
    for found in case.components.values():
        if source.will_be_random(found, "config.json", run):
            raise source.no_facts(found)


def load(case: Case, run: RunSettings) -> dict[str, tuple[Any, Origin]]:
    """Load the components that a case names, by role.

    Raises:
        UnsupportedError: the hub is needed and not reached.
        OSError: the weights cannot be loaded (diffusers' own message).
    """
    import torch

    found, load_one = {}, partial(source.load_component, dtype=getattr(torch, case.dtype))
    for role, name in case.components.items():
        loaded = source.saved(name, "config.json", run, load_one)
        if loaded is None:
            raise source.no_facts(name)
        found[role] = loaded
    return found


def require(case: Case, pipeline: Any) -> None:
    """Raise `UnsupportedError` if a pipeline lacks a part; only when it is loaded is the class of a hub id known."""
    there = {role for role, part in pipeline.components.items() if part is not None}
    _refuse_missing(type(pipeline).__name__, case.components, there)


def unused(case: Case, first_call: FirstCall) -> list[str]:
    """Return the roles of components that a case names and that did not run."""
    return [role for role in case.components if role not in MERGED and role not in first_call.visits]


def _refuse_missing(pipeline: str, wanted: Iterable[str], there: Iterable[str]) -> None:
    for role in wanted:
        if role not in there:
            raise UnsupportedError(f"{role}: {pipeline} has no '{role}', so there is nothing to replace")
