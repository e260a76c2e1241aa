"""A run with one of everything that a report can show, without torch: tests import it as `present.example`."""

import numpy as np
from analyze.make import case, ended, make_run, measured
from PIL import Image

GIB = 2**30
SPLIT = {"text_encoder": 0.01, "denoiser": 0.85, "scheduler": 0.01, "vae": 0.1, "image": 0.01, "rest": 0.02}
CASES = [
    case("baseline", claim={"latency_s": 5.27, "note": "inferred: TF32 on for convolutions"}),
    case("tf32", optimizations=("tf32",), claim={"latency_s": 4.14, "speedup": 1.27}),
    case("fp16", dtype="float16", claim={"latency_s": 3.51, "speedup": 1.5}),
    case("sliced", dtype="float16", optimizations=("vae_slicing",)),
    case("unipc", scheduler="UniPCMultistepScheduler"),
    case("latent", call={"output_type": "latent"}),
    case("huge", call={"height": 4096}),
    case("compiled", optimizations=("compile",)),
    case("flash"),
]


def outcome(name, seconds, gib, **facts):
    """Return a measured case, its call split into parts; samples differ by a little."""
    parts = {f"breakdown_{part}_s": share * seconds for part, share in SPLIT.items()}
    samples = [seconds * (1 + 0.002 * shift) for shift in (-2, -1, 0, 1, 2, 3)]
    known = {"started_at": "2026-05-04T10:00:00Z", "first_call_s": 2 * seconds, "roofline_s": seconds / 3, "steps": 50}
    memory = {"peak_allocated_bytes": gib * GIB, "load_peak_allocated_bytes": gib * GIB / 2}
    return measured(name, samples, **{**known, **parts, **memory, "breakdown_whole_s": seconds, **facts})


def outcomes(**facts):
    """Return how the cases ended; `facts` are of all that were measured."""
    return [
        outcome("baseline", 5.21, 5.1, **facts),
        outcome("tf32", 4.02, 5.1, **facts),
        outcome("fp16", 2.31, 2.7, status="unstable", reason="still changing after 50 samples", **facts),
        outcome("sliced", 2.4, 2.4, **{"remarks": "host-bound:0.6", **facts}),
        outcome("unipc", 1.9, 5.1, **facts),
        outcome("latent", 4.9, 4.8, **facts),
        ended("huge", "oom", "CUDA out of memory"),
        ended("compiled", "failed", "torch.compile did not take effect"),
        ended("flash", "skipped", "flash-attn is not installed"),
    ]


def painting(seed=0, side=96):
    """Return a picture with shapes in it, as an array: it takes few bytes and is no noise."""
    down, across = np.mgrid[0:side, 0:side] / side
    phases = np.random.default_rng(seed).uniform(0, 6, 3)
    layers = [np.sin(6 * down + phase) * np.cos(5 * across + 2 * phase) for phase in phases]
    return np.clip(128 + 110 * np.stack(layers, axis=-1), 0, 255).astype(np.uint8)


def noisy(picture, amplitude):
    noise = np.random.default_rng(1).integers(-amplitude, amplitude + 1, picture.shape)
    return np.clip(picture.astype(int) + noise, 0, 255).astype(np.uint8)


def save(folder, name, picture):
    path = folder / "images" / "sd" / f"{name}-0.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


def example_run(folder, side=96, title="Speed up inference: reduced precision", **facts):
    """Write the run, its pictures too, and return it."""
    run = make_run(folder, CASES, outcomes(**facts), title=title)
    base = painting(side=side)
    shown = {
        "baseline": base,
        "tf32": base,
        "fp16": noisy(base, 3),
        "sliced": noisy(base, 60),
        "unipc": painting(5, side),
    }
    for name, picture in shown.items():
        save(folder, name, picture)
    return run
