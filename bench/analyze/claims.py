"""Judge the documentation's figures by what was measured, and only where they can be judged.

Seconds can only be compared on the documented GPU. A speed-up is a ratio and can be compared on any, so on the
documented GPU both are: a stack that is faster throughout does not confirm that one setting is faster than another.
Saved parameters and memory have verdicts of their own. Nothing is judged by a tiny model.

A measured figure is an interval. The verdict is the one that holds at both of its ends; if they differ, the run cannot
tell, and says so. With a single process, the usual spread between processes takes the place of the interval.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from math import sqrt

from bench.plan.case import Case, batch_size
from bench.records.case_result import CaseResult, Claim
from bench.records.outcomes import ClaimVerdict, IntervalKind, JudgedBy, NotJudged, Status
from bench.statistics import PROCESS_SPREAD, Interval

AS_DOCUMENTED = 0.10
"""The documented figures have two to three digits, one sample each, and come from another software stack."""
ABOUT_AS_DOCUMENTED = 0.25
"""The same for a figure that the documentation itself calls approximate."""
HALF = 0.5
"""A gain differs from the documented one by at most half of that: neither x1.00 nor x1.50 is "about x1.20"."""
ROUNDING = 1e-9
"""Relative: 1.1 - 1 is a little more than 0.1 in binary."""
LATENCY_MARGIN, SPEEDUP_MARGIN = 2 * PROCESS_SPREAD, 2 * sqrt(2) * PROCESS_SPREAD
"""For a single process and for the ratio of two, in place of an interval."""

VENDORS = {"nvidia", "tesla", "geforce", "quadro", "amd", "gpu"}
_EXTRA = re.compile(r"sxm\d*|pcie|nvl|hbm\d\w*|\d+gb")
"""Form factors and memory: a driver's name for a card has them, the documentation's rarely."""


def judge_claim(case: Case, result: CaseResult, base_case: Case | None, device: str | None) -> Claim:
    """Return the documented figures of a case, and what they came to in its result, whose comparison is known.

    Args:
        case: with its claim.
        result: what was measured.
        base_case: the case that the speed-up is against, if any.
        device: the documented GPU, which the scenario names.
    """
    documented = _documented(case, base_case)
    if not case.claim:
        return documented
    documented = replace(
        documented,
        device=device,
        status=Status(case.claim["status"]) if "status" in case.claim else None,
        approximate=bool(case.claim["approximate"]) if "approximate" in case.claim else None,
        note=case.claim.get("note"),
    )
    return _judge(documented, result)


def same_device(documented: str | None, found: str | None) -> bool:
    """Say whether a GPU is the documented one, ignoring the vendor, form factor and memory in its driver's name.

    `NVIDIA A100` is `NVIDIA A100-SXM4-80GB`, and `NVIDIA T4` is `Tesla T4`. A slice (MIG), a `Ti` or a laptop GPU is
    another device.
    """
    if not documented or not found:
        return False
    named, card = _words(documented), _words(found)
    return _model(named) == _model(card) and (named & _extras(named)) <= card


def _words(name: str) -> set[str]:
    return set(name.lower().replace("-", " ").split())


def _model(words: set[str]) -> set[str]:
    return words - VENDORS - _extras(words)


def _extras(words: set[str]) -> set[str]:
    return {word for word in words if _EXTRA.fullmatch(word)}


def _documented(case: Case, base_case: Case | None) -> Claim:
    """Return the documented figures of one call and of one image; a speed-up that is not stated is derived."""
    claim, mine = case.claim, _seconds_per_image(case)
    base = _seconds_per_image(base_case) if base_case is not None else None
    speedup, less = claim.get("speedup"), claim.get("latency_reduction")
    inferred = less if speedup is None else None
    if inferred is not None:
        speedup = 1 / (1 - inferred)
    if speedup is None and mine and base:
        speedup = base / mine
    calls = int(claim.get("over_calls", 1))
    return Claim(
        latency_s=claim["latency_s"] / calls if "latency_s" in claim else None,
        over_calls=calls if "latency_s" in claim else None,
        seconds_per_image=mine,
        speedup=speedup,
        speedup_inferred=True if inferred is not None else None,
        other_speedup=1 + inferred if inferred is not None else None,
        parameter_reduction=claim.get("parameter_reduction"),
        memory_reduction=claim.get("memory_reduction"),
    )


def _seconds_per_image(case: Case) -> float | None:
    if "seconds_per_image" in case.claim:
        return float(case.claim["seconds_per_image"])
    if "latency_s" in case.claim:
        return float(case.claim["latency_s"]) / int(case.claim.get("over_calls", 1)) / batch_size(case.call)
    return None


def _judge(claim: Claim, result: CaseResult) -> Claim:
    """Add the verdict on every figure that can be judged, and choose the one that decides."""
    if result.tiny:
        return _not_judged(claim, NotJudged.TINY_MODEL)
    here = same_device(claim.device, result.versions.device_name)
    if claim.status is not None:
        return _by_status(claim, result.status) if here else _not_judged(claim, NotJudged.OTHER_DEVICE)
    if not result.measured:
        return _not_judged(claim, NotJudged.NOT_MEASURED)
    return _by_figure(_with_own_verdicts(claim, result), result, here=here)


def _by_status(claim: Claim, found: Status) -> Claim:
    verdict = ClaimVerdict.AS_DOCUMENTED if found == claim.status else ClaimVerdict.OTHER_STATUS
    return _judged(claim, JudgedBy.STATUS, None, verdict)


def _with_own_verdicts(claim: Claim, result: CaseResult) -> Claim:
    """Return a claim with the verdicts that hold on any device."""
    compared = result.comparison
    found = _speedup_interval(result)
    return replace(
        claim,
        speedup_verdict=_on_speedup(claim, claim.speedup, found),
        other_verdict=_on_speedup(claim, claim.other_speedup, found),
        parameter_verdict=_on_reduction(claim, claim.parameter_reduction, compared.parameter_reduction),
        memory_verdict=_on_reduction(claim, claim.memory_reduction, compared.memory_reduction),
    )


def _by_figure(claim: Claim, result: CaseResult, *, here: bool) -> Claim:
    """Decide by seconds on the documented GPU, or else by the speed-up, or by what is saved."""
    seconds, compared = result.statistics.seconds_per_image, result.comparison
    if here and claim.seconds_per_image and seconds:
        verdict = _on_seconds(claim, claim.seconds_per_image, _seconds_interval(result, seconds))
        return _judged(claim, JudgedBy.LATENCY, seconds / claim.seconds_per_image, verdict)
    for judged_by, documented, found, on_its_own in (
        (JudgedBy.SPEEDUP, claim.speedup, compared.speedup, claim.speedup_verdict),
        (JudgedBy.PARAMETERS, claim.parameter_reduction, compared.parameter_reduction, claim.parameter_verdict),
        (JudgedBy.MEMORY, claim.memory_reduction, compared.memory_reduction, claim.memory_verdict),
    ):
        if documented and found is not None and on_its_own is not None:
            return _judged(claim, judged_by, found / documented, on_its_own)
    if claim.speedup and not result.is_baseline:
        return _not_judged(claim, NotJudged.NO_BASELINE)
    return _not_judged(claim, NotJudged.OTHER_DEVICE if claim.seconds_per_image and not here else NotJudged.NO_FIGURE)


def _not_judged(claim: Claim, why: NotJudged) -> Claim:
    return replace(claim, verdict=ClaimVerdict.NOT_JUDGED, not_judged=why)


def _judged(claim: Claim, judged_by: JudgedBy, ratio: float | None, verdict: ClaimVerdict) -> Claim:
    return replace(claim, judged_by=judged_by, ratio=ratio, verdict=verdict)


def _seconds_interval(result: CaseResult, seconds: float) -> Interval:
    """Return the interval of the seconds per image; one within a process says nothing about the next process."""
    figures, images = result.statistics, result.settings.images or 1
    if figures.interval is IntervalKind.BETWEEN and figures.latency_low_s and figures.latency_high_s:
        return Interval(figures.latency_low_s / images, figures.latency_high_s / images)
    return _margin(seconds, LATENCY_MARGIN)


def _speedup_interval(result: CaseResult) -> Interval | None:
    found = result.comparison
    if found.speedup is None or result.is_baseline:
        return None
    if found.speedup_low is not None and found.speedup_high is not None:
        return Interval(found.speedup_low, found.speedup_high)
    return _margin(found.speedup, SPEEDUP_MARGIN)


def _margin(value: float, share: float) -> Interval:
    return Interval(value / (1 + share), value * (1 + share))


def _on_seconds(claim: Claim, documented: float, found: Interval) -> ClaimVerdict:
    def verdict(seconds: float) -> ClaimVerdict:
        if _agrees(claim, seconds / documented):
            return ClaimVerdict.AS_DOCUMENTED
        return ClaimVerdict.FASTER if seconds < documented else ClaimVerdict.SLOWER

    return _at_both_ends(found, verdict)


def _on_speedup(claim: Claim, documented: float | None, found: Interval | None) -> ClaimVerdict | None:
    """Judge a speed-up as a ratio and as a gain: half of a small gain is still within 10 % of the ratio."""
    if documented is None or found is None:
        return None

    def verdict(speedup: float) -> ClaimVerdict:
        gain = (speedup - 1) / (documented - 1) if documented != 1 else 1.0
        if _agrees(claim, speedup / documented) and abs(gain - 1) <= HALF + ROUNDING:
            return ClaimVerdict.AS_DOCUMENTED
        return ClaimVerdict.GAINS_MORE if speedup > documented else ClaimVerdict.GAINS_LESS

    return _at_both_ends(found, verdict)


def _on_reduction(claim: Claim, documented: float | None, found: float | None) -> ClaimVerdict | None:
    """Judge a share that is saved; parameters and the allocator's bytes are counted, so there is no interval."""
    if documented is None or found is None:
        return None
    if _agrees(claim, found / documented):
        return ClaimVerdict.AS_DOCUMENTED
    return ClaimVerdict.GAINS_MORE if found > documented else ClaimVerdict.GAINS_LESS


def _at_both_ends(found: Interval, verdict: Callable[[float], ClaimVerdict]) -> ClaimVerdict:
    low, high = verdict(found.low), verdict(found.high)
    return low if low is high else ClaimVerdict.UNDECIDED


def _agrees(claim: Claim, ratio: float) -> bool:
    return abs(ratio - 1) <= (ABOUT_AS_DOCUMENTED if claim.approximate else AS_DOCUMENTED) + ROUNDING
