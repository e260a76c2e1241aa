"""Every sentence about a comparison, a gate or a recommendation, worded once; `words` has those about one result."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench import units
from bench.analyze.baselines import NO_BASELINE, Saved
from bench.analyze.candidates import Candidate, ExclusionKind, ExclusionReason
from bench.analyze.comparison import (
    BLOCKS,
    EXTENDED,
    ComparisonVerdict,
    Difference,
    EnvironmentDifference,
    Pair,
    expected_by_chance,
)
from bench.analyze.gate import GateVerdict, Judged, Reason
from bench.analyze.memory import slack_bytes
from bench.present import words
from bench.present.grid import Tone
from bench.records.case_result import CaseResult
from bench.records.outcomes import Status
from bench.statistics import MIN_PROCESSES
from bench.units import listed

NO_INTERVAL = f"No interval: it takes {MIN_PROCESSES} processes per side; measure with --processes 4."
INTERVALS = "change: the change in latency (+ is slower); in brackets, its 95 % interval in percent, over processes."
TIMES = (
    "The runs were made at different times, so drift of the machine in between is part of the change but not of its "
    "interval. To rule it out, measure both sides together: gate --base-python A --head-python B."
)
SIDE_BY_SIDE = (
    f"Both sides were measured in alternating fresh processes, in an order that reverses from block to block ({BLOCKS} "
    f"blocks, {EXTENDED} if those are not enough), so this gate can be trusted for latency."
)
STORED = (
    "Stored results were measured at different times, so this gate is meant for trends, memory and status. To gate "
    "latency, use --base-python A --head-python B, which measures both sides together."
)

COMPARED_TONES = {ComparisonVerdict.SLOWER: Tone.BAD, ComparisonVerdict.FASTER: Tone.GOOD}

GATE_TONES = {
    GateVerdict.PASSED: Tone.GOOD,
    GateVerdict.REGRESSED: Tone.BAD,
    GateVerdict.INCONCLUSIVE: Tone.OPEN,
    GateVerdict.NOT_COMPARABLE: Tone.OPEN,
}


def spelled(verdict: ComparisonVerdict | GateVerdict) -> str:
    """Return a verdict as it is printed; its code is the same with dashes."""
    return verdict.replace("-", " ")


def difference(found: Difference) -> str:
    """Return what differs, and how."""
    return f"{found.field}: {_value(found.base)} -> {_value(found.new)}"


def environment(found: EnvironmentDifference) -> str:
    """Return a fact that differs between machines, with its values in the order of the sides."""
    sides = (", ".join(value or "(none)" for value in side) for side in found.values)
    return f"{found.field}: {' -> '.join(sides)}"


def compared(pair: Pair) -> str:
    """Return what a pair shows."""
    if pair.verdict is ComparisonVerdict.NOT_MEASURED:
        return _statuses(pair)
    sides = {"base": pair.base, "new": pair.new}
    unstable = [name for name, side in sides.items() if side is not None and side.status is Status.UNSTABLE]
    return spelled(pair.verdict) + (f" ({' and '.join(unstable)} unstable)" if unstable else "")


def change(pair: Pair) -> str:
    """Return how much slower (+) or faster (-) the new side is, with the interval if there is one."""
    if pair.ratio is None:
        return ""
    if pair.interval is None:
        return units.change(pair.ratio)
    low, high = (100 * (end - 1) for end in (pair.interval.low, pair.interval.high))
    return f"{units.change(pair.ratio)} [{low:+.1f}, {high:+.1f}]"


def memory(pair: Pair) -> str:
    """Return the new side's peak, with its change if that is half a MiB or more."""
    before, after = pair.memory_bytes
    text = units.memory(after)
    if before is None or after is None or abs(after - before) < units.MIB / 2:
        return text
    noise = ", may be noise" if pair.peaks.may_be_noise else ""
    return f"{text} ({units.memory_change(after - before)}{noise})"


def grouped(pairs: Sequence[Pair], found: Callable[[Pair], Sequence[Difference]], prefix: str = "") -> list[str]:
    """Return `difference (case, case)` for each difference that is found in pairs."""
    cases: dict[str, list[str]] = {}
    for pair in pairs:
        for each in found(pair):
            cases.setdefault(difference(each), []).append(pair.key)
    return [
        f"{prefix}{text} ({'all cases' if len(keys) == len(pairs) > 1 else listed(keys)})"
        for text, keys in cases.items()
    ]


