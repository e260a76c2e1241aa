"""What a case hands to the pipeline call: its arguments, and generators that are seeded anew before every call."""

from typing import Any

from bench.plan.case import Case


def generators(case: Case, device: Any) -> list[Any]:
    """Make the generators of a case: one for the batch, or one an image, on the pipeline's device or on the CPU."""
    import torch

    place = "cpu" if case.generator_device == "cpu" else device
    return [torch.Generator(device=place) for _ in _seeds(case)]


def seed(case: Case, made: list[Any]) -> None:
    """Seed the generators as the case says, so that every call draws the same latents."""
    for generator, value in zip(made, _seeds(case), strict=True):
        generator.manual_seed(value)


def arguments(case: Case, made: list[Any]) -> dict[str, Any]:
    """Return the keyword arguments of the pipeline call."""
    generator = made if isinstance(case.seed, tuple) else made[0]
    call = {name: list(value) if isinstance(value, tuple) else value for name, value in case.call.items()}
    return {"output_type": "pil", **call, "generator": generator}


def _seeds(case: Case) -> tuple[int, ...]:
    return case.seed if isinstance(case.seed, tuple) else (case.seed,)
