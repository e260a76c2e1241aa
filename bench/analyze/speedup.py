"""How a case compares with its baseline: the speed-up, over blocks if there are any, and what it costs."""

from collections.abc import Callable
from dataclasses import replace

from bench import statistics
from bench.plan.case import Case
from bench.records.case_result import CaseResult, Comparison


class Passes:
    """The median latency in seconds of every measured process, by case and pass, and which passes are whole.

    A pass that was interrupted lacks a case that a later pass has. A case that was given up is in no later pass, so the
    passes of the other cases stay whole.
    """

    def __init__(self) -> None:
        self._medians: dict[str, dict[int, float]] = {}
        self._cut: dict[int, set[str]] = {}  # pass -> the cases that it lacks

    def add(self, key: str, number: int, median_s: float) -> bool:
        """Take in one process: its case, pass and median; return whether that changes which passes are whole."""
        cut = set(self._cut)
        own = self._medians.setdefault(key, {})
        for lacking in range(max(own, default=-1) + 1, number):
            self._cut.setdefault(lacking, set()).add(key)
        own[number] = median_s
        self._cut.get(number, set()).discard(key)
        self._cut = {each: cases for each, cases in self._cut.items() if cases}
        return cut != set(self._cut)

    def medians(self, key: str) -> dict[int, float]:
        """Return the medians of a case by pass."""
        return self._medians.get(key, {})

    def block_ratios(self, key: str, base_key: str) -> list[float]:
        """Return the baseline's latency divided by the case's, once for every whole pass that has both."""
        mine, base = self.medians(key), self.medians(base_key)
        return [base[number] / mine[number] for number in sorted(mine.keys() & base.keys()) if number not in self._cut]


def compare_with_baseline(case: Case, result: CaseResult, baseline: CaseResult | None, passes: Passes) -> Comparison:
    """Return how a case compares; without a speed-up unless both were measured, at one size and over one timed region.

    A block is one pass's pair of processes. Their order alternates, so drift cancels in their ratio. With fewer than
    `statistics.MIN_BLOCKS` blocks, the speed-up is the ratio of two medians, and has no interval.
    """
    plain = replace(
        result.comparison,
        threshold=case.threshold,
        parameter_reduction=_reduction(result, baseline, lambda each: each.effective.denoiser_parameters),
        memory_reduction=_reduction(result, baseline, lambda each: each.memory.generation.allocated_bytes),
    )
    if baseline is None or not _comparable(result, baseline):
        return plain
    mine, base = result.statistics.seconds_per_image, baseline.statistics.seconds_per_image
    if mine is None or base is None:
        return plain
    images = (result.settings.images or 1) / (baseline.settings.images or 1)
    ratios = [ratio * images for ratio in passes.block_ratios(case.key, baseline.key)]
    compared = replace(
        plain, speedup=base / mine, blocks=len(ratios), break_even_images=_break_even(result, baseline, base - mine)
    )
    if len(ratios) < statistics.MIN_BLOCKS:
        return compared
    mean, interval = statistics.geometric_mean_interval(ratios)
    if interval is None or case.key == baseline.key:
        return replace(compared, speedup=mean)
    return replace(compared, speedup=mean, speedup_low=interval.low, speedup_high=interval.high)


def _comparable(result: CaseResult, baseline: CaseResult) -> bool:
    """Say whether the ratio of two results means anything: undecoded latents are faster than any picture."""
    mine, base = result.settings, baseline.settings
    return result.measured and baseline.measured and (mine.size, mine.output_type) == (base.size, base.output_type)


def _break_even(result: CaseResult, baseline: CaseResult, gain_s: float) -> float | None:
    """Return the number of images after which compiling has paid for itself; None if nothing was compiled or gained.

    With a warm cache on disk the first call is cheaper; `compile_cache` says which it was.
    """
    first, base_first = result.timings.first_call_s, baseline.timings.first_call_s
    if not result.effective.compiled or first is None or base_first is None:
        return None
    cost = first - base_first
    return cost / gain_s if cost > 0 and gain_s > 0 else None


def _reduction(
    result: CaseResult, baseline: CaseResult | None, quantity: Callable[[CaseResult], float | None]
) -> float | None:
    if baseline is None or result.settings.size != baseline.settings.size:
        return None
    mine, base = quantity(result), quantity(baseline)
    return 1 - mine / base if mine and base else None
