"""What tests import: a small scenario, the command line as a person would run it, and what to assert about it."""

import csv
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

SCENARIO = """\
title: "Speed up inference: reduced precision"
source: {document: "diffusers docs, optimization/fp16", device: "NVIDIA A100"}
model: stable-diffusion-v1-5
scheduler: DDIMScheduler
call: {prompt: "a photo of an astronaut riding a horse on mars", num_inference_steps: 5, height: 512, width: 512}
baseline: baseline
cases:
  baseline: {claim: {latency_s: 5.27}}
  tf32: {optimizations: [tf32], claim: {latency_s: 4.14, speedup: 1.27}}
  batch: {call: {num_images_per_prompt: 2}, seed: [0, 1]}
"""


def environment(**variables):
    """Return an environment in which `bench` is that of this checkout, whatever is installed."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, **variables}


def bench(*arguments, cwd, env=None):
    """Run `python -m bench` as a person would and return the finished process."""
    return subprocess.run(
        [sys.executable, "-m", "bench", *map(str, arguments)],
        cwd=cwd, env=env or environment(), capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def assert_refused(process, *words):
    """Assert that a command exits with 2 and says all these words on standard error, without a traceback."""
    missing = [word for word in words if word not in process.stderr]
    assert process.returncode == 2, process.stderr
    assert "Traceback" not in process.stderr
    assert not missing, f"{missing} not in: {process.stderr}"


def assert_ended(process, code):
    """Assert that a command exits with this code."""
    assert process.returncode == code, process.stdout + process.stderr


def rows(path):
    """Return the rows of a CSV file as dicts of text."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
