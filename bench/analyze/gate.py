"""Judge a comparison: passed, regressed, inconclusive or not comparable, each with its reasons; never a coin flip.

Latency is judged by one 95 % interval of the ratio and a threshold: a slow-down is a regression only if the whole
interval is beyond the threshold, and a pass only if the whole interval is below it. A gate looks at most twice, and its
intervals allow for that.

Memory is judged by the peaks of processes, never by maxima, which grow with the number of processes. The allocator's
counter is exact: a least peak that grew is a regression, unless the processes of one side differ from each other and
are few. The resident size is noise, so it is a regression only if every new process exceeds every one of the base.

Versions of torch, diffusers and the driver are what is under test, never a reason to refuse.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench.analyze.comparison import BLOCKS, EXTENDED, EnvironmentDifference, Pair
from bench.analyze.memory import FEWEST_NOISY, PeakPair, slack_bytes
from bench.records.case_result import CaseResult
from bench.records.outcomes import FAULTS, PeakKind, Status
from bench.statistics import median

THRESHOLD = 0.03
"""A slow-down of 3 % is what six blocks of processes can distinguish from no slow-down on a quiet machine."""
MANY_PROCESSES = 8
"""Per side, from which growth counts although peaks vary. That all of eight lie above all of eight others happens by
chance in one of 12,870 comparisons, with six in one of 924: too often for a gate of many cases."""
NOISY_GROWTH = 0.10
"""What counts with fewer processes (but four per side): twice the 5 % by which resident sizes of one case differ."""
ANSWERS = (Status.SKIPPED, Status.OOM)
"""Not a measurement, but an answer that can be expected again."""


class GateVerdict(StrEnum):
    """What the gate says about a case."""

    PASSED = "passed"
    REGRESSED = "regressed"
    INCONCLUSIVE = "inconclusive"
    NOT_COMPARABLE = "not-comparable"


PRECEDENCE = (GateVerdict.REGRESSED, GateVerdict.NOT_COMPARABLE, GateVerdict.INCONCLUSIVE, GateVerdict.PASSED)
"""Where judgements differ, the first of these that occurs decides."""


class Reason(StrEnum):
    """What led to a verdict; the pair and the threshold of a `Judged` have the figures."""

    NO_BASELINE = "no-baseline"  # of the whole scenario
    MISSING = "missing"  # the new side did not measure the case
    OTHER_DEVICE = "other-device"
    OTHER_SETTINGS = "other-settings"  # pair.settings
    OTHER_WORK = "other-work"  # pair.other_work
    OTHER_IMAGE = "other-image"  # from the same seed; pair.psnr_db
    INTERRUPTED = "interrupted"
    NO_TIME = "no-time"  # the budget had none for any block
    BASE_FAULTY = "base-faulty"  # the base has nothing to compare with
    STATUS_WORSE = "status-worse"
    NEWLY_MEASURED = "newly-measured"  # the base has an answer, but no figures
    SAME_STATUS = "same-status"  # skipped or out of memory on both sides
    NEITHER_MEASURED = "neither-measured"
    RECOMPILES = "recompiles"  # while samples were taken, and the base does so less
    UNSTABLE = "unstable"  # a latency that is still changing never passes
    UNSTABLE_AND_SLOWER = "unstable-and-slower"  # and the whole interval is beyond the threshold
    TOO_FEW_PROCESSES = "too-few-processes"  # for an interval
    TOO_FEW_BLOCKS = "too-few-blocks"  # the same where both sides are measured, and the budget cut that short
    SLOWER = "slower"  # the whole interval is beyond the threshold
    NOT_SLOWER = "not-slower"  # the whole interval is below the threshold
    UNDECIDED = "undecided"  # the threshold is within the interval
    MEMORY_UNKNOWN = "memory-unknown"  # on one side
    MEMORY_GREW = "memory-grew"  # by more than `slack_bytes`
    MEMORY_VARIES = "memory-varies"  # between processes, so that growth is neither shown nor excluded
    MEMORY_KEPT = "memory-kept"


MEMORY_VERDICTS = {
    Reason.MEMORY_GREW: GateVerdict.REGRESSED,
    Reason.MEMORY_VARIES: GateVerdict.INCONCLUSIVE,
    Reason.MEMORY_KEPT: GateVerdict.PASSED,
}
Judgement = tuple[GateVerdict, Reason]


@dataclass(frozen=True)
class Judged:
    """A case's verdict and the reasons that led to it, one for each judged quantity."""

    pair: Pair
    threshold: float
    verdict: GateVerdict
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class GateResult:
    """What a gate found."""

    base: str  # the name of the side that is compared with
    new: str
    judged: tuple[Judged, ...]  # every case that the base has
    environment: tuple[EnvironmentDifference, ...] = ()
    side_by_side: bool = False  # whether both sides were measured in alternating processes, so that drift cancels
    only_in_new: tuple[str, ...] = ()  # cases that are not compared with anything
    duration_s: float | None = None  # of the whole gate, if it was measured side by side

    @property
    def verdict(self) -> GateVerdict:
        """The verdict of all cases together."""
        return overall(self.judged)


