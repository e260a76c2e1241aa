"""Peak memory between two moments. On an accelerator: tensors and the caching allocator; on the host: resident size.

What cannot be read is None, never zero. The peak is reset after loading, so that a generation's peak has the weights in
it but not what loading them took for a moment. Of the resident size the pages of programs and libraries are left out:
a forked child maps them in anew, four times as many of them as a toy pipeline takes.
"""

import re
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

_STATUS = Path("/proc/self/status")
_MAPS = Path("/proc/self/smaps")
_MAPPING = re.compile(rb"[0-9a-f]+-[0-9a-f]+ (?P<permissions>\S+) \S+ \S+ \d+ *(?P<path>.*)")
_INTERESTING = re.compile(rb"^(?:Rss:|Anonymous:|[0-9a-f]+-[0-9a-f]+ ).*", re.MULTILINE)
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK_RSS = "5"
"""proc(5): writing 5 to clear_refs resets VmHWM to the current resident size."""


@dataclass(frozen=True)
class Peak:
    """Bytes at their highest since the last reset."""

    allocated_bytes: int | None = None
    reserved_bytes: int | None = None
    rss_growth_bytes: int | None = None


class Memory(Protocol):
    """A counter of peaks."""

    def release(self) -> None:
        """Give back what the allocator holds without needing it; never between timed calls."""

    def reset(self) -> None:
        """Forget the peak so far."""

    def peak(self) -> Peak:
        """Return the peak since the last reset."""

    def reserved_bytes(self) -> int | None:
        """Return what the allocator holds now; None where there is no such allocator."""

    def device_used_bytes(self) -> int | None:
        """Return what the whole card has in use, by everybody; None where that cannot be read."""


class HostMemory:
    """The resident size of this process, as its growth since the counter was made.

    A forked child begins with its parent's resident size, so the size itself would say little. Where the kernel cannot
    reset the peak, the growth of the process's all-time peak is reported; where it does not tell what is mapped, the
    pages of code are in it.
    """

    def __init__(self) -> None:
        self.reset()
        self._begin = _peak_rss()
        self._code = _code_rss()

    def release(self) -> None:
        """Do nothing: the host's allocator gives back by itself."""

    def reset(self) -> None:
        """Reset the kernel's high-water mark of the resident size, where it lets us."""
        try:
            _CLEAR.write_text(_RESET_PEAK_RSS, encoding="ascii")
        except OSError:
            return  # no such file outside Linux: the peak then covers the whole process

    def peak(self) -> Peak:
        """Return the growth of the peak resident size less that of code; never below zero: pages may be given back.

        No kernel keeps a high-water mark without code. That of now is as good: pages of code come and stay.
        """
        growth = _peak_rss() - self._begin  # first, for reading the maps takes memory itself
        return Peak(rss_growth_bytes=max(0, growth - (_code_rss() - self._code)))

    def reserved_bytes(self) -> None:
        """Return None: the host has no caching allocator."""

    def device_used_bytes(self) -> None:
        """Return None: there is no card."""


class AcceleratorMemory:
    """torch's own counters of one accelerator."""

    def __init__(self, device: Any) -> None:
        self._device = device
        self._counts = _has_counters(device)

    def release(self) -> None:
        """Empty the caching allocator: what drawing or loading weights left there is no part of a generation."""
        import torch

        if self._counts:
            torch.accelerator.empty_cache()

    def reset(self) -> None:
        """Reset the allocator's peaks."""
        import torch

        if self._counts:
            torch.accelerator.reset_peak_memory_stats(self._device)

    def peak(self) -> Peak:
        """Return the peak of tensor bytes and of the caching allocator's bytes."""
        import torch

        if not self._counts:
            return Peak()
        return Peak(
            allocated_bytes=torch.accelerator.max_memory_allocated(self._device),
            reserved_bytes=torch.accelerator.max_memory_reserved(self._device),
        )

    def reserved_bytes(self) -> int | None:
        """Return what the caching allocator holds now."""
        import torch

        return int(torch.accelerator.memory_reserved(self._device)) if self._counts else None

    def device_used_bytes(self) -> int | None:
        """Return total less free memory of a CUDA or ROCm card; None elsewhere."""
        import torch

        if self._device.type != "cuda":
            return None
        free, total = torch.cuda.mem_get_info(self._device)
        return int(total - free)


def open_memory(kind: str) -> Memory:
    """Return the memory counters of a torch device type."""
    import torch

    return HostMemory() if kind == "cpu" else AcceleratorMemory(torch.device(kind))


def _has_counters(device: Any) -> bool:
    """Ask once whether this backend's allocator counts (MPS has none of torch.accelerator's counters in 2.9)."""
    import torch

    try:
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
    """Return the resident bytes of mapped programs and libraries, without what was written to; 0 where nothing tells.

    Not the whole of RssFile (proc(5)): weights that safetensors maps and a CPU computes from are pages of a file, too.
    What tells them apart is that some part of a library's file can be executed.
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
