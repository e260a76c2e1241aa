"""When a case is warm, and when it has been sampled enough. Pure rules around a callable that times one call.

During the first calls clocks ramp up, caches fill and kernels are chosen, so these are not samples. Warm-up goes on in
disjoint triples until two of their medians agree, as far as the noise lets them, and memory has stopped growing. Then
samples are taken until the 95 % interval of the median is narrow enough. If the second half of the samples differs from
the first, the first half was still warm-up; if that happens again, the case is unstable. Too few samples show neither
that a case is steady nor that it is not.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import sqrt
from statistics import fmean

from bench.measure.clock import Timing
from bench.statistics import MIN_SAMPLES_FOR_INTERVAL, independent_interval, median, median_interval

TimeOneCall = Callable[[], Timing]
Watch = Callable[[], object]
"""Returns whatever must stop changing before a case is warm: reserved memory, the number of compiled graphs."""

TRIPLE = 3
"""Calls per step of warm-up: the smallest number whose median ignores one outlier."""

EXPLAINED_BY_NOISE = {2: 5.36, 3: 3.71}
"""How far medians of triples may differ by chance, in standard deviations of a call that were estimated from so many
triples: the 98.5 % quantile of Student's t, times 0.95 for the difference of two such medians."""

TREND = 0.75
"""Six to eleven samples without a trend reach this Kendall's tau less than 3 % of the time (n = 6: at most one of the
15 pairs is out of order in 6 of the 720 orders, upward or downward: 1.7 %)."""

MAX_REJECTED = 6
"""Throttled calls in a row after which throttling is the machine's normal state, so waiting for its end is in vain."""


@dataclass(frozen=True)
class Rules:
    """The constants of the protocol; times in seconds.

    Attributes:
        min_warmup: two triples, the fewest that can agree.
        max_warmup: a case that is not warm by then never will be; comparing the halves of the samples finds it.
        max_warmup_s: the same for slow calls.
        agreement: triples within 1 % agree, because 1 % is the precision that the interval aims at.
        min_samples: fewer than ten can hardly tell independent calls from correlated ones.
        max_samples: the interval narrows with the root of n; beyond fifty the machine varies more than the samples.
        max_samples_s: the same for slow calls, which get enough samples for an interval within `time_limit_s`.
        time_limit_s: what warm-up and samples may take together before the case would time out.
        target: half-width of the interval as a share of the median.
        check_stability: compare the two halves of the samples.
    """

    min_warmup: int = 6
    max_warmup: int = 20
    max_warmup_s: float = 60.0
    agreement: float = 0.01
    min_samples: int = 10
    max_samples: int = 50
    max_samples_s: float = 120.0
    time_limit_s: float = float("inf")
    target: float = 0.01
    check_stability: bool = True

    def fixed(self, samples: int) -> "Rules":
        return replace(self, min_samples=samples, max_samples=samples, max_samples_s=float("inf"))

    @property
    def is_fixed(self) -> bool:
        """Whether the number of samples does not depend on what they are."""
        return self.min_samples == self.max_samples


TINY = Rules(min_warmup=1, max_warmup=1, min_samples=6, max_samples=6, check_stability=False)
"""A tiny model only shows that everything works. Six samples are the fewest with an interval."""


def rules_for(size: str, samples: int | None) -> Rules:
    """Return the rules for a size, `tiny` or `full`, with a fixed number of samples if there is one."""
    rules = TINY if size == "tiny" else Rules()
    return rules.fixed(samples) if samples else rules


