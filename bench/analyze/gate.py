"""Judge a comparison: passed, regressed, inconclusive or not comparable, each with its reason; never a coin flip.

Latency is judged by one 95 % interval of the ratio and a threshold: a slow-down is a regression only if all of the
interval lies beyond the threshold, and a pass only if all of it lies below. Memory is exact, so it is compared exactly.
Versions of torch, diffusers or the driver are what is under test, and never a reason to refuse.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench import units
from bench.analyze.comparison import Pair, measured
from bench.analyze.rows import Row
from bench.records.schema import FAULTS, Status
from bench.statistics import MIN_PROCESSES

THRESHOLD = 0.03
"""A slow-down of 3 %: what six blocks of processes can tell from none on a quiet machine."""
MEMORY_SLACK_BYTES, MEMORY_SLACK = 16 * units.MIB, 0.005
"""Allocators round, libraries keep workspaces: growth up to the larger of the two is none."""
BLOCKS, EXTENDED = 6, 12
"""Six pairs of processes tell 3 % from none where processes differ by 0.5 %; what they leave open gets six more."""
WORK = ("denoiser_calls:", "parameters:", "denoiser_parameters:")
"""What is in effect that decides how much there is to compute: less of it is no gain."""
ANSWERS = (Status.SKIPPED, Status.OOM)
"""No measurement, but an answer that can be expected again."""


class Verdict(StrEnum):
    """What the gate says of a case."""

    PASSED = "passed"
    REGRESSED = "regressed"
    INCONCLUSIVE = "inconclusive"
    NOT_COMPARABLE = "not comparable"


EXIT_CODES = {Verdict.PASSED: 0, Verdict.REGRESSED: 1, Verdict.INCONCLUSIVE: 3, Verdict.NOT_COMPARABLE: 4}
PRECEDENCE = (Verdict.REGRESSED, Verdict.NOT_COMPARABLE, Verdict.INCONCLUSIVE, Verdict.PASSED)
"""Where judgements differ, the first of these that occurs is the verdict of all."""

Judgement = tuple[Verdict, str]


@dataclass(frozen=True)
class Judged:
    """A case's verdict, the reasons that led to it (one a judged quantity), and what they are about."""

    pair: Pair
    threshold: float
    verdict: Verdict
    reasons: tuple[str, ...]


def judge(pairs: Iterable[Pair], threshold: float = THRESHOLD, without: Collection[str] = ()) -> list[Judged]:
    """Judge every case that the base has; a case that is new is held against nothing.

    Args:
        pairs: of a base and what is compared with it.
        threshold: slow-down as a share, for the cases whose scenario names none.
        without: scenarios that the base was to have and has not: none of their cases can be compared.
    """
    kept = [pair for pair in pairs if pair.base is not None or pair.key.split("/", 1)[0] in without]
    return [_judge(pair, _threshold(pair, threshold)) for pair in kept]


def settle(measure: Callable[[Collection[str] | None, range], list[Judged]]) -> list[Judged]:
    """Judge after six blocks of pairs, and once more, with all the data, where a latency was left open; never again.

    Args:
        measure: measures the named cases (None: all) in blocks of these numbers, and judges what there is so far.
    """
    judged = measure(None, range(BLOCKS))
    ties = {each.pair.key for each in judged if each.verdict is Verdict.INCONCLUSIVE and _open(each)}
    return measure(ties, range(BLOCKS, EXTENDED)) if ties else judged


def _open(judged: Judged) -> bool:
    """Say whether it is noise that leaves a case open, which more blocks make less of."""
    steady, interval = judged.pair.steady, judged.pair.interval
    return steady and interval is not None and _latency(judged.pair, judged.threshold)[0] is Verdict.INCONCLUSIVE


def overall(judged: Sequence[Judged]) -> Verdict:
    """Return the verdict of all cases together; a gate that measured nothing is not comparable, never passed."""
    verdicts = {each.verdict for each in judged}
    if verdicts == {Verdict.PASSED} and not any(measured(each.pair.new) for each in judged):
        return Verdict.NOT_COMPARABLE
    return next((verdict for verdict in PRECEDENCE if verdict in verdicts), Verdict.NOT_COMPARABLE)


def _judge(pair: Pair, threshold: float) -> Judged:
    judgements = _refusal(pair) or _status(pair, threshold) or [_latency(pair, threshold), _memory(pair)]
    verdict = next(verdict for verdict in PRECEDENCE if verdict in {found for found, _ in judgements})
    decisive = [reason for found, reason in judgements if found == verdict and reason]
    return Judged(pair, threshold, verdict, tuple(decisive))


def _threshold(pair: Pair, default: float) -> float:
    """Return the case's own threshold, or else the gate's. It is the base's: no change loosens its own gate."""
    own = pair.base["threshold"] if pair.base is not None else None
    return default if own is None else float(own)


