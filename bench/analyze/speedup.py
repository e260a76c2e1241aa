"""How a case compares with its baseline: the speed-up, over paired rounds where there are some, and what it costs."""

from collections.abc import Mapping
from typing import Any

from bench import statistics
from bench.plan.case import Case

Row = Mapping[str, Any]
Medians = dict[str, dict[int, float]]
"""case key -> replicate -> the process's median latency in seconds."""


def against(case: Case, row: Row, baseline: Row | None, medians: Medians) -> dict[str, Any]:
    """Return a row's speed-up columns; empty without a measured baseline of the same size.

    A round is a block: both processes of a pair ran within the hour and the order turned, so what drifts cancels in
    their ratio. Without rounds there is a ratio of two processes, and no interval can be had for it.
    """
    mine, base = row.get("seconds_per_image"), (baseline or {}).get("seconds_per_image")
    if baseline is None or not mine or not base or row.get("size") != baseline.get("size"):
        return {}
    ratios = _block_ratios(case, medians, row["images"] / baseline["images"])
    columns = {"speedup": base / mine, "blocks": len(ratios), "repaid_after_images": _repaid(row, baseline)}
    if len(ratios) < statistics.MIN_BLOCKS:
        return columns
    mean, interval = statistics.geometric_mean_interval(ratios)
    bounds = {"speedup_low": interval.low, "speedup_high": interval.high} if interval else {}
    return {**columns, "speedup": mean, **(bounds if case.key != case.baseline else {})}


def _block_ratios(case: Case, medians: Medians, images: float) -> list[float]:
    """Return the baseline's seconds per image over the case's, a whole round each."""
    mine, base = medians.get(case.key, {}), medians.get(case.baseline or "", {})
    whole = _whole_rounds(medians)
    return [base[number] / mine[number] * images for number in sorted(mine) if number in base and number in whole]


def _whole_rounds(medians: Medians) -> set[int]:
    """Return the rounds that no interruption cut: those with as many measured processes as the fullest."""
    counts: dict[int, int] = {}
    for of_case in medians.values():
        for number in of_case:
            counts[number] = counts.get(number, 0) + 1
    return {number for number, count in counts.items() if count == max(counts.values())}


def _repaid(row: Row, baseline: Row) -> float | None:
    """Return the images after which a slower first call is made up for; None where there is nothing to repay with."""
    first, base_first = row.get("first_call_s"), baseline.get("first_call_s")
    if first is None or base_first is None:
        return None
    cost, gain = first - base_first, baseline["seconds_per_image"] - row["seconds_per_image"]
    return float(cost / gain) if cost > 0 and gain > 0 else None