@dataclass
class Sampled:
    """The outcome of sampling.

    Attributes:
        samples: the timings that count.
        warmup_calls: calls before them.
        warm: whether warm-up ended because the case was warm, not because a limit was reached.
        steady: whether the two halves of the samples agree; None if there are too few to tell, or nobody looked.
        throttled: why so many calls in a row were rejected that they are samples after all; else empty.
        rejected: the reason for each call that was thrown away.
        watched_calls: calls since `Hooks.on_begin`.
        warmup_s: seconds of the calls before the samples.
        rejected_s: seconds of the rejected calls.
    """

    samples: list[Timing] = field(default_factory=list)
    warmup_calls: int = 0
    warm: bool = True
    steady: bool | None = None
    throttled: str = ""
    rejected: list[str] = field(default_factory=list)
    watched_calls: int = 0
    warmup_s: float = 0.0
    rejected_s: float = 0.0

    @property
    def latencies(self) -> list[float]:
        """Seconds of each sample, in the order in which they were taken."""
        return [sample.latency_s for sample in self.samples]


@dataclass(frozen=True)
class Hooks:
    """What is called around the timed calls, never within one.

    Attributes:
        watch: called after every triple of warm-up calls; see `Watch`.
        on_begin: called before the first sample, and again if warm-up turns out to have been too short.
        rejected: called after every sample; returns why it must be thrown away, or None to keep it.
        on_sample: called with the index and timing of every sample that is kept.
        on_discard: called with the number of samples that turned out to be warm-up.
    """

    watch: Watch = lambda: None
    on_begin: Callable[[], None] = lambda: None
    rejected: Callable[[], str | None] = lambda: None
    on_sample: Callable[[int, Timing], None] = lambda _index, _timing: None
    on_discard: Callable[[int], None] = lambda _count: None


def take_samples(time_one_call: TimeOneCall, rules: Rules, hooks: Hooks | None = None) -> Sampled:
    """Warm up and take samples; if they drift, count the first half as warm-up and take more, once."""
    hooks = hooks or Hooks()
    found = take_samples_once(time_one_call, rules, hooks)
    if found.steady is not False or found.throttled:
        return found
    half = len(found.samples) // 2
    hooks.on_discard(half)
    found.warmup_calls += half
    found.warmup_s += sum(found.latencies[:half])
    del found.samples[:half]
    _extend(found, time_one_call, rules, hooks)
    return found


def take_samples_once(time_one_call: TimeOneCall, rules: Rules, hooks: Hooks) -> Sampled:
    """Warm up and take samples; if they drift, say so and keep them."""
    warmup, warm = warm_up(time_one_call, rules, hooks.watch)
    found = Sampled(warmup_calls=len(warmup), warmup_s=sum(warmup), warm=warm)
    _extend(found, time_one_call, rules, hooks)
    return found


def warm_up(time_one_call: TimeOneCall, rules: Rules, watch: Watch = lambda: None) -> tuple[list[float], bool]:
    """Call until two consecutive triples agree and nothing that is watched changes.

    Returns:
        the latency of each call, and whether that ended before a limit; a fixed number of calls is warm by definition.
    """
    latencies: list[float] = []
    before = watch()
    while len(latencies) < rules.max_warmup and sum(latencies) < rules.max_warmup_s:
        latencies.append(time_one_call().latency_s)
        if len(latencies) % TRIPLE == 0:
            now = watch()
            if len(latencies) >= rules.min_warmup and now == before and _triples_agree(latencies, rules.agreement):
                return latencies, True
            before = now
    return latencies, rules.min_warmup == rules.max_warmup


def _triples_agree(latencies: list[float], agreement: float) -> bool:
    """Return whether the last two triples differ by at most `agreement`, or by what noise without a trend explains."""
    triples = [latencies[start : start + TRIPLE] for start in range(0, len(latencies), TRIPLE)]
    if len(triples) < min(EXPLAINED_BY_NOISE):
        return False
    difference = abs(median(triples[-1]) - median(triples[-2]))
    if difference <= agreement * median(triples[-2]):
        return True
    recent = triples[-max(EXPLAINED_BY_NOISE) :]
    trend = _kendall(latencies[-2 * TRIPLE :])
    return difference <= EXPLAINED_BY_NOISE[len(recent)] * _noise(recent) and abs(trend) < TREND


