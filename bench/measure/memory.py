"""Peak memory between two moments. On an accelerator: tensors and the caching allocator; on the host: resident size.

What cannot be read is None, never zero. The peak is reset after loading, so that the peak of a generation includes the
weights but not what loading them took temporarily. The resident size excludes the code of programs and libraries: a
forked child maps it anew, and that can be four times the size of a tiny pipeline.
"""

import re
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STATUS = Path("/proc/self/status")
_MAPS = Path("/proc/self/smaps")
_MAPPING = re.compile(rb"[0-9a-f]+-[0-9a-f]+ (?P<permissions>\S+) \S+ \S+ \d+ *(?P<path>.*)")
_INTERESTING = re.compile(rb"^(?:Rss:|Anonymous:|[0-9a-f]+-[0-9a-f]+ ).*", re.MULTILINE)
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK_RSS = "5"
"""proc(5): writing 5 to clear_refs resets VmHWM to the current resident size."""


@dataclass(frozen=True)
class Peak:
    """The largest number of bytes since the last reset; None is unknown."""

    allocated_bytes: int | None = None
    reserved_bytes: int | None = None
    rss_growth_bytes: int | None = None


class Memory:
    """A counter of peaks. By itself it counts nothing; the host and accelerators override what they can read."""

    def release(self) -> None:
        """Return memory that the allocator holds but does not need; never between timed calls."""

    def reset(self) -> None:
        """Forget the peak so far."""

    def peak(self) -> Peak:
        """Return the peak since the last reset."""
        return Peak()

    def reserved_bytes(self) -> int | None:
        """Return what the caching allocator holds now; None if there is none."""
        return None

    def device_used_bytes(self) -> int | None:
        """Return what all programs together use of the whole card; None if that cannot be read."""
        return None


class HostMemory(Memory):
    """The growth of this process's resident size since the counter was made.

    A forked child begins with its parent's resident size, so the size itself would say little. If the kernel cannot
    reset the peak, the growth of the all-time peak is reported; if it does not show what is mapped, code is included.
    """

    def __init__(self) -> None:
        self.reset()
        self._begin = _peak_rss()
        self._code = _code_rss()

    def reset(self) -> None:
        try:
            _CLEAR.write_text(_RESET_PEAK_RSS, encoding="ascii")
        except OSError:
            return  # no such file outside Linux: the peak then covers the whole process

    def peak(self) -> Peak:
        """Return the growth of the peak, without code; never below zero, because pages may be given back.

        No kernel keeps a peak without code. Subtracting today's code is as good, because code stays resident.
        """
        growth = _peak_rss() - self._begin  # first, because reading the maps takes memory itself
        return Peak(rss_growth_bytes=max(0, growth - (_code_rss() - self._code)))


class AcceleratorMemory(Memory):
    """torch's own counters for one accelerator."""

    def __init__(self, device: Any) -> None:
        import torch

        self._device = device
        self._counters: Any = torch.accelerator if _has_counters(device) else None

    def release(self) -> None:
        """Empty the caching allocator: what loading left there is not part of a generation."""
        if self._counters:
            self._counters.empty_cache()

    def reset(self) -> None:
        if self._counters:
            self._counters.reset_peak_memory_stats(self._device)

    def peak(self) -> Peak:
        if not self._counters:
            return Peak()
        counters, device = self._counters, self._device
        return Peak(counters.max_memory_allocated(device), counters.max_memory_reserved(device))

    def reserved_bytes(self) -> int | None:
        return int(self._counters.memory_reserved(self._device)) if self._counters else None

    def device_used_bytes(self) -> int | None:
        """Return total minus free memory of a CUDA or ROCm card; None for any other."""
        import torch

        if self._device.type != "cuda":
            return None
        free, total = torch.cuda.mem_get_info(self._device)
        return int(total - free)


def open_memory(kind: str) -> Memory:
    import torch

    return HostMemory() if kind == "cpu" else AcceleratorMemory(torch.device(kind))


def _has_counters(device: Any) -> bool:
    """Try it once: not every backend's allocator counts (in torch 2.9, MPS has none of these counters)."""
    import torch

    try:
        torch.empty(1, device=device)  # without an allocator there is nothing to ask, and so no error
        torch.accelerator.reset_peak_memory_stats(device)
        torch.accelerator.max_memory_allocated(device)
    except (RuntimeError, NotImplementedError, AttributeError):
        return False
    return True


def _peak_rss() -> int:
    """Return the peak resident size of this process in bytes."""
    if _STATUS.exists() and (found := re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text(encoding="ascii"))):
        return int(found[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _code_rss() -> int:
    """Return the resident bytes of mapped programs and libraries, except pages written to; 0 if unknown.

    This is not RssFile of proc(5), which also counts weights that safetensors maps and a CPU computes from. A library
    differs from such a file in that some part of it is executable.
    """
    resident: dict[bytes, int] = {}
    code: set[bytes] = set()
    path = b""
    try:
        for line in _INTERESTING.findall(_MAPS.read_bytes()):
            if line.startswith((b"Rss:", b"Anonymous:")):
                kib = int(line.split()[1])
                resident[path] = resident.get(path, 0) + (kib if line.startswith(b"Rss:") else -kib) * 1024
            elif mapped := _MAPPING.match(line):
                path = mapped["path"]
                code |= {path} if b"x" in mapped["permissions"] else set()
    except OSError:
        return 0
    return sum(resident.get(path, 0) for path in code if path.startswith(b"/"))
