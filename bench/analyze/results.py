"""One `CaseResult` per case, always derived from the records of its processes, never stored by the run itself.

A result depends only on the case's own processes and on its baseline's. A `Book` therefore derives just what a new
record changes, and the cost of that does not grow with the run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import TypeVar

from bench import statistics
from bench.analyze.claims import judge_claim
from bench.analyze.run import Run
from bench.analyze.similarity import compare_pictures, expectation
from bench.analyze.speedup import Passes, compare_with_baseline
from bench.plan.case import Case
from bench.records.case_result import CaseResult, Comparison, Statistics
from bench.records.columns import columns, flatten, from_flat
from bench.records.models import Memory, ProcessRecord
from bench.records.outcomes import IntervalKind, Remark, RemarkKind, Status

T = TypeVar("T")

HOST_BOUND = 0.90
"""With a smaller busy share, the device spends at least a tenth of the call waiting for the host."""
UNDISTURBED = 0.95
"""A process on a core of its own has that core for nearly all of the time."""
COMPARABLE_WARMUP = 6
"""Two triples: with fewer warm-up calls, no two medians could have agreed."""


class Book:
    """The results of a run, which may still be growing."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._records: dict[str, list[ProcessRecord]] = {}
        self._passes = Passes()
        self._alone: dict[str, CaseResult] = {}
        self._results: dict[str, CaseResult] = {}
        self._devices = {info.scenario: info.source.get("device") for info in run.plan.scenarios}
        self._dependents: dict[str, list[str]] = {}
        for case in run.plan.cases:
            self._dependents.setdefault(case.baseline or "", []).append(case.key)
        for record in run.processes:
            self.add(record)

    def add(self, record: ProcessRecord) -> None:
        """Take in the record of one more process."""
        self._records.setdefault(record.key, []).append(record)
        self._alone.pop(record.key, None)
        if record.status.measured and self._passes.add(record.key, record.process, _median(record)):
            self._results.clear()  # blocks of every case come from whole passes only
        for key in (record.key, *self._dependents.get(record.key, ())):
            self._results.pop(key, None)

    def result(self, key: str) -> CaseResult:
        """Return the result of a case that has a record, without a look at its pictures."""
        if key not in self._results:
            self._results[key] = self._derive(self._run.cases[key])
        return self._results[key]

    def results(self, *, pictures: bool = True) -> list[CaseResult]:
        """Return one result per case that has a record, in the plan's order; `pictures` compares those too (slow)."""
        found = [self.result(case.key) for case in self._run.plan.cases if case.key in self._records]
        return [self._with_pictures(result) for result in found] if pictures else found

    def _derive(self, case: Case) -> CaseResult:
        own = self._own(case)
        base_case = self._run.cases.get(case.baseline or "")
        base = self._own(base_case) if base_case is not None and base_case.key in self._records else None
        comparison = compare_with_baseline(case, own, base, self._passes)
        result = replace(own, comparison=comparison, similarity=expectation(case, own, base_case))
        claim = judge_claim(case, result, base_case, self._devices[case.scenario])
        return replace(result, claim=claim, remarks=(*own.remarks, *_remarks(result)))

    def _own(self, case: Case) -> CaseResult:
        """Return the result of a case's processes alone, without a baseline."""
        if case.key not in self._alone:
            records, medians = self._records[case.key], self._passes.medians(case.key)
            combined = _combine(records)
            self._alone[case.key] = replace(
                combined,
                versions=self._run.versions,
                statistics=_statistics(combined, records, medians),
                comparison=Comparison(baseline=case.baseline.split("/", 1)[1] if case.baseline else None),
            )
        return self._alone[case.key]

    def _with_pictures(self, result: CaseResult) -> CaseResult:
        case = self._run.cases[result.key]
        base = self._run.cases.get(case.baseline or "")
        similarity, remark = compare_pictures(self._run.folder, case, result, base)
        return replace(result, similarity=similarity, remarks=(*result.remarks, *filter(None, [remark])))


def results(run: Run, *, pictures: bool = True) -> list[CaseResult]:
    """Return one result per case of a run that has a record, in the plan's order; `pictures` compares those too."""
    return Book(run).results(pictures=pictures)


def _median(record: ProcessRecord) -> float:
    return statistics.median([sample.latency_s for sample in record.samples])


