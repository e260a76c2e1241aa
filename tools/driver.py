"""NVIDIA's driver and cards, without torch, nvidia-ml-py, or anything else that would have to be installed."""

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

PROC = Path("/proc/driver/nvidia/version")
"""Where the kernel's module says which version it is. Under WSL the driver is that of Windows and there is no file."""
WSL_FOLDER = "/usr/lib/wsl/lib"
"""Where WSL puts nvidia-smi, which is on PATH only in a login shell."""
TIMEOUT_S = 20.0
"""nvidia-smi takes seconds on a machine with many cards and no persistence daemon, and hangs on one that fell off."""
VERSION = r"\d{3,}(?:\.\d+){1,2}"


@cache
def driver_version() -> str | None:
    """Return the version of the driver that is loaded, such as 550.54.15; None if there is none that answers."""
    return _of_kernel() or next(iter(_ask("driver_version", VERSION)), None)


@cache
def oldest_capability() -> tuple[int, ...] | None:
    """Return the compute capability of the oldest card that matters; None if unknown.

    No wheel of a recent torch runs on cards before Volta, so beside another, as a display's card is, these do not.
    """
    if driver_version() is None:
        return None
    found = [tuple(map(int, line.split("."))) for line in _ask("compute_cap", r"\d+\.\d")]
    return min((each for each in found if each >= (7, 0)), default=max(found, default=None))


def _of_kernel() -> str | None:
    """Return the version in `NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 ...`."""
    try:
        line = PROC.read_text(errors="replace").partition("\n")[0]
    except OSError:
        return None
    found = re.search(rf"\s({VERSION})(\s|$)", line)
    return found and found[1]


def _ask(field: str, pattern: str) -> list[str]:
    """Return what nvidia-smi knows of each card; nothing where it prints an error, of which some contain a version."""
    program = shutil.which("nvidia-smi") or shutil.which("nvidia-smi", path=WSL_FOLDER)
    if program is None:
        return []
    command = [program, f"--query-gpu={field}", "--format=csv,noheader"]
    try:
        asked = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except OSError:  # it is for another system
        return []
    try:
        printed, _ = asked.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        print(f"setup: nvidia-smi did not answer within {TIMEOUT_S:.0f} s; going on without ...", file=sys.stderr)
        asked.kill()  # not waited for: while it waits for a dead card, it cannot be killed
        return []
    lines = [line.strip() for line in printed.splitlines()]
    return [line for line in lines if re.fullmatch(pattern, line)] if asked.returncode == 0 else []
