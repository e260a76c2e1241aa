"""One case in its own process: build, first call, warm up, sample, and tell each fact as soon as it is known."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from filelock import FileLock, Timeout

from bench.execute.worker import diagnosis
from bench.execute.worker.protocol import Event
from bench.measure import compilation
from bench.measure.clock import Timing, no_garbage_collection, timed
from bench.measure.device import Device, open_device
from bench.measure.memory import Memory, open_memory
from bench.measure.sampling import Hooks, Rules, Sampled, TimeOneCall, rules_for, take_samples
from bench.measure.telemetry import Telemetry, open_telemetry
from bench.pipelines import effective, first_call, images, tiny
from bench.pipelines.build import Ready, build
from bench.pipelines.first_call import FirstCall
from bench.plan.case import Case, batch_size
from bench.plan.settings import RunSettings
from bench.records.outcomes import Remark, RemarkKind, Status

Emit = Callable[[Event], None]
Sampler = Callable[[TimeOneCall, Rules, Hooks], Sampled]
"""Warms up and samples: `sampling.take_samples`, or `steps.Steps.measure`, which makes a call when it is asked to."""
_LOCKS: list[FileLock] = []
"""Held until the process ends."""


def run(case: Case, run_settings: RunSettings, image_folder: Path | None, started_by: str, emit: Emit) -> None:
    """Measure a case in this process, which is its own and fresh.

    Emits `facts`, `sample` and at the end `outcome`. Whatever is raised, what was emitted before belongs in the row;
    memory's peaks are told also when the case fails.
    """
    ready, seen, device = measure_case(case, run_settings, image_folder, started_by, emit, take_samples)
    emit({"event": "phase", "phase": "diagnosing"})
    trace = image_folder and image_folder.parent / "traces" / case.scenario / f"{case.name}.json"
    for columns in diagnosis.facts(ready, seen, device, run_settings, trace if run_settings.trace else None):
        _tell(emit, **columns)


def measure_case(
    case: Case, run_settings: RunSettings, image_folder: Path | None, started_by: str, emit: Emit, sampler: Sampler
) -> tuple[Ready, FirstCall, Device]:
    """Build, make the first call and sample by `sampler`; return what a diagnosis needs."""
    _silence_libraries()
    threads = _limit_threads(run_settings)
    case, size = tiny.resolve(case, run_settings.size)
    _tell(emit, **_asked(case, size), device=run_settings.device, threads=threads, started_by=started_by)
    device, memory = open_device(run_settings.device), open_memory(run_settings.device)
    try:
        memory.reset()
        ready = _build(case, size, run_settings, emit)
    finally:
        _tell_peak(emit, memory, "load_peak")
    memory.release()
    memory.reset()
    try:
        seen = _first_call(ready, device, image_folder, emit)
    finally:
        _tell_peak(emit, memory, "first_call_peak")
    memory.release()
    memory.reset()
    try:
        status = _sample(ready, run_settings, device, memory, emit, sampler)
    finally:
        _tell_peak(emit, memory, "peak")
    emit({"event": "outcome", **status})  # before the diagnosis, which must not cost a measurement that is made
    return ready, seen, device


def _build(case: Case, size: str, run_settings: RunSettings, emit: Emit) -> Ready:
    emit({"event": "phase", "phase": "building"})
    start = perf_counter()
    ready = build(case, size, run_settings)
    _tell(emit, build_s=perf_counter() - start, **_origin(ready), **effective.read(ready.pipeline))
    return ready


def _first_call(ready: Ready, device: Device, image_folder: Path | None, emit: Emit) -> FirstCall:
    """Make the first call, verify that what was asked for is in effect, and keep the pictures."""
    emit({"event": "phase", "phase": "first call"})
    with first_call.watched(ready.pipeline) as seen:
        ready.seed()
        timing, output = timed(device, ready.call)
    _tell(emit, first_call_s=timing.latency_s, **_seen(ready, seen))
    ready.verify(seen)
    pictures = images.pictures(output, ready.pipeline, _output_type(ready.case))
    _tell(emit, width=pictures[0].width, height=pictures[0].height, images=len(pictures))
    if image_folder is not None:
        images.save(pictures, image_folder / ready.case.scenario, ready.case.name)
    seen.pictures = pictures if diagnosis.scored(ready) else []
    return seen


def _sample(
    ready: Ready, run_settings: RunSettings, device: Device, memory: Memory, emit: Emit, sampler: Sampler
) -> dict[str, str]:
    """Warm up and sample, the collector kept out, and return status and reason."""
    _tell(emit, pinned_core=_pin(run_settings))

    def time_one_call() -> Timing:
        ready.seed()
        timing, output = timed(device, ready.call)
        del output
        return timing

    def on_sample(index: int, timing: Timing) -> None:
        emit({"event": "sample", "index": index, **vars(timing)})

    emit({"event": "phase", "phase": "warming up"})
    telemetry = open_telemetry(run_settings.device)
    graphs_at_begin: list[int] = []

    def on_begin() -> None:
        graphs_at_begin.append(compilation.graphs())
        telemetry.begin()

    hooks = Hooks(
        watch=lambda: (memory.reserved_bytes(), compilation.graphs()),
        on_begin=on_begin,
        rejected=telemetry.rejected,
        on_sample=on_sample,
        on_discard=lambda count: emit({"event": "discard", "count": count}),
    )
    with no_garbage_collection():
        sampled = sampler(time_one_call, rules_for(ready.size, run_settings.samples or ready.case.samples), hooks)
    recompilations = compilation.graphs() - graphs_at_begin[0]
    _tell(
        emit,
        warmup_calls=sampled.warmup_calls,
        warm=sampled.warm,
        recompilations=recompilations,
        device_used_bytes=memory.device_used_bytes(),
        **_watched(telemetry, sampled, batch_size(ready.case.call)),
    )
    return _judged(sampled, recompilations)


def _judged(sampled: Sampled, recompilations: int) -> dict[str, str]:
    """Return the status and the reason of a case that was sampled."""
    if not sampled.samples:
        return {"status": Status.FAILED, "reason": f"every sample was rejected: {sampled.rejected[-1]}"}
    if recompilations:
        return {"status": Status.UNSTABLE, "reason": f"{recompilations} graphs were compiled while samples were taken"}
    if not sampled.stable:
        why = "the samples drift: their second half differs from the first"
        return {"status": Status.UNSTABLE, "reason": why}
    return {"status": Status.OK, "reason": ""}


def _watched(telemetry: Telemetry, sampled: Sampled, images: int) -> dict[str, Any]:
    """Return what the machine was doing, and what was thrown away for it."""
    columns = telemetry.end()
    calls = sampled.watched_calls
    energy = columns.get("energy_j")
    return {
        **columns,
        "energy_per_image_j": energy / calls / images if energy is not None and calls else None,
        "rejected_samples": len(sampled.rejected),
        "rejected_by": sorted(set(sampled.rejected)),
    }


def _asked(case: Case, size: str) -> dict[str, Any]:
    """Return the columns that the case itself tells, before anything is built."""
    return {
        "model": case.model,
        "size": size,
        "vae": case.vae,
        "dtype": case.dtype,
        "optimizations": case.optimizations,
        "scheduler": case.scheduler,
        "scheduler_config": case.scheduler_config or None,
        "steps": case.call.get("num_inference_steps"),
        "height": case.call.get("height"),
        "width": case.call.get("width"),
        "images": batch_size(case.call),
        "output_type": _output_type(case),
        "call": case.call or None,
        "load": case.load or None,
        "seed": case.seed if isinstance(case.seed, tuple) else (case.seed,),
        "generator_device": case.generator_device,
    }


def _origin(ready: Ready) -> dict[str, Any]:
    vae = ready.vae_origin
    return {
        "weights": ready.origin.weights,
        "weights_from": ready.origin.name,
        "revision": ready.origin.revision,
        "vae_weights": vae.weights if vae else None,
        "vae_weights_from": vae.name if vae else None,
        "vae_revision": vae.revision if vae else None,
    }


def _seen(ready: Ready, seen: FirstCall) -> dict[str, Any]:
    """Return the columns that only a call can tell."""
    idle = [
        name for name in ("vae_slicing", "vae_tiling") if name in ready.case.optimizations and seen.vae_decodes == 1
    ]
    remarks = [
        *(Remark(RemarkKind.OVERRIDDEN, subject=variable) for variable in effective.overridden(ready.device.type)),
        *(Remark(RemarkKind.IDLE, subject=name) for name in idle),
    ]
    return {
        "denoiser_calls": seen.denoiser_calls,
        "vae_decodes": seen.vae_decodes,
        "steps": ready.case.call.get("num_inference_steps", _default_steps(ready.pipeline)),
        "remarks": "; ".join(map(str, remarks)) or None,
    }


def _default_steps(pipeline: Any) -> Any:
    import inspect

    parameter = inspect.signature(type(pipeline).__call__).parameters.get("num_inference_steps")
    return parameter.default if parameter is not None else None


def _output_type(case: Case) -> str:
    return str(case.call.get("output_type", "pil"))


def _tell(emit: Emit, **facts: Any) -> None:
    emit({"event": "facts", "facts": facts})


def _tell_peak(emit: Emit, memory: Memory, name: str) -> None:
    _tell(emit, **{f"{name}_{counter}": value for counter, value in vars(memory.peak()).items()})


def _limit_threads(run_settings: RunSettings) -> int:
    """Set the CPU's threads: as asked; on a CPU one, for two are slower on toy shapes and many times noisier."""
    import torch

    threads = run_settings.threads or (1 if run_settings.device == "cpu" else None)
    if threads is not None:
        torch.set_num_threads(threads)
    return int(torch.get_num_threads())


def _pin(run_settings: RunSettings) -> int | None:
    """Hold a single-threaded CPU measurement on a core that no other measurement has; None where nothing was pinned.

    Only now, after the first call: a compiler's helpers would inherit the one core. The lock goes with the process.
    """
    if run_settings.device != "cpu" or (run_settings.threads or 1) != 1 or not hasattr(os, "sched_setaffinity"):
        return None
    for core in sorted(os.sched_getaffinity(0), reverse=True):
        lock = FileLock(Path(tempfile.gettempdir()) / f"diffusion-bench-core-{core}.lock", mode=0o666)
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):  # another measurement has this core, or another user its lock
            continue
        _LOCKS.append(lock)
        os.sched_setaffinity(0, {core})
        return core
    return None


def _silence_libraries() -> None:
    """Switch off the libraries' progress bars: they would draw between the steps that are timed."""
    from diffusers.utils import logging as diffusers_logging
    from huggingface_hub.utils import disable_progress_bars
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    disable_progress_bars()
