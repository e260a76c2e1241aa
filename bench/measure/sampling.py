"""When a case is warm and when it has been sampled enough. Pure rules over a callable that times one call.

Clocks ramp up, caches fill and kernels are chosen during the first calls, so those are not samples: warm-up goes on in
disjoint triples until two of their medians agree and memory has stopped growing. Then samples are taken until the
median's 95 % interval is narrow enough. If the second half of the samples still differs from the first, the first half
was warm-up after all; if that happens again, the case is `unstable` and says so.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from bench.measure.clock import Timing
from bench.statistics import median, median_interval

TimeOneCall = Callable[[], Timing]
TRIPLE = 3
"""Calls a warm-up step: the smallest number whose median shrugs off one outlier."""


TREND = 0.75
"""Kendall's tau that six to eleven samples without a trend reach less than 3 % of the time (n = 6: 2 * 8 / 720)."""


@dataclass(frozen=True)
class Rules:
    """The constants of the protocol; times in seconds.

    Attributes:
        min_warmup: two triples are the least that can agree.
        max_warmup: a case that is not warm by then never will be; it is caught by the halves afterwards.
        max_warmup_s: the same for slow calls.
        agreement: triples within 1 % are the same, for 1 % is what the interval is after.
        min_samples: below ten, optional stopping makes the interval too narrow (94 % real coverage at ten).
        max_samples: the interval narrows with the root of n; past fifty it is the machine that varies, not the sample.
        max_samples_s: the same for slow calls. The cap beats the minimum.
        target: half-width of the interval, as a share of the median.
        judge_steadiness: compare the halves of the samples.
    """

    min_warmup: int = 6
    max_warmup: int = 20
    max_warmup_s: float = 60.0
    agreement: float = 0.01
    min_samples: int = 10
    max_samples: int = 50
    max_samples_s: float = 120.0
    target: float = 0.01
    judge_steadiness: bool = True

    def fixed(self, samples: int) -> "Rules":
        """Return the same rules with a fixed number of samples."""
        return Rules(
            **{**vars(self), "min_samples": samples, "max_samples": samples, "max_samples_s": float("inf")},
        )


TINY = Rules(min_warmup=1, max_warmup=1, min_samples=6, max_samples=6, judge_steadiness=False)
"""A toy twin shows that everything works; six samples are the fewest with an interval."""


def rules_for(size: str, samples: int | None) -> Rules:
    """Return the rules of a case by its size, `tiny` or `full`, with a fixed number of samples where one was asked."""
    chosen = TINY if size == "tiny" else Rules()
    return chosen.fixed(samples) if samples else chosen


@dataclass
class Sampled:
    """What sampling found.

    Attributes:
        samples: those that count.
        warmup_calls: made before them.
        warm: whether warm-up ended because the case was warm, not because a cap was reached.
        steady: whether the halves of the samples agree.
        rejected: what rejected each sample that was thrown away.
        watched_calls: made since `Hooks.on_begin` was last told.
    """

    samples: list[Timing] = field(default_factory=list)
    warmup_calls: int = 0
    warm: bool = True
    steady: bool = True
    rejected: list[str] = field(default_factory=list)
    watched_calls: int = 0


Watch = Callable[[], object]
"""Returns something that must stop changing before a case is warm: reserved memory, graphs compiled."""


@dataclass(frozen=True)
class Hooks:
    """What happens around the calls, never in one.

    Attributes:
        watch: returns something that must stop changing before a case is warm; read after every triple of warm-up.
        on_begin: told that the next call is a sample; again where warm-up turned out to have been too short.
        rejected: asked after every sample what rejected it; None keeps it.
        on_sample: told every sample as it is kept, with its index.
        on_discard: told how many samples were turned into warm-up.
    """

    watch: Watch = lambda: None
    on_begin: Callable[[], None] = lambda: None
    rejected: Callable[[], str | None] = lambda: None
    on_sample: Callable[[int, Timing], None] = lambda _index, _timing: None
    on_discard: Callable[[int], None] = lambda _count: None


def measure(time_one_call: TimeOneCall, rules: Rules, hooks: Hooks | None = None) -> Sampled:
    """Warm up by `time_one_call`, which makes one timed call, then sample."""
    hooks = hooks or Hooks()
    found = measure_once(time_one_call, rules, hooks)
    if found.steady:
        return found
    half = len(found.samples) // 2
    hooks.on_discard(half)
    found.warmup_calls += half
    del found.samples[:half]
    _sample(time_one_call, rules, hooks, found)
    found.steady = not drifts(_latencies(found), rules.agreement)
    return found


def measure_once(time_one_call: TimeOneCall, rules: Rules, hooks: Hooks) -> Sampled:
    """Warm up, then sample; samples that drift are told, and stay samples."""
    calls, warm = warm_up(time_one_call, rules, hooks.watch)
    found = Sampled(warmup_calls=calls, warm=warm)
    _sample(time_one_call, rules, hooks, found)
    found.steady = not rules.judge_steadiness or not drifts(_latencies(found), rules.agreement)
    return found


def warm_up(time_one_call: TimeOneCall, rules: Rules, watch: Watch = lambda: None) -> tuple[int, bool]:
    """Call until two consecutive triples agree and nothing watched changes.

    Returns:
        the number of calls, and whether that was reached before a cap; a fixed number of calls is warm by definition.
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


def _sample(time_one_call: TimeOneCall, rules: Rules, hooks: Hooks, found: Sampled) -> None:
    """Add samples to what was found until there are enough; throw rejected ones away, but not for ever."""
    hooks.on_begin()
    found.watched_calls = 0
    while not enough(_latencies(found), rules) and len(found.rejected) < rules.max_samples:
        timing = time_one_call()
        found.watched_calls += 1
        cause = hooks.rejected()
        if cause is not None:
            found.rejected.append(cause)
            continue
        found.samples.append(timing)
        hooks.on_sample(len(found.samples) - 1, timing)


def _latencies(found: Sampled) -> list[float]:
    return [sample.latency_s for sample in found.samples]


def enough(latencies: list[float], rules: Rules) -> bool:
    """Say whether sampling may stop: the interval is narrow enough, or a cap is reached."""
    if len(latencies) >= rules.max_samples or sum(latencies) >= rules.max_samples_s:
        return True
    if len(latencies) < rules.min_samples:
        return False
    interval = median_interval(latencies)
    return interval is not None and interval.relative_half_width(median(latencies)) <= rules.target


def drifts(latencies: list[float], agreement: float) -> bool:
    """Say whether the halves differ by more than `agreement`, and not by chance.

    From twelve samples on their intervals must not overlap; fewer have no intervals, so their order must be a trend.
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
    """Return Kendall's rank correlation of latencies with time: 1 where every one is slower than all before it."""
    pairs = [(before, after) for i, before in enumerate(latencies) for after in latencies[i + 1 :]]
    return sum((after > before) - (after < before) for before, after in pairs) / len(pairs)