def judge(pairs: Iterable[Pair], threshold: float = THRESHOLD, without: Collection[str] = ()) -> list[Judged]:
    """Judge every case that the base has; a case that is new is not compared with anything.

    Args:
        pairs: of a base and what is compared with it.
        threshold: slow-down as a share, for cases whose scenario sets none.
        without: scenarios for which there should have been a base, so that none of their cases can be compared.
    """
    judged = [pair for pair in pairs if pair.base is not None or pair.key.split("/", 1)[0] in without]
    return [_judge(pair, threshold) for pair in judged]


def judge_in_two_looks(measure: Callable[[Collection[str] | None, range], list[Judged]]) -> list[Judged]:
    """Judge after six blocks, and once more, with all the data, where noise left a case open; never again.

    Args:
        measure: measures the named cases (None: all) in blocks of these numbers, and judges all data so far.
    """
    judged = measure(None, range(BLOCKS))
    still_open = {each.pair.key for each in judged if each.verdict is GateVerdict.INCONCLUSIVE and _noisy(each)}
    return measure(still_open, range(BLOCKS, EXTENDED)) if still_open else judged


def overall(judged: Sequence[Judged]) -> GateVerdict:
    """Return the verdict of all cases together; a gate that measured nothing is not comparable, never passed."""
    verdicts = {each.verdict for each in judged}
    if not any(each.pair.new is not None and each.pair.new.status.measured for each in judged):
        verdicts -= {GateVerdict.PASSED}
    return next((verdict for verdict in PRECEDENCE if verdict in verdicts), GateVerdict.NOT_COMPARABLE)


def _noisy(judged: Judged) -> bool:
    """Say whether it is noise that leaves a case open, which more blocks reduce."""
    if Reason.MEMORY_VARIES in judged.reasons:
        return True
    return judged.pair.stable and _latency(judged.pair, judged.threshold)[1] is Reason.UNDECIDED


def _judge(pair: Pair, default: float) -> Judged:
    """Judge a case by its own threshold or the default. It is the base's: no change may loosen its own gate."""
    if pair.base is None:
        return Judged(pair, default, GateVerdict.NOT_COMPARABLE, (Reason.NO_BASELINE,))
    own = pair.base.comparison.threshold
    threshold = default if own is None else own
    if pair.new is None:
        return Judged(pair, threshold, GateVerdict.NOT_COMPARABLE, (Reason.MISSING,))
    refused = _refusal(pair, pair.base, pair.new)
    if refused is not None:
        return Judged(pair, threshold, GateVerdict.NOT_COMPARABLE, (refused,))
    judgements = _judgements(pair, pair.base, pair.new, threshold)
    verdict = next(verdict for verdict in PRECEDENCE if verdict in {found for found, _ in judgements})
    return Judged(pair, threshold, verdict, tuple(reason for found, reason in judgements if found is verdict))


def _refusal(pair: Pair, base: CaseResult, new: CaseResult) -> Reason | None:
    if base.versions.device_name is None or base.versions.device_name != new.versions.device_name:
        return Reason.OTHER_DEVICE
    if pair.settings:
        return Reason.OTHER_SETTINGS
    if pair.other_work:
        return Reason.OTHER_WORK
    if pair.other_image and new.settings.weights != "random":
        return Reason.OTHER_IMAGE
    return None


