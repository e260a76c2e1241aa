"""From a case to a pipeline that is ready to be called: weights, autoencoder, scheduler, placement, optimizations."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.pipelines import (
    adapters,
    components,
    diffusers_api,
    effective,
    flags,
    inputs,
    optimizations,
    requirements,
    roles,
    source,
    tiny,
)
from bench.pipelines.checks import Live
from bench.pipelines.errors import NotInEffectError, UnsupportedError
from bench.pipelines.first_call import FirstCall
from bench.pipelines.optimizations import When
from bench.pipelines.roles import Role
from bench.pipelines.source import Origin
from bench.plan.case import Case
from bench.plan.settings import RunSettings


@dataclass(frozen=True)
class Ready:
    """A pipeline built as the case requests.

    Attributes:
        case: with the image size that is used (smaller for a tiny model).
        size: `full` or `tiny`; a local folder has no tiny model and is always full.
        pipeline: the live diffusers pipeline, placed and optimized.
        device: the torch device on which it computes.
        origin: where its weights come from.
        vae_origin: where the weights of a replaced autoencoder come from.
        component_origins: where the weights of other components that the case names come from, by role.
        adapters: what a row says about the adapters of the case.
        prepared: the arguments of the case's call, with PIL images where it has pictures.
        generators: one for the batch or one per image, seeded before every call.
        around: returns the context manager of one call.
    """

    case: Case
    size: str
    pipeline: Any
    device: Any
    origin: Origin
    vae_origin: Origin | None
    component_origins: Mapping[str, Origin]
    adapters: Mapping[str, Any]
    prepared: Mapping[str, Any]
    generators: list[Any]
    around: Callable[[], AbstractContextManager[Any]]

    def seed(self) -> None:
        """Seed the generators, outside the timed region, so that every call draws the same latents and the same noise.

        torch's own generator is among them, because some pipelines and schedulers never read the one they are given.
        """
        import torch

        torch.manual_seed(_seeds(self.case)[0])
        for generator, seed in zip(self.generators, _seeds(self.case), strict=True):
            generator.manual_seed(seed)

    def arguments(self) -> dict[str, Any]:
        generator = self.generators if isinstance(self.case.seed, tuple) else self.generators[0]
        call = {name: list(value) if isinstance(value, tuple) else value for name, value in self.prepared.items()}
        return {"output_type": "pil", **call, "generator": generator}

    def call(self) -> Any:
        with self.around():
            return self.pipeline(**self.arguments())

    def first_call(self) -> Any:
        """Make the first call, which compiles; raise `UnsupportedError` for a pipeline that torch cannot compile."""
        try:
            return self.call()
        except Exception as error:
            if (reason := optimizations.refused_in_call(self.case.optimizations, error)) is None:
                raise
            raise UnsupportedError(reason) from error

    def verify(self, first_call: FirstCall) -> None:
        """Raise `NotInEffectError` if a setting or an optimization of the case has no effect."""
        effective.verify(self.case, self.pipeline)
        _verify_exchanged(self.case, first_call)
        adapters.verify(self.case, self.pipeline, first_call)
        optimizations.verify(self.case.optimizations, Live(self.pipeline, first_call))


def check(case: Case, size: str, run: RunSettings) -> None:
    """Check all that can be known of a case, given as `tiny.resolve` returns it, before anything is loaded or made.

    Raises:
        UnsupportedError: this machine cannot do what the case requests.
        FileNotFoundError: the folder of saved pipelines lacks its model.
    """
    import torch

    device = torch.device(run.device)
    if case.dtype == "bfloat16":  # older cards emulate it, without convolutions of cuDNN
        requirements.require_ampere(device, "bfloat16")
    optimizations.require(case.optimizations, device)
    source.check(case, size, run)
    components.check(case, size, run)
    adapters.check(case, size, run)
    if case.scheduler is not None:
        _scheduler_class(case.scheduler)


def build(case: Case, size: str, run: RunSettings) -> Ready:
    """Build the pipeline of a case, given as `tiny.resolve` returns it.

    Raises:
        UnsupportedError: this machine or this pipeline cannot do what the case requests.
        OSError: the weights cannot be loaded (diffusers' own message).
        TypeError: the pipeline does not take an argument of the call.
    """
    import torch

    check(case, size, run)
    device = torch.device(run.device)
    flags.set_default_flags()
    optimizations.apply(case.optimizations, When.PROCESS, None, device)
    placed_by_optimization = optimizations.placed_by_one(case.optimizations)
    home = torch.device("cpu") if placed_by_optimization else device
    given = components.load(case, run)
    pipeline, origin = source.pipeline(case, size, run, home, {role: module for role, (module, _) in given.items()})
    _check_arguments(case, pipeline)
    components.require(case, pipeline)
    vae_origin = None
    if case.vae is not None:
        _require_autoencoder(pipeline)
        pipeline.vae, vae_origin = source.autoencoder(case, size, run, home)
    replace_scheduler(case, pipeline)
    added = adapters.add(case, size, run, pipeline)
    if placed_by_optimization:
        optimizations.apply(case.optimizations, When.PLACE, pipeline, device)
    elif "device_map" not in case.load:
        pipeline.to(device)
    pipeline.set_progress_bar_config(disable=True)
    optimizations.apply(case.optimizations, When.BUILT, pipeline, device)
    generators_on = "cpu" if case.generator_device == "cpu" else device
    return Ready(
        case=case,
        size=size,
        pipeline=pipeline,
        device=device,
        origin=origin,
        vae_origin=vae_origin,
        component_origins={role: found for role, (_, found) in given.items()},
        adapters=added,
        prepared=inputs.prepare(case, partial(tiny.side, case.model) if size == "tiny" else int),
        generators=[torch.Generator(device=generators_on) for _ in _seeds(case)],
        around=optimizations.around(case.optimizations, device),
    )


def _seeds(case: Case) -> tuple[int, ...]:
    return case.seed if isinstance(case.seed, tuple) else (case.seed,)


def _check_arguments(case: Case, pipeline: Any) -> None:
    """Raise TypeError for a call argument that this pipeline does not read; only now is the class of a hub id known."""
    accepted = diffusers_api.call_arguments(type(pipeline).__name__)
    unknown = sorted(set(case.call) - accepted) if accepted is not None else []
    if unknown:
        raise TypeError(f"{type(pipeline).__name__} takes no call argument '{unknown[0]}'")


def _require_autoencoder(pipeline: Any) -> None:
    """Raise `UnsupportedError` for a pipeline that has no autoencoder, or has it under another name."""
    if getattr(pipeline, "vae", None) is None:
        name, others = type(pipeline).__name__, ", ".join(roles.of(pipeline, Role.AUTOENCODER))
        has = f"has no 'vae' (its autoencoder is '{others}')" if others else "has no autoencoder"
        raise UnsupportedError(f"vae: {name} {has}, so there is nothing to replace")


def _verify_exchanged(case: Case, first_call: FirstCall) -> None:
    """Raise `NotInEffectError` if the call did not use a component that was exchanged."""
    if case.vae is not None and not any(path.startswith("vae.") for path in first_call.visits):
        raise NotInEffectError(f"vae {case.vae}", "no call of it")
    for role in components.unused(case, first_call):
        raise NotInEffectError(f"{role} {case.components[role]}", "no call of it")
    if case.scheduler is not None and not first_call.scheduler_steps:
        raise NotInEffectError(f"scheduler {case.scheduler}", "no step of it")


def replace_scheduler(case: Case, pipeline: Any) -> None:
    """Make the scheduler from the configuration of the pipeline's own, as the guides of diffusers do."""
    if case.scheduler is None and not case.scheduler_config:
        return
    _require_scheduler(pipeline)
    cls = _scheduler_class(case.scheduler) if case.scheduler else type(pipeline.scheduler)
    pipeline.scheduler = cls.from_config(pipeline.scheduler.config, **diffusers_api.scheduler_config(case))


def _require_scheduler(pipeline: Any) -> None:
    """Raise `UnsupportedError` for a pipeline whose scheduler cannot be replaced by setting it."""
    name, own = type(pipeline).__name__, roles.scheduler(pipeline)
    if own is None:
        others = ", ".join(roles.of(pipeline, Role.SCHEDULER)) or "none"
        raise UnsupportedError(f"scheduler: {name} has no 'scheduler' to replace (its schedulers: {others})")
    if (inner := roles.shared_with(pipeline, own)) is not None:
        raise UnsupportedError(
            f"scheduler: {name} uses that of a pipeline of its own ({inner}), not the one it is given"
        )


def _scheduler_class(name: str) -> Any:
    """Return a scheduler class; raise `UnsupportedError` for the placeholder of one whose package is missing."""
    import diffusers
    from diffusers.utils import requires_backends

    cls = getattr(diffusers, name)
    try:
        requires_backends(cls, getattr(cls, "_backends", []))
    except ImportError as error:
        raise UnsupportedError(" ".join(str(error).split())) from error
    return cls