def other_remarks(pairs: Sequence[Pair], base: str, new: str) -> list[str]:
    """Return what a reader should know of the cases of one side alone."""
    lines = []
    for at, name in enumerate((base, new)):
        cases: dict[str, list[str]] = {}
        for pair in pairs:
            for remark in pair.other_remarks[at]:
                cases.setdefault(words.warning(remark.kind), []).append(pair.key)
        lines += [f"only in {name}: {text} ({listed(keys)})" for text, keys in cases.items()]
    return lines


def by_chance(pairs: Sequence[Pair], name: str) -> str:
    """Return how many cases differ, beside how many would by chance; empty if no case has an interval."""
    expected, count = expected_by_chance(pairs)
    if not count:
        return ""
    slower, faster = (
        sum(pair.verdict is verdict for pair in pairs)
        for verdict in (ComparisonVerdict.SLOWER, ComparisonVerdict.FASTER)
    )
    return (
        f"{name}: {slower} slower and {faster} faster of {words.count(count, 'case')}; by chance alone, about "
        f"{expected:.2g} would be slower and as many faster if nothing had changed."
    )


def gate_reasons(judged: Judged) -> str:
    """Return what led to a verdict."""
    return "; ".join(REASONS[reason](judged) for reason in judged.reasons)


def excluded(candidate: Candidate) -> str:
    """Return why a case cannot be recommended."""
    reason = candidate.exclusion_reason
    return "" if reason is None else EXCLUDED[reason.kind](candidate, reason)


def saved_baselines(saved: Saved) -> list[str]:
    """Return what to know about baselines that were saved."""
    few = f"fewer than {MIN_PROCESSES} processes (measure with --processes 4), so their latency cannot be judged"
    facts = (
        (f"left out, because a baseline cannot have status {', '.join(NO_BASELINE)}", saved.left_out),
        ("unstable, so no latency can pass against them", saved.unstable),
        (few, saved.few_processes),
        ("no longer in the baseline, because the run did not measure them", saved.lost),
    )
    return [f"{text}: {listed(keys)}" for text, keys in facts if keys]


EXCLUDED: Mapping[ExclusionKind, Callable[[Candidate, ExclusionReason], str]] = {
    ExclusionKind.STATUS: lambda candidate, _: words.outcome(candidate.result),
    ExclusionKind.OTHER_WORK: lambda _, reason: (
        f"different work from the reference ({_differences(reason.differences)})"
    ),
    ExclusionKind.ANOTHER_IMAGE: lambda candidate, _: f"a different image by design ({', '.join(candidate.design)})",
    ExclusionKind.NO_PICTURES: lambda *_: "its pictures cannot be compared with the reference's",
    ExclusionKind.IMAGE_DIFFERS: lambda candidate, reason: (  # rounded down: 29.96 is not 30.0 < 30
        f"the image differs: {int((candidate.psnr_db or 0) * 10) / 10:.1f} dB < {reason.limit:g} dB"
    ),
    ExclusionKind.PART_DIFFERS: lambda _, reason: words.remark(reason.remark) if reason.remark else "",
    ExclusionKind.MEMORY_UNKNOWN: lambda *_: "its peak memory is unknown",
    ExclusionKind.NO_FIGURE: lambda *_: "the objective was not measured",
    ExclusionKind.TOO_MUCH_MEMORY: lambda candidate, _: (
        f"too much memory: {words.peak(candidate.memory_bytes, candidate.memory_kind)}, "
        f"{units.memory(candidate.excess_bytes)} more than allowed"
    ),
}
"""Reason -> its sentence."""


def _value(value: Any) -> str:
    if value is None or value == ():
        return "(none)"
    return "+".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _differences(found: Sequence[Difference]) -> str:
    return "; ".join(map(difference, found))


def _statuses(pair: Pair) -> str:
    before, after = (_status(side) for side in (pair.base, pair.new))
    return f"{before} on both" if before == after else f"{before} -> {after}"


def _status(result: CaseResult | None) -> str:
    return "missing" if result is None else result.status


def _because(result: CaseResult | None) -> str:
    return f" ({result.reason})" if result is not None and result.reason else ""