def _noise(triples: list[list[float]]) -> float:
    """Return the standard deviation of a call, from how far the middle of each triple is off the line through its ends.

    A drift moves all three along that line, so it does not count as noise.
    """
    return sqrt(fmean((one - 2 * two + three) ** 2 for one, two, three in triples) / 6)


def _extend(found: Sampled, time_one_call: TimeOneCall, rules: Rules, hooks: Hooks) -> None:
    """Add samples until there are enough, and say whether they are steady.

    Rejected calls are replaced, but not without end: after `MAX_REJECTED` in a row they are samples, and every call
    that follows is one.
    """
    hooks.on_begin()
    found.watched_calls = 0
    in_a_row: list[Timing] = []
    while not _finished(found, rules):
        timing = time_one_call()
        found.watched_calls += 1
        reason = hooks.rejected()
        if reason is None or found.throttled:
            in_a_row = []
            _keep(found, [timing], hooks)
            continue
        in_a_row.append(timing)
        found.rejected.append(reason)
        found.rejected_s += timing.latency_s
        if len(in_a_row) == MAX_REJECTED:
            found.throttled = reason
            del found.rejected[-MAX_REJECTED:]
            _keep(found, in_a_row[: rules.max_samples - len(found.samples)], hooks)
    found.steady = _steady(found.latencies, rules)


def _keep(found: Sampled, timings: list[Timing], hooks: Hooks) -> None:
    for timing in timings:
        found.samples.append(timing)
        hooks.on_sample(len(found.samples) - 1, timing)


def _finished(found: Sampled, rules: Rules) -> bool:
    if found.throttled and not rules.is_fixed:
        return True
    if len(found.rejected) >= max(rules.max_samples, MAX_REJECTED):
        return True
    return enough(found.latencies, rules, found.rejected_s, found.warmup_s)


def enough(latencies: list[float], rules: Rules, rejected_s: float = 0.0, warmup_s: float = 0.0) -> bool:
    """Return whether sampling may stop: the interval is narrow enough, or a limit is reached."""
    count, seconds = len(latencies), sum(latencies) + rejected_s
    if count >= rules.max_samples:
        return True
    if count and seconds >= rules.max_samples_s:
        one_more = warmup_s + seconds + max(latencies)
        return count >= MIN_SAMPLES_FOR_INTERVAL or one_more > rules.time_limit_s
    if count < rules.min_samples:
        return False
    interval = median_interval(latencies)
    return interval is not None and interval.relative_half_width(median(latencies)) <= rules.target


def _steady(latencies: list[float], rules: Rules) -> bool | None:
    if not rules.check_stability or len(latencies) < MIN_SAMPLES_FOR_INTERVAL:
        return None
    return not drifts(latencies, rules.agreement)


def drifts(latencies: list[float], agreement: float) -> bool:
    """Return whether the two halves differ by more than `agreement`, and not by chance.

    With twelve samples or more, their intervals must not overlap; with fewer there are no intervals, so the samples
    must have a trend. The intervals are those of independent samples: one that allows for correlation would be as wide
    as the drift, which correlates neighbors, too.
    """
    half = len(latencies) // 2
    first, second = latencies[:half], latencies[half:]
    if half < TRIPLE or abs(median(second) - median(first)) <= agreement * median(first):
        return False
    intervals = independent_interval(first), independent_interval(second)
    if intervals[0] is None or intervals[1] is None:
        return abs(_kendall(latencies)) >= TREND
    return not intervals[0].overlaps(intervals[1])


def _kendall(latencies: list[float]) -> float:
    """Return Kendall's rank correlation of latency with time: 1 if each is slower than all before it."""
    pairs = [(before, after) for i, before in enumerate(latencies) for after in latencies[i + 1 :]]
    return sum((after > before) - (after < before) for before, after in pairs) / len(pairs)
