"""How fast this device can be at best: its own rates of matrix products and copies, measured in the same process.

A rate is the best of a few timed repetitions after an untimed one, because a roofline is what the device can do, not
what it does on average.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.measure.clock import timed
from bench.measure.device import Device

REPETITIONS = 5
CPU_MATRIX_SIDE, ACCELERATOR_MATRIX_SIDE = 512, 8192
"""Rows and columns: large enough for a product to be bound by arithmetic, small enough to take milliseconds."""
CPU_COPIED_BYTES, ACCELERATOR_COPIED_BYTES = 32 * 1024**2, 1024**3


@dataclass(frozen=True)
class Rates:
    """Operations per second of matrix products (a multiply-add is two), bytes read and written per second of copies."""

    matrix_flops: float
    copy_bytes: float

    def seconds(self, operations: float, bytes_moved: float) -> float:
        """Return the least time for this work: the roofline of Williams et al. (2009, doi:10.1145/1498765.1498785)."""
        return max(operations / self.matrix_flops, bytes_moved / self.copy_bytes)


def measure_rates(device: Device, kind: str, dtypes: set[str], *, tf32: bool) -> Rates:
    """Measure the rates of a device: copies, and matrix products in the fastest of some dtypes.

    Args:
        device: its clock.
        kind: torch device type.
        dtypes: in which the measured kernels may compute.
        tf32: whether some of them may use TF32, in matrix products or convolutions.
    """
    import torch

    size = CPU_COPIED_BYTES if kind == "cpu" else ACCELERATOR_COPIED_BYTES
    allowed = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = tf32
    try:
        with torch.no_grad():
            matrix = max(_matrix_rate(device, kind, dtype) for dtype in dtypes)
            source, target = (torch.ones(size, dtype=torch.uint8, device=kind) for _ in range(2))
            copy_s = shortest_s(device, lambda: target.copy_(source))
    finally:
        torch.backends.cuda.matmul.allow_tf32 = allowed
    return Rates(matrix_flops=matrix, copy_bytes=2 * size / copy_s)


def _matrix_rate(device: Device, kind: str, dtype: str) -> float:
    """Return the operations per second of a square matrix product."""
    import torch

    side = CPU_MATRIX_SIDE if kind == "cpu" else ACCELERATOR_MATRIX_SIDE
    left, right = (torch.randn(side, side, device=kind).to(getattr(torch, dtype)) for _ in range(2))
    return 2 * side**3 / shortest_s(device, lambda: left @ right)


def shortest_s(device: Device, call: Callable[[], Any]) -> float:
    """Return the shortest of a few calls after an untimed one, in seconds."""
    timed(device, call)
    return min(timed(device, call)[0].own_clock_s for _ in range(REPETITIONS))
