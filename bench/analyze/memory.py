"""Which of its memory peaks stands for a case, and the peaks of two sides beside each other.

The allocator's counter is exact: a process that does the same has the same peak. The resident size of a process is
not; in the published run it differs by 2 to 5 % between processes of one case. A maximum over processes grows with
their number, so two sides are never compared by their maxima.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench import statistics, units
from bench.records.case_result import CaseResult
from bench.records.models import ProcessRecord
from bench.records.outcomes import PeakKind

MEMORY_KINDS = {
    "reserved_bytes": "reserved on the device",
    "allocated_bytes": "allocated on the device",
    "rss_growth_bytes": "growth of the resident size",
}
"""Kinds of memory peak in order of preference: what must fit, what tensors take, what a host sees."""

SLACK_BYTES, SLACK = 16 * units.MIB, 0.005
"""Allocators round and libraries keep workspaces, so a difference up to the larger of the two does not count."""

FEWEST_NOISY = 4
"""Per side. That all peaks of one side lie above all of the other's happens by chance in one of 20 comparisons with
three processes per side, and in one of 70 with four (1 / binomial(8, 4))."""


def peak_bytes(result: CaseResult) -> float | None:
    """Return the peak of a generation: tensors on an accelerator, growth of the process on a host; None if unknown."""
    peaks = result.memory.generation
    return peaks.allocated_bytes if peaks.allocated_bytes is not None else peaks.rss_growth_bytes


def slack_bytes(peak: float) -> float:
    """Return the difference from a peak of this many bytes that does not count."""
    return max(SLACK_BYTES, SLACK * peak)


def process_peaks(records: Sequence[ProcessRecord]) -> tuple[dict[int, float] | None, PeakKind | None]:
    """Return the peak of a generation in every process that knows it, and what it is of; None where none does."""
    for kind in PeakKind:
        found = {each.process: getattr(each.memory.generation, kind) for each in records}
        known = {process: peak for process, peak in sorted(found.items()) if peak is not None}
        if known:
            return known, kind
    return None, None


@dataclass(frozen=True)
class PeakPair:
    """The peaks of a generation in the processes of two sides, all of one kind; a side without any is unknown."""

    kind: PeakKind
    base: tuple[float, ...]
    new: tuple[float, ...]

    @classmethod
    def of(cls, base: CaseResult | None, new: CaseResult | None) -> "PeakPair":
        """Return the peaks of tensors, or of resident growth if neither side counts tensors."""
        sides = [side.statistics for side in (base, new) if side is not None]
        counted = any(side.process_peaks_kind is PeakKind.ALLOCATED for side in sides)
        kind = PeakKind.ALLOCATED if counted else PeakKind.RSS_GROWTH
        return cls(kind, _peaks(base, kind), _peaks(new, kind))

    @property
    def medians_bytes(self) -> tuple[float | None, float | None]:
        """The median peak of each side; None if it is unknown."""
        base, new = (statistics.median(side) if side else None for side in (self.base, self.new))
        return base, new

    @property
    def gap_bytes(self) -> float:
        """By how much every new peak exceeds every base peak; negative if they overlap. Both sides must be known."""
        return min(self.new) - max(self.base)

    @property
    def fewest(self) -> int:
        """The number of processes on the side that has fewer."""
        return min(len(self.base), len(self.new))

    @property
    def may_be_noise(self) -> bool:
        """Whether equal sides of noisy peaks would differ like this in more than 2.5 % of comparisons."""
        overlap = self.gap_bytes <= 0 and min(self.base) <= max(self.new)
        return self.kind is PeakKind.RSS_GROWTH and (overlap or self.fewest < FEWEST_NOISY)


def _peaks(side: CaseResult | None, kind: PeakKind) -> tuple[float, ...]:
    if side is None or side.statistics.process_peaks_kind is not kind:
        return ()
    return tuple((side.statistics.process_peaks_bytes or {}).values())


def highest_peak(result: CaseResult) -> tuple[float | None, str]:
    """Return the highest memory peak of a case in bytes over all phases, and its kind (a key of `MEMORY_KINDS`)."""
    phases = (result.memory.load, result.memory.first_call, result.memory.generation)
    for kind in MEMORY_KINDS:
        if getattr(result.memory.generation, kind) is not None:
            return max(value for phase in phases if (value := getattr(phase, kind)) is not None), kind
    return None, ""
