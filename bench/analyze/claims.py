"""Judge the documentation's figures by what was measured, and only where they can be judged.

Seconds can only be compared on the documented GPU. On any other, the documented speed-up can, because it is a ratio.
A tiny model never judges anything.
"""

import re
from dataclasses import replace

from bench.plan.case import Case, batch_size
from bench.records.case_result import CaseResult, Claim
from bench.records.outcomes import ClaimVerdict, JudgedBy, NotJudged, Status

AS_DOCUMENTED = 0.10
"""The documented figures have two to three digits, one sample each, and come from another software stack."""
ABOUT_AS_DOCUMENTED = 0.25
"""The same for a figure that the documentation itself calls approximate."""
HALF = 0.5
"""The least share of a documented gain that must be there: x1.00 is not "about x1.20"."""

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
    speedup = claim.get("speedup")
    if speedup is None and "latency_reduction" in claim:
        speedup = 1 / (1 - claim["latency_reduction"])
    if speedup is None and mine and base:
        speedup = base / mine
    calls = int(claim.get("over_calls", 1))
    return Claim(
        latency_s=claim["latency_s"] / calls if "latency_s" in claim else None,
        over_calls=calls if "latency_s" in claim else None,
        seconds_per_image=mine,
        speedup=speedup,
        parameter_reduction=claim.get("parameter_reduction"),
    )


def _seconds_per_image(case: Case) -> float | None:
    if "seconds_per_image" in case.claim:
        return float(case.claim["seconds_per_image"])
    if "latency_s" in case.claim:
        return float(case.claim["latency_s"]) / int(case.claim.get("over_calls", 1)) / batch_size(case.call)
    return None


def _judge(claim: Claim, result: CaseResult) -> Claim:
    """Choose what the claim can be judged by and add the verdict."""
    if result.tiny:
        return _not_judged(claim, NotJudged.TINY_MODEL)
    here = same_device(claim.device, result.versions.device_name)
    if claim.status is not None:
        return _by_status(claim, result.status) if here else _not_judged(claim, NotJudged.OTHER_DEVICE)
    if not result.measured:
        return _not_judged(claim, NotJudged.NOT_MEASURED)
    return _by_figure(claim, result, here=here)


def _by_status(claim: Claim, found: Status) -> Claim:
    verdict = ClaimVerdict.AS_DOCUMENTED if found == claim.status else ClaimVerdict.OTHER_STATUS
    return _judged(claim, JudgedBy.STATUS, None, verdict)


def _by_figure(claim: Claim, result: CaseResult, *, here: bool) -> Claim:
    """Judge seconds on the documented GPU, otherwise a speed-up."""
    if here and claim.seconds_per_image and result.statistics.seconds_per_image:
        return _by_latency(claim, result.statistics.seconds_per_image / claim.seconds_per_image)
    if not claim.speedup or result.is_baseline:
        return _not_judged(claim, NotJudged.NO_FIGURE if here else NotJudged.OTHER_DEVICE)
    if not result.comparison.speedup:
        return _not_judged(claim, NotJudged.NO_BASELINE)
    return _by_speedup(claim, claim.speedup, result.comparison.speedup)


def _not_judged(claim: Claim, why: NotJudged) -> Claim:
    return replace(claim, verdict=ClaimVerdict.NOT_JUDGED, not_judged=why)


def _by_latency(claim: Claim, ratio: float) -> Claim:
    """Judge the ratio of measured to documented seconds."""
    verdict = ClaimVerdict.FASTER if ratio < 1 else ClaimVerdict.SLOWER
    return _judged(claim, JudgedBy.LATENCY, ratio, ClaimVerdict.AS_DOCUMENTED if _agrees(claim, ratio) else verdict)


def _by_speedup(claim: Claim, documented: float, measured: float) -> Claim:
    ratio = measured / documented
    enough = documented == 1 or (measured - 1) / (documented - 1) >= HALF
    verdict = ClaimVerdict.GAINS_MORE if ratio > 1 else ClaimVerdict.GAINS_LESS
    agrees = enough and _agrees(claim, ratio)
    return _judged(claim, JudgedBy.SPEEDUP, ratio, ClaimVerdict.AS_DOCUMENTED if agrees else verdict)


def _judged(claim: Claim, judged_by: JudgedBy, ratio: float | None, verdict: ClaimVerdict) -> Claim:
    return replace(claim, judged_by=judged_by, ratio=ratio, verdict=verdict)


def _agrees(claim: Claim, ratio: float) -> bool:
    return abs(ratio - 1) <= (ABOUT_AS_DOCUMENTED if claim.approximate else AS_DOCUMENTED)