def _changed(judged: Judged) -> str:
    pair = judged.pair
    return f"{_status(pair.base)} -> {_status(pair.new)}{_because(pair.new)}"


def _devices(judged: Judged) -> str:
    names = (side.versions.device_name if side else None for side in (judged.pair.base, judged.pair.new))
    return " -> ".join(map(_value, names))


def _limit(judged: Judged) -> str:
    return units.change(1 + judged.threshold)


def _latency(judged: Judged) -> str:
    pair = judged.pair
    found = f"latency {units.change(pair.ratio or 1)}"
    if pair.interval is None:
        return found
    return f"{found}, 95 % interval {units.change(pair.interval.low)} to {units.change(pair.interval.high)}"


def _too_few(judged: Judged) -> str:
    base, new = judged.pair.processes
    return (
        f"{_latency(judged)}, from {base} and {new} processes: an interval needs {MIN_PROCESSES} per side "
        "(--processes 4)"
    )


def _beyond(judged: Judged) -> str:
    return f"{_latency(judged)}, all of it above {_limit(judged)}"


def _memory(judged: Judged) -> str:
    before, after = (known or 0.0 for known in judged.pair.memory_bytes)
    change = units.memory_change(after - before)
    return f"median peak memory {units.memory(before)} -> {units.memory(after)} ({change})"


def _memory_grew(judged: Judged) -> str:
    return f"{_memory(judged)}, beyond {units.memory_change(slack_bytes(min(judged.pair.peaks.base)))}"


def _memory_varies(judged: Judged) -> str:
    base, new = map(len, (judged.pair.peaks.base, judged.pair.peaks.new))
    return f"{_memory(judged)} varies between processes, and {base} and {new} of them do not show whether it grew"


REASONS: Mapping[Reason, Callable[[Judged], str]] = {
    Reason.NO_BASELINE: lambda _: "its scenario has no baseline; save one with: bench save-baseline RUN",
    Reason.MISSING: lambda _: "the new side did not measure this case",
    Reason.OTHER_DEVICE: lambda each: f"different device: {_devices(each)}",
    Reason.OTHER_SETTINGS: lambda each: f"different settings: {_differences(each.pair.settings)}",
    Reason.OTHER_WORK: lambda each: f"different work: {_differences(each.pair.other_work)}",
    Reason.OTHER_IMAGE: lambda each: f"different image from the same seed: {words.decibels(each.pair.psnr_db)}",
    Reason.INTERRUPTED: lambda each: f"{_changed(each)}: finish measuring it",
    Reason.BASE_FAULTY: lambda each: (
        f"the base is {_status(each.pair.base)}{_because(each.pair.base)}, so there is nothing to compare with"
    ),
    Reason.STATUS_WORSE: _changed,
    Reason.NEWLY_MEASURED: lambda each: f"{_changed(each)}: the base has no figures to compare with",
    Reason.SAME_STATUS: lambda each: f"{_status(each.pair.new)} as before",
    Reason.NEITHER_MEASURED: lambda each: f"{_changed(each)}: neither side was measured",
    Reason.RECOMPILES: lambda each: f"{_changed(each)}: it compiles more graphs during sampling than the base",
    Reason.UNSTABLE: lambda each: f"{_changed(each)}: an unstable latency cannot pass",
    Reason.UNSTABLE_AND_SLOWER: lambda each: f"{_beyond(each)}; {_changed(each)}",
    Reason.NO_TIME: lambda _: "the budget had no time for it",
    Reason.TOO_FEW_PROCESSES: _too_few,
    Reason.TOO_FEW_BLOCKS: lambda each: (
        f"{_latency(each)}: {BLOCKS} blocks are needed, and the budget had time for {min(each.pair.processes)}"
    ),
    Reason.SLOWER: _beyond,
    Reason.NOT_SLOWER: _latency,
    Reason.UNDECIDED: lambda each: f"{_latency(each)}: {_limit(each)} lies within it",
    Reason.MEMORY_UNKNOWN: lambda each: (
        f"the {'base' if each.pair.memory_bytes[0] is None else 'new'} side has no recorded peak memory"
    ),
    Reason.MEMORY_GREW: _memory_grew,
    Reason.MEMORY_VARIES: _memory_varies,
    Reason.MEMORY_KEPT: _memory,
}
"""Reason -> its sentence."""
