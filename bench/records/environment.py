"""What a run was measured on: enough to explain a difference a year later, and nothing private.

Only the facts named here are recorded, never a token, a host name, or all environment variables.
"""

import os
import platform
import re
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.records.columns import Positive
from bench.version import PACKAGE, __version__

VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "CUDA_LAUNCH_BLOCKING",
    "PYTORCH_ALLOC_CONF",
    "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_ENABLE_MPS_FALLBACK",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "NVIDIA_TF32_OVERRIDE",
    "CUBLAS_WORKSPACE_CONFIG",
    "TORCHINDUCTOR_CACHE_DIR",
    "TORCHDYNAMO_DISABLE",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "HF_HUB_OFFLINE",
)
"""Environment variables that change what is measured. Those that are set are recorded."""

RATES = "rates"
"""The fact that holds the `Rates` of the device, where a run has measured them."""
FORECAST = "forecast"
"""The fact that holds how far off the forecast of a run was, as `Forecasted`."""


@dataclass(frozen=True)
class Rates:
    """What a device can do at best, measured once per run; operations per second by type, bytes read and written."""

    matrix_flops: Mapping[str, Positive]
    copy_bytes_per_s: Positive


@dataclass(frozen=True)
class Span:
    """Seconds that something takes: at best, most likely, at worst."""

    low_s: float = 0.0
    likely_s: float = 0.0
    high_s: float = 0.0

    def __add__(self, other: "Span") -> "Span":
        return Span(self.low_s + other.low_s, self.likely_s + other.likely_s, self.high_s + other.high_s)

    def times(self, factor: float) -> "Span":
        return Span(self.low_s * factor, self.likely_s * factor, self.high_s * factor)


@dataclass(frozen=True)
class Forecasted:
    """The forecast of the processes that were measured, beside what they took."""

    processes: int
    span: Span
    took_s: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def describe(libraries: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of this host, updated with those that only torch knows.

    Args:
        libraries: what a worker process reported: the device, its name and driver, the versions of the libraries.
    """
    return {
        "diffusion_bench": __version__,
        "git_commit": git_commit(),
        "python": platform.python_version(),
        "os": f"{platform.system()} {_release_number()}",
        "cpu": cpu_name(),
        "cpu_cores": psutil.cpu_count(logical=False),
        "cpu_threads": psutil.cpu_count(),
        "cpu_threads_usable": _usable_cores(),
        "memory_bytes": psutil.virtual_memory().total,
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        **libraries,
    }


def git_commit() -> str | None:
    """Return the commit of the checkout that this package runs from, with `-dirty` if it was changed; else None."""
    checkout = PACKAGE.parent
    if not (checkout / ".git").exists():  # installed, perhaps inside someone else's repository
        return None
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=checkout, capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return described.stdout.strip() or None


def cpu_name() -> str:
    """Return the name of the processor, as the system reports it."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _release_number() -> str:
    """Return the kernel's number without what follows it, which may name the build of one virtual machine."""
    found = re.match(r"[\d.]*\d", platform.release())
    return found.group() if found else ""


def _usable_cores() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
