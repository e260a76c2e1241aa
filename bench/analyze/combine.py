"""What the processes of one case come to together.

Each figure is combined by its meaning (`records.columns.Over`): the price of compiling is what the process with a cold
cache paid, the load on the machine is what the most disturbed process met. The last process is not representative: it
finds the compile cache warm, and the machine may have become quiet.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from statistics import fmean
from typing import Any, TypeVar

from bench.records.case_result import CaseResult
from bench.records.columns import OVER, Over
from bench.records.models import ProcessRecord
from bench.records.outcomes import Remark, RemarkKind, Status

T = TypeVar("T")

UNDISTURBED = 0.95
"""A process on a core of its own has that core for nearly all of the time."""
SHARED_CORE = 0.80
"""With its core for less of the time, a latency shows the operating system's scheduler more than the pipeline."""
SHORTEST_S = 1.0
"""Less time of samples is too few slices of the scheduler for a share of it to mean anything."""
BUSY = 0.25
"""Share of the machine's cores from which other processes count as a disturbance: they share caches and memory."""
HOT = 0.05
"""Share of the samples' time at lowered clocks for heat from which a latency shows the cooling, too."""
CAPPED = 0.5
"""A data-center card often touches its power limit; one that is there half of the time is as fast as that limit."""
COMPARABLE_WARMUP = 6
"""Two triples: with fewer warm-up calls, no two medians could have agreed."""

_COMBINED: Mapping[Over, Callable[[list[Any]], Any]] = {
    Over.KNOWN: lambda values: values[-1],
    Over.FIRST: lambda values: values[0],
    Over.HIGHEST: max,
    Over.LOWEST: min,
    Over.ALL: all,
    Over.TOTAL: sum,
    Over.MEAN: fmean,
    Over.UNION: lambda values: tuple(dict.fromkeys(name for names in values for name in names)),
}


def combine(records: Sequence[ProcessRecord], cores: int | None) -> CaseResult:
    """Return what the processes of a case reported, without statistics over their samples.

    Args:
        records: of the case, in the order in which they ended. One that crashed may know nothing, and only one is
            diagnosed, so settings and diagnosis come from all of them; the rest from those that were measured, if any.
        cores: of the machine, as the operating system counts them; None if unknown.
    """
    records = _finished(records)
    last, counted = records[-1], measured(records)
    cold = next((record for record in counted if record.timings.compile_cache == "cold"), counted[0])
    status, reason = _outcome(records)
    return CaseResult(
        scenario=last.scenario,
        case=last.case,
        status=status,
        reason=reason,
        settings=_merged([record.settings for record in records]),
        effective=_merged([record.effective for record in records]),
        score=_merged([record.score for record in records]),
        work=_merged([record.work for record in records]),
        breakdown=_merged([record.breakdown for record in records]),
        telemetry=_merged([record.telemetry for record in counted]),
        timings=_merged([record.timings for record in counted], cold.timings),
        memory=_merged([record.memory for record in counted]),
        undiagnosed=next((record.undiagnosed for record in reversed(records) if record.undiagnosed), None),
        remarks=(*dict.fromkeys(remark for record in counted for remark in record.remarks), *_remarks(counted, cores)),
    )


def _finished(records: Sequence[ProcessRecord]) -> Sequence[ProcessRecord]:
    """Return the records without those that were stopped on request: the others stay what they are."""
    return [record for record in records if record.status is not Status.INTERRUPTED] or records


def measured(records: Sequence[ProcessRecord]) -> list[ProcessRecord]:
    """Return the processes that were measured, the first pass first; of a case that has none, the last one."""
    found = [record for record in records if record.status.measured]
    return sorted(found, key=lambda record: record.process) or [records[-1]]


def disturbed(record: ProcessRecord, cores: int | None) -> bool:
    """Say whether a process did not have a core of its own, or shared the machine with much other work."""
    return _without_core(record, UNDISTURBED) or _on_busy_machine(record, cores)


def _without_core(record: ProcessRecord, share: float) -> bool:
    """Say whether a process had its core for less than this share of the time; beside a GPU it waits on purpose."""
    own = record.telemetry.own_cpu_share
    return own is not None and own < share and record.settings.device in {None, "cpu"}


def _on_busy_machine(record: ProcessRecord, cores: int | None) -> bool:
    busy = record.telemetry.others_busy_cores
    return busy is not None and cores is not None and busy >= BUSY * cores


