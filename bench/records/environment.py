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

from bench.records.cards import SELECTING
from bench.records.columns import Positive
from bench.version import PACKAGE, __version__

VARIABLES = (
    *SELECTING,
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
CARD, CARD_UUID, CARD_COUNT = "card", "card_uuid", "card_count"
"""Facts that say which card it was: its number as nvidia-smi counts, its UUID, and how many cards the machine has."""
EARLIER_CARDS = "earlier_cards"
"""The fact that lists the UUIDs of identical cards on which a run was measured before it was continued on another."""
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


def continued(before: Mapping[str, Any], now: Mapping[str, Any], *, measured: bool) -> dict[str, Any]:
    """Return the facts of a run that is continued: those on file, but those of the card that is used now.

    Args:
        before: on file.
        now: of this machine.
        measured: whether anything was measured on the earlier card.
    """
    if not changes_card(before, now):
        return {**now, **before}
    used = {name: now[name] for name in (CARD, CARD_UUID, CARD_COUNT, "variables") if name in now}
    earlier = {EARLIER_CARDS: [*earlier_cards(before), before[CARD_UUID]]} if measured else {}
    return {**now, **before, **used, **earlier}


def earlier_cards(environment: Mapping[str, Any]) -> list[str]:
    """Return the UUIDs of the cards on which a run was measured before it was continued on another."""
    found = environment.get(EARLIER_CARDS)
    return [str(uuid) for uuid in found] if isinstance(found, list) else []


def changes_card(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Return whether two environments name different cards."""
    uuids = before.get(CARD_UUID), now.get(CARD_UUID)
    return None not in uuids and uuids[0] != uuids[1]


def same_variables(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Return whether the recorded variables of two environments are equal, but for which devices they select.

    Those do not count where the device itself is known: the CPU, or a card with its UUID.
    """
    first, second = before.get("variables"), now.get("variables")
    if not isinstance(first, Mapping) or not isinstance(second, Mapping):
        return first == second
    known = all(facts.get("device") == "cpu" or facts.get(CARD_UUID) is not None for facts in (before, now))
    ignored = SELECTING if known else ()
    names = {*first, *second}.difference(ignored)
    return all(first.get(name) == second.get(name) for name in names)


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