def _refusal(pair: Pair) -> list[Judgement]:
    """Say why two rows cannot be held against each other, if so."""
    if pair.base is None:
        return [(Verdict.NOT_COMPARABLE, "there is no baseline of its scenario; keep one: bench baseline RUN")]
    if pair.new is None:
        return [(Verdict.NOT_COMPARABLE, "the case has gone missing: the new side did not measure it")]
    other_work = [found for found in pair.effective if found.startswith(WORK)]
    reasons = (
        "" if pair.same_device else f"another device: {pair.base['device_name']} -> {pair.new['device_name']}",
        f"other settings: {'; '.join(pair.settings)}" if pair.settings else "",
        f"other work: {'; '.join(other_work)}" if other_work else "",
        f"another image from the same seed: {pair.psnr_db:.1f} dB"
        if pair.other_image and pair.new["weights"] != "random"
        else "",
    )
    return [(Verdict.NOT_COMPARABLE, reason) for reason in reasons if reason][:1]


def _status(pair: Pair, threshold: float) -> list[Judgement]:
    """Judge a case of which one side has no steady measurement; nothing where both have one."""
    assert pair.base is not None  # noqa: S101 - refused before
    assert pair.new is not None  # noqa: S101 - refused before
    before, after = pair.base["status"], pair.new["status"]
    if before == after == Status.OK:
        return []
    changed = f"{before} -> {after}{_because(pair.new)}"
    if measured(pair.base) and measured(pair.new):
        return [_unstable(pair, threshold, changed), _memory(pair)]
    return [_change_of_status(pair.base, pair.new, changed)]


def _unstable(pair: Pair, threshold: float, changed: str) -> Judgement:
    """Judge a latency that was still changing: it may be a regression all the same, and is never a pass."""
    assert pair.base is not None  # noqa: S101 - refused before
    assert pair.new is not None  # noqa: S101 - refused before
    if (pair.new["recompilations"] or 0) > (pair.base["recompilations"] or 0):
        return Verdict.REGRESSED, f"{changed}: it compiles while it runs, the base does not"
    verdict, found = _latency(pair, threshold)
    if verdict is Verdict.REGRESSED:
        return verdict, f"{found}; {changed}"
    return Verdict.INCONCLUSIVE, f"{changed}: an unstable latency is no ground for a pass"


def _change_of_status(base: Row, new: Row, changed: str) -> Judgement:
    """Judge a case that at least one side could not measure."""
    if Status.INTERRUPTED in {base["status"], new["status"]}:
        return Verdict.INCONCLUSIVE, f"{changed}: measure it to the end"
    if base["status"] in FAULTS:
        return (
            Verdict.NOT_COMPARABLE,
            f"the base is {base['status']}{_because(base)}: nothing to hold the new side against",
        )
    if _rank(new) < _rank(base):
        return Verdict.REGRESSED, changed
    if measured(new):
        return Verdict.PASSED, f"{changed}: there was nothing to hold it against"
    if base["status"] == new["status"] and new["status"] in ANSWERS:
        return Verdict.PASSED, f"{new['status']} as before"
    return Verdict.INCONCLUSIVE, f"{changed}: neither side was measured"


def _rank(row: Row) -> int:
    """Return how good an outcome is: a fault 0, an answer 1, a measurement 2."""
    return 2 if measured(row) else int(row["status"] in ANSWERS)


def _because(row: Row) -> str:
    return f" ({row['reason']})" if row["reason"] else ""


def _latency(pair: Pair, threshold: float) -> Judgement:
    assert pair.ratio is not None  # noqa: S101 - both were measured
    found = f"latency {units.change(pair.ratio)}"
    if pair.interval is None:
        few = f"{pair.processes[0]} and {pair.processes[1]} processes"
        return Verdict.INCONCLUSIVE, f"{found}, from {few}: an interval needs {MIN_PROCESSES} a side (--processes 4)"
    span = f"{found}, 95 % interval {units.change(pair.interval.low)} to {units.change(pair.interval.high)}"
    limit = 1 + threshold
    if pair.interval.low > limit:
        return Verdict.REGRESSED, f"{span}, all beyond {units.change(limit)}"
    if pair.interval.high < limit:
        return Verdict.PASSED, span
    return Verdict.INCONCLUSIVE, f"{span}: {units.change(limit)} lies within"


def _memory(pair: Pair) -> Judgement:
    before, after = pair.memory_bytes
    if before is None and after is None:
        return Verdict.PASSED, ""  # this device has no counter of peaks
    if before is None or after is None:
        side = "base" if before is None else "new"
        return Verdict.INCONCLUSIVE, f"peak memory of the {side} side is not on file"
    slack = max(MEMORY_SLACK_BYTES, MEMORY_SLACK * before)
    told = f"peak memory {units.memory(before)} -> {units.memory(after)} ({units.memory_change(after - before)})"
    if after - before > slack:
        return Verdict.REGRESSED, f"{told}, beyond {units.memory_change(slack)}"
    return Verdict.PASSED, told
