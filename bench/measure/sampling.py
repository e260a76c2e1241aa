"""When a case is warm, and when it has been sampled enough. Pure rules around a callable that times one call.

During the first calls clocks ramp up, caches fill and kernels are chosen, so these are not samples. Warm-up goes on in
disjoint triples until two of their medians agree and memory has stopped growing. Then samples are taken until the 95 %
interval of the median is narrow enough. If the second half of the samples differs from the first, the first half was
still warm-up; if that happens again, the case is unstable.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bench.measure.clock import Timing
from bench.statistics import median, median_interval

TimeOneCall = Callable[[], Timing]
Watch = Callable[[], object]
"""Returns whatever must stop changing before a case is warm: reserved memory, the number of compiled graphs."""

TRIPLE = 3
"""Calls per step of warm-up: the smallest number whose median ignores one outlier."""

TREND = 0.75
"""Six to eleven samples without a trend reach this Kendall's tau less than 3 % of the time (n = 6: 2 * 8 / 720)."""


@dataclass(frozen=True)
class Rules:
    """The constants of the protocol; times in seconds.

    Attributes:
        min_warmup: two triples, the fewest that can agree.
        max_warmup: a case that is not warm by then never will be; comparing the halves of the samples finds it.
        max_warmup_s: the same for slow calls.
        agreement: triples within 1 % agree, because 1 % is the precision that the interval aims at.
        min_samples: with fewer than ten, optional stopping makes the interval too narrow (ten: 94 % real coverage).
        max_samples: the interval narrows with the root of n; beyond fifty the machine varies more than the samples.
        max_samples_s: the same for slow calls. This limit overrides the minimum.
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
    target: float = 0.01
    check_stability: bool = True

    def fixed(self, samples: int) -> "Rules":
        return replace(self, min_samples=samples, max_samples=samples, max_samples_s=float("inf"))


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
        stable: whether the two halves of the samples agree.
        rejected: the reason for each sample that was thrown away.
        watched_calls: calls since `Hooks.on_begin`.
    """

    samples: list[Timing] = field(default_factory=list)
    warmup_calls: int = 0
    warm: bool = True
    stable: bool = True
    rejected: list[str] = field(default_factory=list)
    watched_calls: int = 0


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
    if found.stable:
        return found
    half = len(found.samples) // 2
    hooks.on_discard(half)
    found.warmup_calls += half
    del found.samples[:half]
    _extend(found, time_one_call, rules, hooks)
    found.stable = not drifts(_latencies(found), rules.agreement)
    return found


def take_samples_once(time_one_call: TimeOneCall, rules: Rules, hooks: Hooks) -> Sampled:
    """Warm up and take samples; if they drift, say so and keep them."""
    calls, warm = warm_up(time_one_call, rules, hooks.watch)
    found = Sampled(warmup_calls=calls, warm=warm)
    _extend(found, time_one_call, rules, hooks)
    found.stable = not rules.check_stability or not drifts(_latencies(found), rules.agreement)
    return found


def warm_up(time_one_call: TimeOneCall, rules: Rules, watch: Watch = lambda: None) -> tuple[int, bool]:
    """Call until two consecutive triples agree and nothing that is watched changes.

    Returns:
        the number of calls, and whether that ended before a limit; a fixed number of calls is warm by definition.
    """
    latencies: list[float] = []
    before = watch()
    while len(latencies) < rules.max_warmup and sum(latencies) < rules.max_warmup_s:
        latencies.append(time_one_call().latency_s)
        if len(latencies) % TRIPLE == 0:
            now = watch()
            if len(latencies) >= rules.min_warmup and now == before and _triples_agree(latencies, rules.agreement):
                return len(latencies), True
            before = now
    return len(latencies), rules.min_warmup == rules.max_warmup


def _triples_agree(latencies: list[float], agreement: float) -> bool:
    if len(latencies) < 2 * TRIPLE:
        return False
    last, previous = median(latencies[-TRIPLE:]), median(latencies[-2 * TRIPLE : -TRIPLE])
    return abs(last - previous) <= agreement * previous


def _extend(found: Sampled, time_one_call: TimeOneCall, rules: Rules, hooks: Hooks) -> None:
    """Add samples until there are enough; rejected ones are replaced, but not without end."""
    hooks.on_begin()
    found.watched_calls = 0
    while not enough(_latencies(found), rules) and len(found.rejected) < rules.max_samples:
        timing = time_one_call()
        found.watched_calls += 1
        if (reason := hooks.rejected()) is not None:
            found.rejected.append(reason)
            continue
        found.samples.append(timing)
        hooks.on_sample(len(found.samples) - 1, timing)


def _latencies(found: Sampled) -> list[float]:
    return [sample.latency_s for sample in found.samples]


def enough(latencies: list[float], rules: Rules) -> bool:
    """Return whether sampling may stop: the interval is narrow enough, or a limit is reached."""
    if len(latencies) >= rules.max_samples or sum(latencies) >= rules.max_samples_s:
        return True
    if len(latencies) < rules.min_samples:
        return False
    interval = median_interval(latencies)
    return interval is not None and interval.relative_half_width(median(latencies)) <= rules.target


def drifts(latencies: list[float], agreement: float) -> bool:
    """Return whether the two halves differ by more than `agreement`, and not by chance.

    With twelve samples or more, their intervals must not overlap; with fewer there are no intervals, so the samples
    must have a trend.
    """
    half = len(latencies) // 2
    first, second = latencies[:half], latencies[half:]
    if half < TRIPLE or abs(median(second) - median(first)) <= agreement * median(first):
        return False
    intervals = median_interval(first), median_interval(second)
    if intervals[0] is None or intervals[1] is None:
        return abs(_kendall(latencies)) >= TREND
    return not intervals[0].overlaps(intervals[1])


def _kendall(latencies: list[float]) -> float:
    """Return Kendall's rank correlation of latency with time: 1 if each is slower than all before it."""
    pairs = [(before, after) for i, before in enumerate(latencies) for after in latencies[i + 1 :]]
    return sum((after > before) - (after < before) for before, after in pairs) / len(pairs)
