"""Which memory peak represents a case."""

from bench.records.case_result import CaseResult

MEMORY_KINDS = {
    "reserved_bytes": "reserved on the device",
    "allocated_bytes": "allocated on the device",
    "rss_growth_bytes": "growth of the resident size",
}
"""Kinds of memory peak in order of preference: what must fit, what tensors take, what a host sees."""


def peak_bytes(result: CaseResult) -> float | None:
    """Return the peak of a generation: tensors on an accelerator, growth of the process on a host; None if unknown."""
    peaks = result.memory.generation
    return peaks.allocated_bytes if peaks.allocated_bytes is not None else peaks.rss_growth_bytes


def highest_peak(result: CaseResult) -> tuple[float | None, str]:
    """Return the highest memory peak of a case in bytes over all phases, and its kind (a key of `MEMORY_KINDS`)."""
    phases = (result.memory.load, result.memory.first_call, result.memory.generation)
    for kind in MEMORY_KINDS:
        if getattr(result.memory.generation, kind) is not None:
            return max(value for phase in phases if (value := getattr(phase, kind)) is not None), kind
    return None, ""
