#!/usr/bin/env python3
"""Compare the harness's timed region with a bare loop around the same pipeline call: `make overhead`.

Whatever the harness adds to a call (events, a context, its own function calls) would be in every figure that it prints.
Blocks of four calls are timed in the order ABBA, so that drift affects both sides alike; a block's ratio is that of its
two sums. The result, `ratio 1.000 [low, high]`, is the median block with its 95 % interval, which a few disturbed
blocks do not move. The target is within 0.5 % of 1 on the tiny pipeline.

Calls are short, and there are as many blocks as fit into three minutes. What the harness adds does not depend on the
length of a call, so it shows most in a short one, and a disturbance affects one short block instead of a long one. On a
noisy machine, 120 blocks of 50 steps gave an interval of +-2 %, and 600 blocks of 10 steps one of +-0.7 %.
"""

import argparse
import json
import os
from pathlib import Path
from time import perf_counter

from bench.measure.clock import no_garbage_collection, timed
from bench.measure.device import Device, open_device
from bench.pipelines import tiny
from bench.pipelines.build import Ready, build
from bench.plan.case import Case
from bench.plan.settings import RunSettings
from bench.statistics import median, median_interval

WARMUP_CALLS = 10
LONG_ENOUGH_S = 180.0
CASE = Case("overhead", "tiny", "stable-diffusion-v1-5", call={"prompt": "a cat", "num_inference_steps": 10})


def main() -> None:
    """Measure and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--blocks", type=int, help="of four calls; by default, as many as fit into three minutes")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    ready = prepare(arguments.device)
    device = open_device(arguments.device)
    for _ in range(WARMUP_CALLS):
        bare(ready, device)
    with no_garbage_collection():
        ratios = block_ratios(ready, device, arguments.blocks)
    interval = median_interval(ratios)
    if arguments.json is not None:
        bounds_of = {"low": interval.low, "high": interval.high} if interval else {"low": None, "high": None}
        figures = {"ratio": median(ratios), **bounds_of, "blocks": len(ratios)}
        arguments.json.write_text(json.dumps(figures), encoding="utf-8")
    bounds = f"[{interval.low:.4f}, {interval.high:.4f}]" if interval else "(too few blocks for an interval)"
    print(f"ratio {median(ratios):.4f} {bounds}  harness / bare loop, the median of {len(ratios)} ABBA blocks")


def prepare(device: str) -> Ready:
    """Build the tiny pipeline, on one pinned core if the system allows it."""
    import torch

    if device == "cpu":
        torch.set_num_threads(1)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    case, size = tiny.resolve(CASE, "tiny")
    return build(case, size, RunSettings(device, "tiny"))


def block_ratios(ready: Ready, device: Device, blocks: int | None) -> list[float]:
    """Time a number of blocks, every other one in reverse; None times as many as fit into three minutes."""
    ratios: list[float] = []
    end = perf_counter() + LONG_ENOUGH_S
    while (len(ratios) < blocks) if blocks else (perf_counter() < end):
        ratios.append(block_ratio(ready, device, turned=len(ratios) % 2 == 1))
    return ratios


def block_ratio(ready: Ready, device: Device, *, turned: bool) -> float:
    """Time two calls of each, the same one first and last, and return the ratio harness / bare."""
    first, second = (bare, harness) if turned else (harness, bare)
    sums = {bare: 0.0, harness: 0.0}
    for measure in (first, second, second, first):
        sums[measure] += measure(ready, device)
    return sums[harness] / sums[bare]


def harness(ready: Ready, device: Device) -> float:
    """Time one call as the harness does; return seconds."""
    ready.seed()
    timing, _ = timed(device, ready.call)
    return timing.latency_s


def bare(ready: Ready, device: Device) -> float:
    """Time one call in the plainest way; return seconds."""
    ready.seed()
    arguments = ready.arguments()
    device.synchronize()
    start = perf_counter()
    ready.pipeline(**arguments)
    device.synchronize()
    return perf_counter() - start


if __name__ == "__main__":
    main()
