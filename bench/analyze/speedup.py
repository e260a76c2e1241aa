"""How a case compares with its baseline: the speed-up, over blocks where there are some, and what it costs."""

from collections.abc import Mapping
from dataclasses import replace

from bench import statistics
from bench.plan.case import Case
from bench.records.case_result import CaseResult, Comparison


class Passes:
    """The median latency in seconds of every measured process, by case and pass, and which passes are whole.

    An interruption cuts a pass: it lacks a case that a later pass has. A case that was given up is in no later pass, so
    the passes of the others stay whole.
    """

    def __init__(self) -> None:
        self._medians: dict[str, dict[int, float]] = {}
        self._last: dict[str, int] = {}
        self._lacking: dict[int, set[str]] = {}

    def add(self, key: str, number: int, median_s: float) -> None:
        """Take in one process: its case, its pass and its median latency."""
        self._medians.setdefault(key, {})[number] = median_s
        self._lacking.get(number, set()).discard(key)
        last = self._last.get(key, -1)
        for skipped in range(last + 1, number):
            self._lacking.setdefault(skipped, set()).add(key)
        self._last[key] = max(last, number)

    def medians(self, key: str) -> dict[int, float]:
        """Return the medians of a case by pass."""
        return self._medians.get(key, {})

    def is_whole(self, number: int) -> bool:
        """Say whether a pass has every case that a later one has."""
        return not self._lacking.get(number)


def compare_with_baseline(case: Case, result: CaseResult, baseline: CaseResult | None, passes: Passes) -> Comparison:
    """Return how a case compares; without a speed-up unless both were measured, at one size and over one timed region.

    A block is one pass's pair of processes, the order alternating, so what drifts cancels in their ratio. With fewer
    than `statistics.MIN_BLOCKS` blocks there is a ratio of two medians, and no interval for it.
    """
    plain = replace(
        result.comparison, threshold=case.threshold, parameter_reduction=_parameter_reduction(result, baseline)
    )
    if baseline is None or not _comparable(result, baseline):
        return plain
    mine, base = result.statistics.seconds_per_image, baseline.statistics.seconds_per_image
    if mine is None or base is None:
        return plain
    images = (result.settings.images or 1) / (baseline.settings.images or 1)
    ratios = _block_ratios(passes.medians(case.key), passes.medians(baseline.key), images, passes)
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
    """Say whether a ratio of two results means anything: latents that are not decoded are faster than any picture."""
    mine, base = result.settings, baseline.settings
    return result.measured and baseline.measured and (mine.size, mine.output_type) == (base.size, base.output_type)


def _block_ratios(mine: Mapping[int, float], base: Mapping[int, float], images: float, passes: Passes) -> list[float]:
    """Return the baseline's seconds per image over the case's, one ratio per whole pass."""
    return [
        base[number] / mine[number] * images for number in sorted(mine) if number in base and passes.is_whole(number)
    ]


def _break_even(result: CaseResult, baseline: CaseResult, gain_s: float) -> float | None:
    """Return the images after which compiling has paid for itself; None where nothing was compiled, or gained.

    With a warm cache on disk the first call is cheaper: `compile_cache` says which it was.
    """
    first, base_first = result.timings.first_call_s, baseline.timings.first_call_s
    if not result.effective.compiled or first is None or base_first is None:
        return None
    cost = first - base_first
    return cost / gain_s if cost > 0 and gain_s > 0 else None


def _parameter_reduction(result: CaseResult, baseline: CaseResult | None) -> float | None:
    if baseline is None or result.settings.size != baseline.settings.size:
        return None
    mine, base = result.effective.denoiser_parameters, baseline.effective.denoiser_parameters
    return 1 - mine / base if mine and base else None
