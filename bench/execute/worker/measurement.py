"""Measure one case in a process of its own: build, first call, warm-up, samples.

Every fact is reported as soon as it is known. A process that runs out of memory or dies then still leaves a record of
everything up to that moment, peak memory included.
"""

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from filelock import FileLock, Timeout

from bench import scratch
from bench.execute.worker import facts
from bench.execute.worker.diagnosis import diagnose, will_be_scored
from bench.execute.worker.protocol import Reporter
from bench.measure import compilation
from bench.measure.clock import Timing, no_garbage_collection, timed
from bench.measure.device import Device, open_device
from bench.measure.memory import Memory, open_memory
from bench.measure.roofline import measure_rates
from bench.measure.sampling import MAX_REJECTED, Hooks, Rules, Sampled, TimeOneCall, rules_for, take_samples
from bench.measure.telemetry import open_telemetry
from bench.pipelines import effective, images, inputs, tiny
from bench.pipelines.build import Ready, build
from bench.pipelines.first_call import FirstCall, watched
from bench.plan.case import Case
from bench.plan.settings import RunSettings
from bench.records.outcomes import Remark, RemarkKind, Status

Sampler = Callable[[TimeOneCall, Rules, Hooks], Sampled]
"""Warms up and takes samples: `sampling.take_samples`, or `OnDemandSampler.measure`, which waits for requests."""
NEAR_THE_LIMIT = 0.9
"""Share of a case's time limit after which no further sample is begun if there are too few for an interval."""
_LOCKS: list[FileLock] = []
"""Held until the process ends."""


def measure_and_diagnose(
    case: Case,
    settings: RunSettings,
    image_folder: Path | None,
    trace: Path | None,
    memory_trace: Path | None,
    report: Reporter,
) -> None:
    """Measure a case in this process, which must be fresh, and then find out where its time goes."""
    ready, first_call, device = measure_case(case, settings, image_folder, report, take_samples)
    report.phase("diagnosing")
    for columns in diagnose(ready, first_call, device, settings, trace, memory_trace):
        report.facts(**columns)


def measure_case(
    case: Case, settings: RunSettings, image_folder: Path | None, report: Reporter, sampler: Sampler
) -> tuple[Ready, FirstCall, Device]:
    """Build, make the first call and take samples; return what a diagnosis needs."""
    start = perf_counter()
    _silence_libraries()
    threads = _limit_threads(settings)
    case, size = tiny.resolve(case, settings.size)
    report.facts(**facts.requested(case, size), device=settings.device, threads=threads)
    device, memory = open_device(settings.device), open_memory(settings.device)
    with _peak_reported(memory, report, "load_peak_"):
        ready = _build(case, size, settings, report)
    with _peak_reported(memory, report, "first_call_peak_"):
        first_call, output = _make_first_call(ready, device, report)
    core = _pin(settings)
    report.facts(pinned_core=core)
    remarks = not_pinned(settings, core)
    _keep_pictures(ready, first_call, output, image_folder, remarks, report)
    with _peak_reported(memory, report, "peak_"):
        left_s = NEAR_THE_LIMIT * (settings.timeout_s or case.timeout_s) - (perf_counter() - start)
        rules = replace(rules_for(size, settings.samples or case.samples), time_limit_s=left_s)
        status, reason = _sample(ready, first_call.images, settings, rules, device, memory, report, sampler)
    report.outcome(status, reason)  # before the diagnosis, whose failure must not cost the measurement
    return ready, first_call, device


def device_rates(settings: RunSettings, types: Sequence[str]) -> dict[str, Any]:
    """Measure the rates of the device on as many threads as a case has, and pinned where a case is."""
    _limit_threads(settings)
    _pin(settings)
    with no_garbage_collection():
        return measure_rates(open_device(settings.device), settings.device, types)


@contextmanager
def _peak_reported(memory: Memory, report: Reporter, prefix: str) -> Iterator[None]:
    """Report the peak memory of one phase, even if it fails."""
    gc.collect()  # loading leaves pipelines in cycles of references, with their weights
    memory.release()
    memory.reset()
    try:
        yield
    finally:
        report.facts(**{f"{prefix}{counter}": value for counter, value in vars(memory.peak()).items()})


def _build(case: Case, size: str, settings: RunSettings, report: Reporter) -> Ready:
    report.phase("building")
    start = perf_counter()
    ready = build(case, size, settings)
    report.facts(
        build_s=perf_counter() - start,
        inputs=inputs.described(ready.prepared, ready.case),
        **facts.weights(ready),
        **effective.read(ready.pipeline),
    )
    return ready