def _combine(records: Sequence[ProcessRecord]) -> CaseResult:
    """Return what the last process reported, completed by what only earlier ones did, with the highest peaks.

    Only one of several processes is diagnosed, and one that crashed may not have reported its settings.
    """
    last = records[-1]
    status, reason = _outcome(records)
    return CaseResult(
        scenario=last.scenario,
        case=last.case,
        status=status,
        reason=reason,
        settings=_last_known([record.settings for record in records]),
        effective=_last_known([record.effective for record in records]),
        score=_last_known([record.score for record in records]),
        roofline=_last_known([record.roofline for record in records]),
        breakdown=_last_known([record.breakdown for record in records]),
        telemetry=last.telemetry,
        timings=last.timings,
        memory=_highest([record.memory for record in records if record.status.measured] or [last.memory]),
        undiagnosed=next((record.undiagnosed for record in reversed(records) if record.undiagnosed), None),
        remarks=last.remarks,
    )


def _outcome(records: Sequence[ProcessRecord]) -> tuple[Status, str | None]:
    """Return status and reason of a case: unstable if at least half of its processes were."""
    last, count = records[-1], len(records)
    if count == 1:
        return last.status, last.reason
    if not last.status.measured:
        return last.status, f"in process {count} of {count}: {last.reason}"
    drifted = [record for record in records if record.status == Status.UNSTABLE]
    if 2 * len(drifted) < count:
        return Status.OK, None
    return Status.UNSTABLE, f"{len(drifted)} of {count} processes: {drifted[-1].reason}"


def _last_known(parts: Sequence[T]) -> T:
    """Return one part of several records, each field taken from the last record that knows it."""
    last = parts[-1]
    for earlier in reversed(parts[:-1]):
        unknown = {
            each.name: getattr(earlier, each.name)
            for each in fields(last)  # type: ignore[arg-type]
            if getattr(last, each.name) in (None, ()) and getattr(earlier, each.name) not in (None, ())
        }
        last = replace(last, **unknown) if unknown else last  # type: ignore[type-var]
    return last


def _highest(memories: Sequence[Memory]) -> Memory:
    """Return the highest of each peak."""
    known = [flatten(memory) for memory in memories]
    names = [each.name for each in columns(Memory)]
    return from_flat(
        Memory,
        {name: max((row[name] for row in known if row[name] is not None), default=None) for name in names},
    )


def _statistics(case: CaseResult, records: Sequence[ProcessRecord], medians: Mapping[int, float]) -> Statistics:
    counted = [record for record in records if record.process in medians and record.status.measured] or records
    samples = [sample for record in counted for sample in record.samples]
    latencies = [sample.latency_s for sample in samples]
    if not latencies:
        return Statistics(processes=len(medians))
    images = case.settings.images or 1
    device_times = [sample.device_time_s for sample in samples if sample.device_time_s is not None]
    center, interval, kind = _center(latencies, list(medians.values()) or [statistics.median(latencies)])
    return Statistics(
        processes=len(medians),
        samples=len(latencies),
        latency_median_s=center,
        latency_low_s=interval.low if interval else None,
        latency_high_s=interval.high if interval else None,
        interval=kind if interval else None,
        process_medians_s=dict(sorted(medians.items())) or None,
        latency_min_s=min(latencies),
        latency_max_s=max(latencies),
        device_time_median_s=statistics.median(device_times) if device_times else None,
        seconds_per_image=center / images,
        images_per_second=images / center,
        roofline_fraction=_share(case.roofline.roofline_s, center),
        device_busy_share=_share(case.roofline.device_busy_s, center),
    )


def _share(seconds: float | None, latency: float) -> float | None:
    return None if seconds is None else seconds / latency


def _center(latencies: list[float], medians: list[float]) -> tuple[float, statistics.Interval | None, IntervalKind]:
    """Return the central latency, its interval if the data supports one, and what that interval covers."""
    if len(medians) == 1:
        return medians[0], statistics.median_interval(latencies), IntervalKind.WITHIN
    center, interval = statistics.geometric_mean_interval(medians)
    return center, interval, IntervalKind.BETWEEN


def _remarks(result: CaseResult) -> list[Remark]:
    """Return what a reader of the figures would easily overlook."""
    busy, own = result.statistics.device_busy_share, result.telemetry.own_cpu_share
    calls = result.timings.warmup_calls or 0
    remarks = []
    if busy is not None and busy < HOST_BOUND:
        remarks.append(Remark(RemarkKind.HOST_BOUND, busy))
    if own is not None and own < UNDISTURBED:
        remarks.append(Remark(RemarkKind.DISTURBED, 1 - own))
    if result.timings.warm is False:
        late = calls >= COMPARABLE_WARMUP
        remarks.append(Remark(RemarkKind.NEVER_WARM) if late else Remark(RemarkKind.WARMUP_CUT_SHORT, calls))
    return remarks
