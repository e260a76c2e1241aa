"""NVIDIA's management library (nvidia-ml-py): what it says about cards, without a CUDA context.

Drivers, cards and containers support different parts of it. What one does not support is None, never zero.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MPS = "nvidia-cuda-mps"
"""How the programs of NVIDIA's Multi-Process Service begin: NVML lists their server, which is nobody's computation."""


def open_nvml() -> Any:
    """Return the initialized library; None without NVIDIA's driver, or where nvidia-ml-py is not installed."""
    try:
        import pynvml
    except ImportError:  # the other interpreter of a paired gate need not have it
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml


@contextmanager
def opened() -> Iterator[Any]:
    """Open the library for a while, as `open_nvml` does."""
    nvml = open_nvml()
    try:
        yield nvml
    finally:
        if nvml is not None:
            nvml.nvmlShutdown()


def read(nvml: Any, function: str, *arguments: Any) -> Any:
    """Query the driver; None if this card, driver or container does not support it."""
    try:
        return getattr(nvml, function)(*arguments)
    except (nvml.NVMLError, AttributeError):
        return None


def text(value: str | bytes | None) -> str | None:
    """Return a text of the driver; older versions of nvidia-ml-py return bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def computing(nvml: Any, handle: Any) -> list[Any] | None:
    """Return the processes that compute on a card, or on a slice of one, without the server of MPS; None if unknown."""
    running = read(nvml, "nvmlDeviceGetComputeRunningProcesses", handle)
    return None if running is None else [process for process in running if not _is_mps(nvml, process.pid)]


def _is_mps(nvml: Any, pid: int) -> bool:
    name = text(read(nvml, "nvmlSystemGetProcessName", pid)) or ""
    return name.rpartition("/")[2].startswith(MPS)
