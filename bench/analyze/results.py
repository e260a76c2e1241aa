"""One `CaseResult` per case, always derived from the records of its processes, never stored by the run itself.

A result depends only on the case's own processes and on its baseline's. A `Book` therefore derives just what a new
record changes, and the cost of that does not grow with the run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bench import statistics
from bench.analyze.claims import judge_claim
from bench.analyze.combine import combine, disturbed, measured
from bench.analyze.memory import process_peaks
from bench.analyze.roofline import roofline
from bench.analyze.run import Run
from bench.analyze.similarity import broken, compare_pictures, expectation
from bench.analyze.speedup import Passes, compare_with_baseline
from bench.plan.case import Case
from bench.records.case_result import CaseResult, Comparison, Statistics
from bench.records.environment import CARD_UUID, earlier_cards
from bench.records.models import ProcessRecord
from bench.records.outcomes import IntervalKind, Remark, RemarkKind, Status

HOST_BOUND = 0.90
"""With a smaller share of busy time, the device spends a tenth of the call or more waiting for the host."""


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
        return replace(result, claim=claim)

    def _own(self, case: Case) -> CaseResult:
        """Return the result of a case's processes alone, without a baseline."""
        if case.key not in self._alone:
            records, medians = self._records[case.key], self._passes.medians(case.key)
            combined = combine(records, self._run.cores)
            figures = _statistics(combined, records, medians, self._run.cores)
            alone = replace(
                combined,
                versions=self._run.versions,
                statistics=figures,
                comparison=Comparison(baseline=case.baseline.split("/", 1)[1] if case.baseline else None),
            )
            found = roofline(alone, records, self._run.rates)
            remarks = (*_host_bound(found.device_busy_share), *combined.remarks, *self._cards(alone))
            self._alone[case.key] = replace(alone, roofline=found, remarks=remarks)
        return self._alone[case.key]

    def _cards(self, case: CaseResult) -> list[Remark]:
        """Return the remark that a run was measured on several cards; which of them is not known of a process."""
        environment = self._run.environment
        cards = {*earlier_cards(environment), str(environment.get(CARD_UUID))}
        return [Remark(RemarkKind.SEVERAL_CARDS, len(cards))] if case.measured and len(cards) > 1 else []

    def _with_pictures(self, result: CaseResult) -> CaseResult:
        case = self._run.cases[result.key]
        base = self._run.cases.get(case.baseline or "")
        similarity, remarks = compare_pictures(self._run.folder, case, result, base)
        differs = result.status is Status.OK and broken(case, base, similarity)
        status = Status.DIFFERS if differs else result.status
        return replace(result, status=status, similarity=similarity, remarks=(*result.remarks, *remarks))


def results(run: Run, *, pictures: bool = True) -> list[CaseResult]:
    """Return one result per case of a run that has a record, in the plan's order; `pictures` compares those too."""
    return Book(run).results(pictures=pictures)


def _median(record: ProcessRecord) -> float:
    return statistics.median([sample.latency_s for sample in record.samples])


def _host_bound(busy: float | None) -> list[Remark]:
    return [Remark(RemarkKind.HOST_BOUND, busy)] if busy is not None and busy < HOST_BOUND else []


def _statistics(
    case: CaseResult, records: Sequence[ProcessRecord], medians: Mapping[int, float], cores: int | None
) -> Statistics:
    counted = measured(records)
    latencies = [sample.latency_s for record in counted for sample in record.samples]
    if not latencies:
        return Statistics(processes=len(medians))
    images = case.settings.images or 1
    peaks, peaks_kind = process_peaks(counted)
    center, interval, kind = _center(latencies, list(medians.values()) or [statistics.median(latencies)])
    warm = [record.timings.warm for record in counted if record.timings.warm is not None]
    return Statistics(
        processes=len(medians),
        warm_processes=sum(warm) if warm else None,
        disturbed_processes=sum(disturbed(record, cores) for record in counted),
        samples=len(latencies),
        latency_median_s=center,
        latency_low_s=interval.low if interval else None,
        latency_high_s=interval.high if interval else None,
        interval=kind if interval else None,
        process_medians_s=dict(sorted(medians.items())) or None,
        process_peaks_bytes=peaks,
        process_peaks_kind=peaks_kind,
        latency_min_s=min(latencies),
        latency_max_s=max(latencies),
        device_time_median_s=_device_time(counted),
        seconds_per_image=center / images,
        seconds_per_frame=center / images / case.settings.frames if case.settings.frames else None,
        images_per_second=images / center,
    )


def _device_time(records: Sequence[ProcessRecord]) -> float | None:
    """Return the geometric mean of the processes' medians, as for the latency; None if one has no device times."""
    times = [[sample.device_time_s for sample in record.samples] for record in records]
    known = [[each for each in found if each is not None] for found in times]
    return statistics.geometric_mean_interval(list(map(statistics.median, known)))[0] if all(known) else None


def _center(latencies: list[float], medians: list[float]) -> tuple[float, statistics.Interval | None, IntervalKind]:
    """Return the central latency, its interval if the data supports one, and what that interval covers."""
    if len(medians) == 1:
        return medians[0], statistics.median_interval(latencies), IntervalKind.WITHIN
    center, interval = statistics.geometric_mean_interval(medians)
    return center, interval, IntervalKind.BETWEEN
