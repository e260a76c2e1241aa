"""After the samples: where the time of a call goes, how much work it is, and whether the device waits.

None of this is part of the measurement. Its calls are not samples, and peak memory has been reported before it begins.
"""

import traceback
from collections.abc import Callable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any

from bench.measure.breakdown import Recorder, break_down
from bench.measure.device import Device
from bench.measure.memory_trace import write_memory_trace
from bench.measure.profile import profiled
from bench.measure.roofline import TF32
from bench.pipelines import clip, operations, parts
from bench.pipelines.build import Ready
from bench.pipelines.effective import process_flags
from bench.pipelines.first_call import FirstCall
from bench.pipelines.roles import unwrapped
from bench.plan.settings import RunSettings


def diagnose(
    ready: Ready,
    first_call: FirstCall,
    device: Device,
    settings: RunSettings,
    trace: Path | None,
    memory_trace: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield the columns of the breakdown, the roofline and the CLIP score, each as soon as it is known.

    What cannot be diagnosed leaves the measurement as it is; the column `undiagnosed` says why.

    Args:
        ready: the measured pipeline.
        first_call: its shapes are counted and its pictures scored.
        device: its clock.
        settings: of the run.
        trace: where to write a profiler trace; None profiles on a CUDA device only.
        memory_trace: where to write a snapshot of the allocator; None writes none.
    """
    undiagnosed = []
    for name, columns in _diagnoses(ready, first_call, device, settings, trace, memory_trace).items():
        try:
            yield columns()
        except Exception as error:  # noqa: BLE001 - any pipeline, any library; the record and the log say what
            traceback.print_exc()
            undiagnosed.append(f"{name}: {type(error).__name__}: {' '.join(str(error).split())}")
    yield {"undiagnosed": "; ".join(undiagnosed) or None}


def _diagnoses(
    ready: Ready,
    first_call: FirstCall,
    device: Device,
    settings: RunSettings,
    trace: Path | None,
    memory_trace: Path | None,
) -> dict[str, Callable[[], dict[str, Any]]]:
    found: dict[str, Callable[[], dict[str, Any]]] = {}
    if settings.diagnose is False:
        return found
    if ready.size == "full" or settings.diagnose:  # of a tiny model it says nothing and takes longer than the samples
        found["breakdown"] = lambda: _breakdown(ready, first_call, device)
        found["roofline"] = lambda: _work(ready, first_call, settings.device)
    if trace is not None or settings.device == "cuda":
        found["profile"] = lambda: _profile(ready, settings.device, trace)
    if memory_trace is not None:
        found["memory trace"] = lambda: _memory_trace(ready, memory_trace)
    clip_model = clip.cached() if first_call.pictures else None
    if clip_model is not None:
        found["CLIP score"] = lambda: _clip_score(ready, first_call.pictures, *clip_model)
    return found


def will_be_scored(ready: Ready) -> bool:
    """Return whether there will be a CLIP score: it needs trained weights, a prompt and a CLIP model in the cache."""
    origins = [ready.origin, *filter(None, [ready.vae_origin])]
    trained = ready.size == "full" and all(origin.weights != "random" for origin in origins)
    return trained and bool(ready.case.call.get("prompt")) and clip.cached() is not None


def _clip_score(ready: Ready, pictures: list[Any], name: str, folder: Path) -> dict[str, Any]:
    prompt = ready.case.call["prompt"]
    prompts = [prompt] if isinstance(prompt, str) else prompt
    return {"clip_score": clip.score(pictures, prompts, folder), "clip_model": name}


def _profile(ready: Ready, kind: str, trace: Path | None) -> dict[str, Any]:
    ready.seed()
    return {"device_busy_s": profiled(kind, ready.call, trace)}


def _memory_trace(ready: Ready, path: Path) -> dict[str, Any]:
    ready.seed()
    write_memory_trace(ready.device.type, ready.call, path)
    return {}


def _breakdown(ready: Ready, first_call: FirstCall, device: Device) -> dict[str, Any]:
    ready.seed()
    recorder = Recorder(device)
    with parts.visited(ready.pipeline, recorder.part, first_call.denoisers):
        found = break_down(device, ready.call, recorder)
    by_part = {f"breakdown_{part}_s": found.seconds(part) for part in parts.PARTS}
    return {
        "breakdown_whole_s": found.whole_s,
        **by_part,
        "breakdown_denoiser_call_s": found.typical(parts.DENOISER),
        "breakdown_denoiser_calls_s": _rounded(found.spans.get(parts.DENOISER)),
        "breakdown_rest_s": found.rest_s,
        "breakdown_adds_up": found.adds_up,
    }


def _rounded(seconds: list[float] | None) -> list[float] | None:
    """Return seconds to six significant digits: the clock resolves no more, and the file is smaller."""
    return None if seconds is None else [float(f"{value:.6g}") for value in seconds]


def _work(ready: Ready, first_call: FirstCall, kind: str) -> dict[str, Any]:
    return {
        "operations": operations.count(ready.pipeline, first_call.counted),
        "weight_bytes": sum(_weight_bytes(ready, first_call, path) for path in first_call.denoisers) or None,
        "matrix_types": sorted(_matrix_types(ready.case.dtype, first_call.denoiser_dtype, kind)),
    }


def _weight_bytes(ready: Ready, first_call: FirstCall, path: str) -> int:
    """Return the bytes of a denoiser's weights, times its calls."""
    module = unwrapped(attrgetter(path)(ready.pipeline))
    of_one_call: int = sum(p.numel() * p.element_size() for p in module.parameters())
    return of_one_call * first_call.visits[path].calls


def _matrix_types(dtype: str, output_dtype: str | None, kind: str) -> set[str]:
    """Return the types in which a case may multiply matrices; autocast computes in another than that of the weights."""
    flags = process_flags()
    tf32 = {TF32} if kind == "cuda" and (flags["tf32_matmul"] or flags["tf32_conv"]) else set()
    return {"float32", dtype, output_dtype or dtype} | tf32