def _make_first_call(ready: Ready, device: Device, report: Reporter) -> tuple[FirstCall, Any]:
    """Make the first call, verify that every setting took effect, and return what was seen and what it returned."""
    report.phase("first call")
    with watched(ready.pipeline) as first_call:
        ready.seed()
        timing, output = timed(device, ready.first_call)
    report.facts(
        first_call_s=timing.latency_s,
        compile_s=compilation.seconds(),
        compile_cache=compilation.cache() or None,
        **facts.first_call(ready, first_call),
    )
    ready.verify(first_call)
    return first_call, output


def _keep_pictures(
    ready: Ready,
    first_call: FirstCall,
    output: Any,
    image_folder: Path | None,
    remarks: Sequence[Remark],
    report: Reporter,
) -> None:
    """Check and save the images of the first call; decoding latents is not part of it, nor of its memory."""
    drawn = images.drawn(output, ready.pipeline, facts.output_type(ready.case), ready.case.call)
    first_call.images, first_call.frames, pictures = drawn.images, drawn.frames, drawn.pictures
    report.facts(**facts.drawn(ready, first_call, pictures, remarks))
    if image_folder is not None and pictures:
        images.save(pictures, image_folder, ready.case.name)
    first_call.pictures = pictures if will_be_scored(ready) else []


def _sample(
    ready: Ready,
    made: int,
    settings: RunSettings,
    rules: Rules,
    device: Device,
    memory: Memory,
    report: Reporter,
    sampler: Sampler,
) -> tuple[Status, str]:
    """Warm up and take samples with the garbage collector off; return status and reason. A call has `made` images."""
    report.phase("warming up")
    telemetry = open_telemetry(settings.device)
    graphs_at_begin: list[int] = []

    def time_one_call() -> Timing:
        ready.seed()
        return timed(device, ready.call)[0]

    def on_begin() -> None:
        graphs_at_begin.append(compilation.graphs())
        telemetry.begin()

    hooks = Hooks(
        watch=lambda: (memory.reserved_bytes(), compilation.graphs()),
        on_begin=on_begin,
        rejected=telemetry.rejected,
        on_sample=report.sample,
        on_discard=report.discard,
    )
    with no_garbage_collection():
        sampled = sampler(time_one_call, rules, hooks)
    recompilations = compilation.graphs() - graphs_at_begin[0]  # samples taken before a second begin are partly kept
    report.facts(
        recompilations=recompilations,
        device_used_bytes=memory.device_used_bytes(),
        **facts.sampling(sampled, telemetry.end(), made),
    )
    return outcome_of(sampled, recompilations)


def outcome_of(sampled: Sampled, recompilations: int) -> tuple[Status, str]:
    if sampled.throttled:
        return Status.UNSTABLE, f"{MAX_REJECTED} calls in a row were throttled, so they were kept: {sampled.throttled}"
    if recompilations:
        return Status.UNSTABLE, f"{recompilations} graphs were compiled while samples were taken"
    if sampled.steady is False:
        return Status.UNSTABLE, "the samples drift: their second half differs from the first"
    return Status.OK, ""


def _limit_threads(settings: RunSettings) -> int:
    """Set the number of CPU threads. On a CPU the default is one: with two, tiny models are slower and far noisier."""
    import torch

    threads = settings.threads or (1 if settings.device == "cpu" else None)
    if threads is not None:
        torch.set_num_threads(threads)
    return int(torch.get_num_threads())


def _pin(settings: RunSettings) -> int | None:
    """Pin a single-threaded CPU measurement to a core that no other measurement uses; return None if it is not pinned.

    This comes after the first call, because the helper processes of a compiler would inherit the one core. The lock is
    released when the process ends.
    """
    folder = scratch.user_folder() if _can_pin(settings) else None
    if folder is None:
        return None
    for core in sorted(os.sched_getaffinity(0), reverse=True):
        lock = FileLock(folder / f"core-{core}.lock")
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):  # another measurement has this core
            continue
        _LOCKS.append(lock)
        os.sched_setaffinity(0, {core})
        return core
    return None


def not_pinned(settings: RunSettings, core: int | None) -> list[Remark]:
    """Return a remark if a process should have had a core of its own, but has none."""
    return [Remark(RemarkKind.NOT_PINNED)] if core is None and _can_pin(settings) else []


def _can_pin(settings: RunSettings) -> bool:
    return settings.device == "cpu" and (settings.threads or 1) == 1 and hasattr(os, "sched_setaffinity")


def _silence_libraries() -> None:
    """Switch off the progress bars of the libraries, which would draw between timed denoising steps."""
    from diffusers.utils import logging as diffusers_logging
    from huggingface_hub.utils import disable_progress_bars
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    disable_progress_bars()
