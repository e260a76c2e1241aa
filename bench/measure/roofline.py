"""How fast this device can be at best: its own rate of matrix products and of copies, measured in the same process.

Both are the best of a few timed repetitions after one that is not timed: a limit is what the device can do, not what it
does on the mean.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.measure.clock import timed
from bench.measure.device import Device

REPETITIONS = 5
MATRIX_SIDE = {"cpu": 512}
"""Rows and columns: large enough that a product is bound by arithmetic, small enough to take some milliseconds."""
ACCELERATORS_SIDE = 8192
COPIED_BYTES = {"cpu": 32 * 1024**2}
ACCELERATORS_COPIED_BYTES = 1024**3


@dataclass(frozen=True)
class Rates:
    """Operations a second of a matrix product (a multiply-add is two), bytes a second of a copy (read and written)."""

    matrix_flops: float
    copy_bytes: float

    def seconds(self, operations: float, bytes_moved: float) -> float:
        """Return the least seconds in which a device of these rates computes and moves so much (a roofline)."""
        return max(operations / self.matrix_flops, bytes_moved / self.copy_bytes)


def measure_rates(device: Device, kind: str, dtypes: set[str], *, tf32: bool) -> Rates:
    """Measure the rates of a torch device type: of its copies, and of matrix products in the fastest of some dtypes.

    Args:
        device: its clock.
        kind: torch device type.
        dtypes: that the measured kernels may compute in.
        tf32: whether some of them may use TF32, matrix products or convolutions.
    """
    import torch

    size = COPIED_BYTES.get(kind, ACCELERATORS_COPIED_BYTES)
    allowed = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = tf32
    try:
        with torch.no_grad():
            matrix = max(_matrix_rate(device, kind, dtype) for dtype in dtypes)
            source, target = (torch.ones(size, dtype=torch.uint8, device=kind) for _ in range(2))
            copy_s = best(device, lambda: target.copy_(source))
    finally:
        torch.backends.cuda.matmul.allow_tf32 = allowed
    return Rates(matrix_flops=matrix, copy_bytes=2 * size / copy_s)


def _matrix_rate(device: Device, kind: str, dtype: str) -> float:
    """Return the operations a second of a square matrix product in one dtype."""
    import torch

    side = MATRIX_SIDE.get(kind, ACCELERATORS_SIDE)
    left, right = (torch.randn(side, side, device=kind).to(getattr(torch, dtype)) for _ in range(2))
    return 2 * side**3 / best(device, lambda: left @ right)


def best(device: Device, call: Callable[[], Any]) -> float:
    """Return the shortest seconds of a few calls after one that is not timed."""
    timed(device, call)
    timings = [timed(device, call)[0] for _ in range(REPETITIONS)]
    return min(t.latency_s if t.device_time_s is None else t.device_time_s for t in timings)