def _outcome(records: Sequence[ProcessRecord]) -> tuple[Status, str | None]:
    """Return status and reason of a case: unstable if at least half of its processes were, or lacked their core."""
    last, count = records[-1], len(records)
    if not last.status.measured:
        return last.status, last.reason if count == 1 else f"in process {count} of {count}: {last.reason}"
    reasons = [reason for record in records if (reason := _instability(record)) is not None]
    if 2 * len(reasons) < count:
        return Status.OK, None if count > 1 else last.reason
    return Status.UNSTABLE, reasons[-1] if count == 1 else f"{len(reasons)} of {count} processes: {reasons[-1]}"


def _instability(record: ProcessRecord) -> str | None:
    """Return why the samples of a process cannot be relied on; tiny models are exempt, as they are from drift."""
    if record.status is Status.UNSTABLE:
        return record.reason or ""
    long = sum(sample.latency_s for sample in record.samples) >= SHORTEST_S
    if long and record.settings.size != "tiny" and _without_core(record, SHARED_CORE):
        return f"it had its core for only {record.telemetry.own_cpu_share:.0%} of the time"
    return None


def _merged(parts: Sequence[T], cold: T | None = None) -> T:
    """Return one part of several records, each field combined by its rule; `cold` is the part of the cold process."""
    if len(parts) == 1:
        return parts[0]
    values = {each.name: _value(each, parts, cold) for each in fields(parts[-1])}  # type: ignore[arg-type]
    return replace(parts[-1], **values)  # type: ignore[type-var]


def _value(field: Any, parts: Sequence[Any], cold: Any) -> Any:
    values = [getattr(part, field.name) for part in parts]
    if OVER not in field.metadata:
        return _merged(values)
    over = field.metadata[OVER]
    if over is Over.COLD:
        return getattr(cold, field.name)
    known = [value for value in values if value not in (None, ())]
    return _COMBINED[over](known) if known else values[-1]


def _share(record: ProcessRecord, *counters: str) -> float:
    """Return the share of the samples' time that these counters of the card have counted together, at most 1."""
    counted = sum(getattr(record.telemetry, counter) or 0.0 for counter in counters)
    seconds = sum(sample.latency_s for sample in record.samples)
    return min(1.0, counted / seconds) if seconds else 0.0


def _remarks(records: Sequence[ProcessRecord], cores: int | None) -> list[Remark]:
    """Return what a reader of the figures would easily overlook, with the number of processes that it is true of."""

    def remark(kind: RemarkKind, found: Sequence[ProcessRecord], value: float | None) -> list[Remark]:
        share = f"{len(found)} of {len(records)}" if len(records) > 1 else ""
        return [Remark(kind, value, share)] if found else []

    shared = [record for record in records if _without_core(record, UNDISTURBED)]
    busy = [record for record in records if _on_busy_machine(record, cores)]
    shares: dict[RemarkKind, tuple[Callable[[ProcessRecord], float], float]] = {
        RemarkKind.SHARED_DEVICE: (lambda record: record.telemetry.other_processes or 0, 1),
        RemarkKind.THERMAL_SLOWDOWN: (lambda record: _share(record, "sw_thermal_s", "hw_thermal_s"), HOT),
        RemarkKind.POWER_CAP: (lambda record: _share(record, "sw_power_cap_s"), CAPPED),
    }
    on_card = []
    for kind, (value, least) in shares.items():
        found = [record for record in records if value(record) >= least]
        on_card += remark(kind, found, max(map(value, found), default=0))
    rejecting = [record for record in records if record.telemetry.rejected_samples]
    cold = [record for record in records if record.timings.warm is False]
    calls = min((record.timings.warmup_calls or 0 for record in cold), default=0)
    late = calls >= COMPARABLE_WARMUP
    full = [record for record in records if record.settings.size != "tiny" and record.status.measured]
    few = [record for record in full if record.timings.steady is None]
    return [
        *remark(RemarkKind.DISTURBED, shared, max((1 - (r.telemetry.own_cpu_share or 0) for r in shared), default=0)),
        *remark(RemarkKind.BUSY_MACHINE, busy, max((r.telemetry.others_busy_cores or 0 for r in busy), default=0)),
        *on_card,
        *remark(RemarkKind.REJECTED, rejecting, sum(r.telemetry.rejected_samples or 0 for r in rejecting)),
        *remark(RemarkKind.NEVER_WARM if late else RemarkKind.WARMUP_CUT_SHORT, cold, None if late else calls),
        *remark(RemarkKind.STEADINESS_UNKNOWN, few, None),
    ]
