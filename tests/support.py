"""What tests import: a small scenario, and the command line as a person would run it."""

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


def bench(*arguments, cwd, **options):
    """Run `python -m bench` as a person would and return the finished process."""
    return subprocess.run(
        [sys.executable, "-m", "bench", *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, timeout=600, check=False, **options,
    )  # fmt: skip