def _judgements(pair: Pair, base: CaseResult, new: CaseResult, threshold: float) -> list[Judgement]:
    if not (base.status.measured and new.status.measured):
        return [_change_of_status(base, new)]
    latency = _latency(pair, threshold) if pair.stable else _unstable(pair, base, new, threshold)
    memory = _memory(pair)
    return [latency, memory] if memory is not None else [latency]


def _change_of_status(base: CaseResult, new: CaseResult) -> Judgement:
    """Judge a case that at least one side could not measure."""
    if Status.INTERRUPTED in {base.status, new.status}:
        return GateVerdict.INCONCLUSIVE, Reason.INTERRUPTED
    if base.status in FAULTS:
        return GateVerdict.NOT_COMPARABLE, Reason.BASE_FAULTY
    if _rank(new.status) < _rank(base.status):
        return GateVerdict.REGRESSED, Reason.STATUS_WORSE
    if new.status.measured:
        return GateVerdict.PASSED, Reason.NEWLY_MEASURED
    if base.status == new.status:
        return GateVerdict.PASSED, Reason.SAME_STATUS
    return GateVerdict.INCONCLUSIVE, Reason.NEITHER_MEASURED


def _rank(status: Status) -> int:
    """Return how good an outcome is: a fault 0, an answer 1, a measurement 2."""
    return 2 if status.measured else int(status in ANSWERS)


def _unstable(pair: Pair, base: CaseResult, new: CaseResult, threshold: float) -> Judgement:
    """Judge a latency that was still changing: it may be a regression all the same, and is never a pass."""
    if (new.effective.recompilations or 0) > (base.effective.recompilations or 0):
        return GateVerdict.REGRESSED, Reason.RECOMPILES
    if _latency(pair, threshold)[0] is GateVerdict.REGRESSED:
        return GateVerdict.REGRESSED, Reason.UNSTABLE_AND_SLOWER
    return GateVerdict.INCONCLUSIVE, Reason.UNSTABLE


def _latency(pair: Pair, threshold: float) -> Judgement:
    if pair.interval is None:
        return GateVerdict.INCONCLUSIVE, Reason.TOO_FEW_PROCESSES
    if pair.interval.low > 1 + threshold:
        return GateVerdict.REGRESSED, Reason.SLOWER
    if pair.interval.high < 1 + threshold:
        return GateVerdict.PASSED, Reason.NOT_SLOWER
    return GateVerdict.INCONCLUSIVE, Reason.UNDECIDED


def _memory(pair: Pair) -> Judgement | None:
    """Judge the peaks of a generation; None on a device that counts none."""
    peaks = pair.peaks
    if not peaks.base and not peaks.new:
        return None
    if not peaks.base or not peaks.new:
        return GateVerdict.INCONCLUSIVE, Reason.MEMORY_UNKNOWN
    reason = _counted(peaks) if peaks.kind is PeakKind.ALLOCATED else _resident(peaks)
    return MEMORY_VERDICTS[reason], reason


def _counted(peaks: PeakPair) -> Reason:
    """Judge an exact counter. Where processes choose different algorithms, chance may put few of them apart."""
    slack = slack_bytes(min(peaks.base))
    if min(peaks.new) - min(peaks.base) > slack:
        clear = peaks.gap_bytes > slack or peaks.fewest >= MANY_PROCESSES
        return Reason.MEMORY_GREW if clear else Reason.MEMORY_VARIES
    half_grew = median(peaks.new) - median(peaks.base) > slack
    return Reason.MEMORY_VARIES if half_grew else Reason.MEMORY_KEPT


def _resident(peaks: PeakPair) -> Reason:
    """Judge a noisy peak: it is kept unless every new process exceeds every one of the base."""
    if peaks.gap_bytes <= slack_bytes(max(peaks.base)):
        return Reason.MEMORY_KEPT
    large = peaks.gap_bytes > NOISY_GROWTH * max(peaks.base) and peaks.fewest >= FEWEST_NOISY
    return Reason.MEMORY_GREW if large or peaks.fewest >= MANY_PROCESSES else Reason.MEMORY_VARIES
