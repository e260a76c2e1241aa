"""What a run found, in a few lines: the fastest cases, the verdicts on documented figures, and what needs care."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench.analyze.recommend import ONE_PROCESS
from bench.analyze.similarity import another_image, differs
from bench.records.case_result import CaseResult
from bench.records.outcomes import Remark, RemarkKind, Status, Tiny

Detail = Remark | str
"""What a warning says: a remark, or the reason why a case ended as it did."""


@dataclass(frozen=True)
class Warnings:
    """Remarks of one kind, or cases that ended the same way; `details` maps what is said to the keys of its cases."""

    kind: RemarkKind | Status
    details: dict[Detail, list[str]]

    @property
    def cases(self) -> int:
        """How many cases have one."""
        return len({key for keys in self.details.values() for key in keys})


class NoGain(StrEnum):
    """Why no case is named as faster."""

    NOTHING_COMPARED = "nothing-compared"  # no two cases have a figure, a baseline and another
    NONE_FASTER = "none-faster"  # than its baseline
    NOT_SHOWN = "not-shown"  # within the margin or the interval, another picture, or a case that is not ok


def fastest(results: Sequence[CaseResult]) -> list[CaseResult]:
    """Return each scenario's greatest speed-ups, where there is a gain: of the same image, and of another by design.

    A case whose picture differs although no setting explains it is left out, because that is not a speed-up.
    """
    by_key = {result.key: result for result in results}
    best: dict[tuple[str, bool], CaseResult] = {}
    for result in results:
        place = (result.scenario, another_image(result))
        baseline = by_key.get(f"{result.scenario}/{result.comparison.baseline}")
        if _gains(result, baseline) and (place not in best or _speedup(result) >= _speedup(best[place])):
            best[place] = result
    scenarios = dict.fromkeys(result.scenario for result in results)
    return [best[place] for name in scenarios for place in ((name, False), (name, True)) if place in best]


def no_gain(results: Sequence[CaseResult]) -> NoGain:
    """Return why `fastest` is empty."""
    speedups = [_speedup(result) for result in results if _compared(result)]
    if not speedups:
        return NoGain.NOTHING_COMPARED
    return NoGain.NONE_FASTER if max(speedups) <= 1 else NoGain.NOT_SHOWN


def statuses(results: Sequence[CaseResult]) -> dict[Status, int]:
    """Return the number of cases with each status, in the order of `Status`."""
    ended = [result.status for result in results]
    return {status: ended.count(status) for status in Status if status in ended}


def warnings(results: Sequence[CaseResult]) -> list[Warnings]:
    """Return what to know about the cases: why they have no figures, and what is odd about those they have."""
    found: dict[RemarkKind | Status, dict[Detail, list[str]]] = {}
    for result in results:
        for kind, detail in _details(result):
            found.setdefault(kind, {}).setdefault(detail, []).append(result.key)
    return [Warnings(kind, details) for kind, details in found.items()]


def _details(result: CaseResult) -> Iterator[tuple[RemarkKind | Status, Detail]]:
    if result.status not in {Status.OK, Status.DIFFERS}:  # by which metric it differs is a remark
        yield result.status, result.reason or ""
    for remark in result.remarks:
        yield remark.kind, remark


def _compared(result: CaseResult) -> bool:
    return result.comparison.speedup is not None and not result.is_baseline


def _gains(result: CaseResult, baseline: CaseResult | None) -> bool:
    """Say whether a case is faster by more than chance: by its interval, or without one by a margin.

    An unstable case shows no gain, and neither does any beside an unstable baseline, which would make it look fast.
    """
    unstable = any(each is not None and each.status != Status.OK for each in (result, baseline))
    if unstable or not _compared(result) or differs(result.similarity):
        return False
    low = result.comparison.speedup_low
    return _speedup(result) > 1 + ONE_PROCESS if low is None else low > 1


def _speedup(result: CaseResult) -> float:
    return result.comparison.speedup or 0.0


def tiny_among(results: Iterable[CaseResult]) -> Tiny:
    """Return how many results are of tiny models; cases without figures count only where no case has any."""
    sized = [result for result in results if result.settings.size is not None]
    return Tiny.among(result.tiny for result in [each for each in sized if each.status.measured] or sized)
