"""After the samples: where a call's time goes, how far it is from what the device can do, whether the device waits.

None of it is part of the measurement: its calls are counted nowhere and memory's peak was told before.
"""

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.measure.breakdown import Recorder, break_down
from bench.measure.device import Device
from bench.measure.profile import profiled
from bench.measure.roofline import measure_rates
from bench.pipelines import clip, operations, parts
from bench.pipelines.build import Ready
from bench.pipelines.effective import denoiser, process_flags, unwrapped
from bench.pipelines.first_call import FirstCall
from bench.plan.settings import RunSettings


def facts(
    ready: Ready, seen: FirstCall, device: Device, settings: RunSettings, trace: Path | None
) -> Iterator[dict[str, Any]]:
    """Yield the columns of `schema.SPLIT`, `LIMIT` and `SCORE`, each diagnosis' as soon as it is made.

    A diagnosis that cannot be made of a pipeline takes nothing from its measurement: `undiagnosed` says why.

    Args:
        ready: the measured pipeline.
        seen: its first call, whose shapes are counted and whose pictures are scored.
        device: its clock.
        settings: of the run.
        trace: where to write a profiler's trace; None profiles on a CUDA device only.
    """
    if settings.diagnose is False:
        return
    diagnoses: dict[str, Callable[[], dict[str, Any]]] = {}
    if ready.size == "full" or settings.diagnose:  # of a toy it says nothing, and would take longer than its samples
        diagnoses["split"] = lambda: _split(ready, device)
        diagnoses["limit"] = lambda: _limit(ready, seen, device, settings.device)
    if trace is not None or settings.device == "cuda":
        diagnoses["profile"] = lambda: _profile(ready, settings.device, trace)
    judge = clip.cached() if seen.pictures else None
    if judge is not None:
        diagnoses["CLIP score"] = lambda: _clip_score(ready, seen.pictures, *judge)
    missing = []
    for name, diagnose in diagnoses.items():
        try:
            yield diagnose()
        except Exception as error:  # noqa: BLE001 - any pipeline, any library; the row and the log say what
            traceback.print_exc()
            missing.append(f"{name}: {type(error).__name__}: {' '.join(str(error).split())}")
    yield {"undiagnosed": "; ".join(missing) or None}


def scored(ready: Ready) -> bool:
    """Say whether the pictures will be scored: from weights that were trained, and with a CLIP model in the cache."""
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


def _split(ready: Ready, device: Device) -> dict[str, Any]:
    """Make one more call and return the columns of where its time goes."""
    ready.seed()
    recorder = Recorder(device)
    with parts.visited(ready.pipeline, recorder.part):
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


def _limit(ready: Ready, seen: FirstCall, device: Device, kind: str) -> dict[str, Any]:
    """Count the operations of a call, measure the device's rates, and return the least seconds for that work."""
    counted = operations.count(ready.pipeline, seen.visits)
    flags = process_flags()
    dtypes = {"float32", ready.case.dtype, seen.denoiser_dtype or ready.case.dtype}  # autocast computes in another
    rates = measure_rates(device, kind, dtypes, tf32=flags["tf32_matmul"] or flags["tf32_conv"])
    weights = sum(p.numel() * p.element_size() for p in unwrapped(denoiser(ready.pipeline)).parameters())
    return {
        "operations": counted,
        "matrix_flops": rates.matrix_flops,
        "copy_bytes_per_s": rates.copy_bytes,
        "roofline_s": rates.seconds(counted, weights * seen.denoiser_calls),
    }
