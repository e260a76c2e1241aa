"""Scale a case down to its tiny model: sides / 8, steps / 5. Listed steps and all other settings stay the same."""

from dataclasses import replace
from math import ceil

from bench.pipelines import architectures, diffusers_api
from bench.plan.case import STEP_LISTS, Case

SIDES_DIVIDED_BY = 8
STEPS_DIVIDED_BY = 5
SIDE_MULTIPLE = 8
"""Pixels per latent of most autoencoders, where the pipeline has no rule of its own."""


def has_tiny_model(model: str) -> bool:
    """Return whether there is a tiny model; there is none for a local folder or an unknown hub id."""
    known = architectures.find_model(model)
    return known is not None and known.tiny is not None


def resolve(case: Case, run_size: str) -> tuple[Case, str]:
    """Return the case as this run measures it, and its size: `tiny` if the run is tiny and there is a tiny model."""
    if run_size != "tiny" or not has_tiny_model(case.model):
        return case, "full"
    return scale(case), "tiny"


def side(model: str, pixels: int) -> int:
    """Return the side of a tiny model's picture, given that of the full-size model's."""
    multiple = diffusers_api.side_multiple(model) or SIDE_MULTIPLE
    return max(1, ceil(pixels / SIDES_DIVIDED_BY / multiple)) * multiple


def scale(case: Case) -> Case:
    """Return the case as its tiny model runs it; raise KeyError for a model without published facts."""
    facts = architectures.models()[case.model]
    call, accepted = dict(case.call), diffusers_api.call_arguments(case.pipeline or facts.pipeline)
    for name, default in (("height", facts.height), ("width", facts.width)):
        if accepted is None or name in accepted:
            call[name] = side(case.model, call.get(name, default))
    if not any(name in call for name in STEP_LISTS):
        call["num_inference_steps"] = ceil(call.get("num_inference_steps", facts.steps) / STEPS_DIVIDED_BY)
    return replace(case, call=call)
