#!/usr/bin/env python3
"""What a table costs besides its calls: `make cost`.

Runs two tiny tables for real and divides the wall time by the calls that were asked for (first calls, warm-ups and
samples): six cases of 50 DDIM steps and 10 samples (target: at most 1.3 times the calls, plus 4 s of imports), and 20
processes of 3 samples (target: at most 2.5 times).
"""

import csv
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import perf_counter

IMPORTS_S = 4.0

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
    for name, text, target in (("six-cases", SIX, "<= 1.3"), ("twenty-processes", TWENTY, "<= 2.5")):
        wall_s, calls_s = run(name, text)
        print(
            f"{name}: {wall_s:.1f} s of wall time for {calls_s:.1f} s of calls: {wall_s / calls_s:.2f} times;", end=" "
        )
        print(f"without {IMPORTS_S:.0f} s of imports {(wall_s - IMPORTS_S) / calls_s:.2f} (target {target})")


def run(name: str, text: str) -> tuple[float, float]:
    """Run a scenario in a folder of its own; return its wall time and that of its calls, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / f"{name}.yaml"
        scenario.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "bench", "run", str(scenario), "--device", "cpu", "--output", f"{folder}/run"]
        start = perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return perf_counter() - start, calls(Path(folder) / "run")


def calls(folder: Path) -> float:
    """Return the seconds of all calls of a run: first calls, samples, and warm-ups at the mean of the samples."""
    processes, samples = (list(csv.DictReader((folder / name).open())) for name in ("processes.csv", "samples.csv"))
    sums, counts = Counter[str](), Counter[str]()
    for row in samples:
        sums[row["case"]] += float(row["latency_s"])  # type: ignore[assignment]  # Counter adds floats just as well
        counts[row["case"]] += 1
    warmups = sum(int(row["warmup_calls"]) * sums[row["case"]] / counts[row["case"]] for row in processes)
    return sum(float(row["first_call_s"]) for row in processes) + warmups + sum(sums.values())


if __name__ == "__main__":
    main()
