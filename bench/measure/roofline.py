"""How fast this device is at best: its rates of matrix products and of copies, measured in a process of their own.

A rate belongs to a device and a type of numbers, not to a case: it is the best of as many repetitions as fit into a
second, after an untimed one, because a roofline is what the device can do, not what it does on average.
"""

from collections.abc import Callable, Iterable
from typing import Any

from bench.measure.clock import timed
from bench.measure.device import Device

AT_LEAST_S = 1.0
"""A shared core is slow for tens of milliseconds at a time; within a second it is also fast."""
CPU_MATRIX_SIDE, ACCELERATOR_MATRIX_SIDE = 512, 8192
"""Rows and columns: large enough for a product to be bound by arithmetic, small enough to take milliseconds."""
CPU_COPIED_BYTES, ACCELERATOR_COPIED_BYTES = 32 * 1024**2, 512 * 1024**2
"""Several times what a cache holds."""
TF32 = "tf32"
"""Products of float32 matrices in TF32; as `float32` they are computed in float32."""


def measure_rates(device: Device, kind: str, types: Iterable[str]) -> dict[str, Any]:
    """Measure the rates of a device, as `records.environment.Rates` describes them.

    Args:
        device: its clock.
        kind: torch device type.
        types: in which matrix products are computed: dtypes, or `TF32`.
    """
    import torch

    size = CPU_COPIED_BYTES if kind == "cpu" else ACCELERATOR_COPIED_BYTES
    with torch.no_grad():
        flops = {each: _matrix_rate(device, kind, each) for each in types}
        source, target = (torch.ones(size, dtype=torch.uint8, device=kind) for _ in range(2))
        copy_s = shortest_s(device, lambda: target.copy_(source))
    return {"matrix_flops": flops, "copy_bytes_per_s": 2 * size / copy_s}


def _matrix_rate(device: Device, kind: str, of: str) -> float:
    """Return the operations per second of a square matrix product; a multiply-add is two."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = of == TF32
    side = CPU_MATRIX_SIDE if kind == "cpu" else ACCELERATOR_MATRIX_SIDE
    dtype = torch.float32 if of == TF32 else getattr(torch, of)
    left, right = (torch.randn(side, side, device=kind).to(dtype) for _ in range(2))
    return 2 * side**3 / shortest_s(device, lambda: left @ right)


def shortest_s(device: Device, call: Callable[[], Any]) -> float:
    """Return the shortest of the calls that fit into a second, after an untimed one, in seconds."""
    timed(device, call)
    shortest, spent = float("inf"), 0.0
    while spent < AT_LEAST_S:
        seconds = timed(device, call)[0].own_clock_s
        shortest, spent = min(shortest, seconds), spent + seconds
    return shortest
