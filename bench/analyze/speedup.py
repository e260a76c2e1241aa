"""How a case compares with its baseline: the speed-up, over paired rounds where there are some, and what it costs."""

from collections.abc import Mapping
from typing import Any

from bench import statistics
from bench.plan.case import Case
from bench.records.schema import MEASURED

Row = Mapping[str, Any]
Medians = dict[str, dict[int, float]]
"""case key -> process -> the process's median latency in seconds."""


def against(case: Case, row: Row, baseline: Row | None, medians: Medians) -> dict[str, Any]:
    """Return a row's speed-up columns; empty unless both were measured, at one size and over one timed region.

    A round is a block: both processes of a pair ran within the hour and the order turned, so what drifts cancels in
    their ratio. Without rounds there is a ratio of two processes, and no interval can be had for it.
    """
    if baseline is None or not _comparable(row, baseline):
        return {}
    mine, base = row["seconds_per_image"], baseline["seconds_per_image"]
    ratios = _block_ratios(case, medians, row["images"] / baseline["images"])
    columns = {"speedup": base / mine, "blocks": len(ratios), "break_even_images": _repaid(row, baseline)}
    if len(ratios) < statistics.MIN_BLOCKS:
        return columns
    mean, interval = statistics.geometric_mean_interval(ratios)
    bounds = {"speedup_low": interval.low, "speedup_high": interval.high} if interval else {}
    return {**columns, "speedup": mean, **(bounds if case.key != case.baseline else {})}


def _comparable(row: Row, baseline: Row) -> bool:
    """Say whether a ratio of two rows means anything: latents that are not decoded are faster than any picture."""
    measured = all(each["status"] in MEASURED and each.get("seconds_per_image") for each in (row, baseline))
    return measured and all(row[name] == baseline[name] for name in ("size", "output_type"))


def _block_ratios(case: Case, medians: Medians, images: float) -> list[float]:
    """Return the baseline's seconds per image over the case's, a whole round each."""
    mine, base = medians.get(case.key, {}), medians.get(case.baseline or "", {})
    cut = _cut_rounds(medians)
    return [base[number] / mine[number] * images for number in sorted(mine) if number in base and number not in cut]


def _cut_rounds(medians: Medians) -> set[int]:
    """Return the rounds that an interruption cut: those that lack a case which a later round has.

    A case that was given up is in no later round, so the rounds of the others stay whole.
    """
    rounds = {number for of_case in medians.values() for number in of_case}
    return {
        number
        for number in rounds
        if any(number not in of_case and max(of_case, default=-1) > number for of_case in medians.values())
    }


def _repaid(row: Row, baseline: Row) -> float | None:
    """Return the images after which compiling is made up for; None where nothing was compiled, or nothing is gained.

    With a warm cache on disk the first call is cheaper: `compile_cache` says which it was.
    """
    first, base_first = row.get("first_call_s"), baseline.get("first_call_s")
    if not row.get("compiled") or first is None or base_first is None:
        return None
    cost, gain = first - base_first, baseline["seconds_per_image"] - row["seconds_per_image"]
    return float(cost / gain) if cost > 0 and gain > 0 else None
