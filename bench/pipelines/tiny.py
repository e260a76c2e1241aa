"""Scale a case down to its tiny model: sides / 8, steps / 5. Batch size, prompts and other settings stay the same."""

from dataclasses import replace
from math import ceil
from pathlib import Path

from bench.pipelines import architectures
from bench.plan.case import SIDE_MULTIPLE, Case

SIDES_DIVIDED_BY = 8
STEPS_DIVIDED_BY = 5


def has_tiny_model(model: str) -> bool:
    """Return whether there is a tiny model; there is none for a local folder or an unknown hub id."""
    known = architectures.find_model(model)
    return known is not None and known.tiny is not None and not Path(model).is_dir()


def resolve(case: Case, run_size: str) -> tuple[Case, str]:
    """Return the case as this run measures it, and its size: `tiny` if the run is tiny and there is a tiny model."""
    if run_size != "tiny" or not has_tiny_model(case.model):
        return case, "full"
    return scale(case), "tiny"


def scale(case: Case) -> Case:
    """Return the case as its tiny model runs it; raise KeyError for a model without published facts."""
    facts = architectures.models()[case.model]
    call = dict(case.call)
    for side, default in (("height", facts.height), ("width", facts.width)):
        call[side] = max(1, ceil(call.get(side, default) / SIDES_DIVIDED_BY / SIDE_MULTIPLE)) * SIDE_MULTIPLE
    call["num_inference_steps"] = ceil(call.get("num_inference_steps", facts.steps) / STEPS_DIVIDED_BY)
    return replace(case, call=call)
