#!/usr/bin/env python3
"""Time the bookkeeping and the commands that read results, on made-up runs of up to 2,000 cases x 50 samples.

    make scale                         # everything, a few minutes
    python tools/scale.py --repeat 5   # medians of five

This is a benchmark, not a test: it prints what each thing took beside the target and judges nothing. Figures are of
whole commands, imports included, except for the bookkeeping after one process.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench.plan.case import Case, Plan, ScenarioInfo  # noqa: E402 - from this checkout, installed or not
from bench.plan.settings import RunSettings  # noqa: E402
from bench.records.columns import from_flat  # noqa: E402
from bench.records.models import ProcessRecord, Sample  # noqa: E402
from bench.records.store import Store  # noqa: E402

CASES, SAMPLES = 2_000, 50
ENVIRONMENT = {
    "device": "cuda",
    "device_name": "Made-up GPU",
    "torch": "2.13.0",
    "diffusers": "0.42.1",
    "diffusion_bench": "0.2.0",
    "variables": {},
    "rates": {"matrix_flops": {"float32": 3e12}, "copy_bytes_per_s": 1e12},
}


@dataclass(frozen=True)
class Figure:
    """One thing that was timed."""

    what: str
    target_s: float
    seconds: list[float]
    note: str = ""

    def __str__(self) -> str:
        unit = f"{median(self.seconds) * 1e3:9.1f} ms" if self.target_s < 0.1 else f"{median(self.seconds):9.2f} s "  # noqa: PLR2004
        target = f"{self.target_s * 1e3:g} ms" if self.target_s < 0.1 else f"{self.target_s:g} s"  # noqa: PLR2004
        return f"{self.what:58}{unit}  target < {target:7} {self.note}"


def main() -> None:
    """Time everything and print a line as soon as each figure is known."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3, help="runs of each command; the median is printed (default 3)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="diffusion-bench-scale-") as folder:
        for figure in figures(Path(folder), asked.repeat):
            print(figure, flush=True)


def figures(folder: Path, repeat: int) -> Iterator[Figure]:
    """Yield each figure as soon as it is known; `folder` takes the made-up runs."""
    yield Figure("--help", 0.25, command(repeat, "--help"))
    yield Figure("list sd15-precision", 0.7, command(repeat, "list", "sd15-precision"))
    for size in (200, 4_000):
        yield Figure(f"bookkeeping after one process, {size} on file", 0.02, bookkeeping(folder / f"grow-{size}", size))
    large, other = make_run(folder / "large", CASES, seed=0), make_run(folder / "other", CASES, seed=1)
    small = make_run(folder / "small", 100, seed=0)
    shape = f"{CASES:,} cases x {SAMPLES}"
    yield Figure(f"tables, {shape}", 3, command(repeat, "tables", large))
    yield Figure(f"compare, two runs of {shape}", 4, command(repeat, "compare", large, other))
    page = folder / "report.html"
    yield Figure("report of 100 cases", 5, command(repeat, "report", small, "--output", page), size_of(page))
    yield Figure(f"report of {shape}", 20, command(1, "report", large, "--output", page), size_of(page) + " (< 5 MB)")


def size_of(path: Path) -> str:
    """Return a file's size in MB."""
    return f"{path.stat().st_size / 1e6:.1f} MB"


def command(repeat: int, *words: object) -> list[float]:
    """Return how long a command of the harness takes, each time in seconds."""
    line = [sys.executable, "-m", "bench", *map(str, words)]
    return [timed(lambda: subprocess.run(line, cwd=ROOT, check=True, capture_output=True)) for _ in range(repeat)]


def timed(call: Callable[[], object]) -> float:
    """Return how long a call takes, in seconds."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def bookkeeping(folder: Path, size: int) -> list[float]:
    """Return how long a run takes to keep the record of each of 20 more processes, when `size` are on file already."""
    plan = made_up_plan(size + 20)
    store, rng = Store(folder), random.Random(0)  # noqa: S311
    kept = store.open({**plan.to_json(), "run": RunSettings("cuda", "full").to_json()}, ENVIRONMENT, resume=False)

    def keep(record: ProcessRecord) -> None:  # as `session.live.LiveRun.measure` does
        store.append(record)
        kept.append(record)

    records = [made_up_record(case, rng) for case in plan.cases]
    try:
        return [timed(lambda record=record: keep(record)) for record in records][size:]
    finally:
        store.close()


def make_run(folder: Path, cases: int, seed: int) -> Path:
    """Write the folder of a made-up run with one process per case, and return it."""
    plan, rng, store = made_up_plan(cases), random.Random(seed), Store(folder)  # noqa: S311
    store.open({**plan.to_json(), "run": RunSettings("cuda", "full").to_json()}, ENVIRONMENT, resume=False)
    try:
        for case in plan.cases:
            store.append(made_up_record(case, rng))
    finally:
        store.close()
    return folder


def made_up_plan(cases: int) -> Plan:
    """Return a plan of one scenario whose first case is everybody's baseline."""
    made = [
        Case("sweep", f"case-{index:04}", "stable-diffusion-v1-5", baseline="sweep/case-0000", call=CALL)
        for index in range(cases)
    ]
    return Plan((ScenarioInfo("sweep", "A made-up sweep"),), tuple(made))


CALL = {"prompt": "a fox", "num_inference_steps": 50, "height": 512, "width": 512}


def made_up_record(case: Case, rng: random.Random) -> ProcessRecord:
    """Return a record with noisy samples around a random latency."""
    center = rng.uniform(0.5, 5)
    values = {
        "scenario": case.scenario, "case": case.name, "process": 0, "status": "ok", "model": case.model, "size": "full",
        "weights": "random", "dtype": case.dtype, "steps": 50, "height": 512, "width": 512, "images": 1,
        "output_type": "pil", "call": CALL, "seed": (0,), "device": "cuda", "started_by": "fork", "denoiser_calls": 50,
        "denoiser_parameters": 859_520_964, "first_call_s": center * 2, "warmup_calls": 6, "warm": True, "build_s": 4.0,
        "peak_allocated_bytes": rng.uniform(3e9, 9e9), "started_at": "2026-01-01T00:00:00+00:00", "wall_s": 60.0,
        "breakdown_whole_s": center, "breakdown_denoiser_s": center * 0.9, "breakdown_vae_s": center * 0.1,
        "breakdown_text_encoder_s": 0.0, "breakdown_scheduler_s": 0.0, "breakdown_image_s": 0.0,
        "operations": center * 1e12, "matrix_types": ("float32",),
    }  # fmt: skip
    samples = tuple(Sample(center * rng.gauss(1, 0.004), center) for _ in range(SAMPLES))
    return from_flat(ProcessRecord, values, samples=samples)


if __name__ == "__main__":
    main()
