#!/usr/bin/env python3
"""Measure what a table costs besides its calls: `make cost`.

Runs two tiny tables and divides their wall time, imports included, by the time of their calls (first calls, warm-up and
samples): six cases of 50 DDIM steps with 10 samples, where the target is at most 1.15, and 20 processes of 3 samples,
where it is at most 2.5.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import fmean
from time import perf_counter

from bench.analyze.run import open_run

SIX = """\
title: six cases
model: stable-diffusion-v1-5
scheduler: DDIMScheduler
samples: 10
matrix: {num_inference_steps: [250], seed: [0, 1, 2, 3, 4, 5]}
call: {prompt: a cat}
"""
TWENTY = """\
title: twenty processes
model: stable-diffusion-v1-5
scheduler: DDIMScheduler
samples: 3
matrix: {num_inference_steps: [250], seed: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]}
call: {prompt: a cat}
"""


def main() -> None:
    """Run both tables and print what they cost."""
    for name, text, target in (("six-cases", SIX, 1.15), ("twenty-processes", TWENTY, 2.5)):
        wall_s, calls_s = run(name, text)
        ratio = f"{wall_s / calls_s:.2f} (target: at most {target})"
        print(f"{name}: {wall_s:.1f} s of wall time / {calls_s:.1f} s of calls = {ratio}")


def run(name: str, text: str) -> tuple[float, float]:
    """Run a scenario; return its wall time and that of its calls, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / f"{name}.yaml"
        scenario.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "bench", "run", str(scenario), "--device", "cpu", "--output", f"{folder}/run"]
        start = perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return perf_counter() - start, calls(Path(folder) / "run")


def calls(folder: Path) -> float:
    """Return the seconds of all calls of a run; a call of warm-up counts as much as the mean sample."""
    total = 0.0
    for process in open_run(folder).processes:
        latencies = [sample.latency_s for sample in process.samples]
        warmup_s = (process.timings.warmup_calls or 0) * fmean(latencies)
        total += (process.timings.first_call_s or 0.0) + warmup_s + sum(latencies)
    return total


if __name__ == "__main__":
    main()
