"""From a case to a pipeline that is ready to be called: weights, autoencoder, scheduler, placement, optimizations."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from bench.pipelines import diffusers_api, effective, inputs, optimizations, source
from bench.pipelines.checks import Live
from bench.pipelines.optimizations import When
from bench.pipelines.source import Origin
from bench.plan.case import Case
from bench.plan.settings import RunSettings


@dataclass(frozen=True)
class Ready:
    """A pipeline as the case asks for it.

    Attributes:
        case: the case with the sizes that are really used (a tiny twin's are smaller).
        size: `full` or `tiny`, of this case: a local folder has no twin and is always full.
        pipeline: the live diffusers pipeline, placed and optimized.
        device: the torch device that it computes on.
        origin: where its weights come from.
        vae_origin: where the weights of an exchanged autoencoder come from.
        generators: seeded anew before every call.
        around: makes the context of one call.
    """

    case: Case
    size: str
    pipeline: Any
    device: Any
    origin: Origin
    vae_origin: Origin | None
    generators: list[Any]
    around: Callable[[], AbstractContextManager[Any]]

    def seed(self) -> None:
        """Seed the generators anew, outside the timed region."""
        inputs.seed(self.case, self.generators)

    def call(self) -> Any:
        """Call the pipeline once and return its output."""
        with self.around():
            return self.pipeline(**inputs.arguments(self.case, self.generators))

    def verify(self, seen: effective.FirstCall) -> None:
        """Raise `NotInEffectError` where a setting or an optimization of the case has no effect."""
        effective.verify(self.case, self.pipeline)
        optimizations.verify(self.case.optimizations, Live(self.pipeline, seen))


def build(case: Case, size: str, run: RunSettings) -> Ready:
    """Build the pipeline of a case, as `tiny.resolve` returned it.

    Raises:
        UnsupportedError: this machine or this pipeline cannot do what the case asks.
        OSError: the weights are not to be had (diffusers' own message).
    """
    import torch

    device = torch.device(run.device)
    optimizations.set_default_flags()
    optimizations.apply(case.optimizations, When.PROCESS, None, device)
    by_optimization = optimizations.placed_by_one(case.optimizations)
    home = torch.device("cpu") if by_optimization else device
    pipeline, origin = source.pipeline(case, size, run, home)
    _check_arguments(case, pipeline)
    vae_origin = _exchange_autoencoder(case, size, run, pipeline, home)
    _exchange_scheduler(case, pipeline)
    if by_optimization:
        optimizations.apply(case.optimizations, When.PLACE, pipeline, device)
    elif "device_map" not in case.load:
        pipeline.to(device)
    pipeline.set_progress_bar_config(disable=True)
    optimizations.apply(case.optimizations, When.BUILT, pipeline, device)
    return Ready(
        case=case,
        size=size,
        pipeline=pipeline,
        device=device,
        origin=origin,
        vae_origin=vae_origin,
        generators=inputs.generators(case, device),
        around=optimizations.around(case.optimizations, device),
    )


def _check_arguments(case: Case, pipeline: Any) -> None:
    """Raise TypeError for a call argument that this pipeline does not read; of a hub id the class is known only now."""
    accepted = diffusers_api.call_arguments(type(pipeline).__name__)
    unknown = sorted(set(case.call) - accepted) if accepted is not None else []
    if unknown:
        raise TypeError(f"{type(pipeline).__name__} takes no call argument '{unknown[0]}'")


def _exchange_autoencoder(case: Case, size: str, run: RunSettings, pipeline: Any, home: Any) -> Origin | None:
    if case.vae is None:
        return None
    pipeline.vae, origin = source.autoencoder(case, size, run, home)
    return origin


def _exchange_scheduler(case: Case, pipeline: Any) -> None:
    """Make the scheduler from the configuration of the pipeline's own, as the guides do."""
    if case.scheduler is None and not case.scheduler_config:
        return
    import diffusers

    cls = getattr(diffusers, case.scheduler) if case.scheduler else type(pipeline.scheduler)
    _need_backends(cls)
    pipeline.scheduler = cls.from_config(pipeline.scheduler.config, **case.scheduler_config)


def _need_backends(cls: Any) -> None:
    """Raise `UnsupportedError` for diffusers' placeholder of a class whose optional package is missing."""
    from diffusers.utils import requires_backends

    from bench.pipelines.errors import UnsupportedError

    try:
        requires_backends(cls, getattr(cls, "_backends", []))
    except ImportError as error:
        raise UnsupportedError(" ".join(str(error).split())) from error
