"""Hold measured rows against the documentation's figures, and only as far as they can be held.

Seconds can be compared on the documented GPU only; on another one the documented speed-up can, as a ratio. A toy twin
is held against nothing.
"""

import re
from collections.abc import Mapping
from typing import Any

from bench.plan.case import Case, batch_size
from bench.records.schema import MEASURED

Row = Mapping[str, Any]

AS_DOCUMENTED = 0.10
"""Within ten per cent: the documented figures have two to three digits, one sample each and another software stack."""

ABOUT_AS_DOCUMENTED = 0.25
"""The same for a figure that the documentation itself calls approximate."""

HALF = 0.5

VENDORS = {"nvidia", "tesla", "geforce", "quadro", "amd", "gpu"}
_EXTRA = re.compile(r"sxm\d*|pcie|nvl|hbm\d\w*|\d+gb")
"""Form factors and memory: the driver's name has them, the documentation's rarely."""


def compare(
    case: Case, row: Row, base_case: Case | None, baseline: Row | None, source: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the columns of `schema.COMPARISON` for one row.

    Args:
        case: with its claim.
        row: what was measured.
        base_case: the case that the speed-up is against; None where there is none.
        baseline: that case's row; None where it has not been measured.
        source: the scenario's, whose `device` is the documented GPU.
    """
    documented = _documented(case, base_case)
    device = source.get("device") if case.claim else None
    columns = {
        "baseline": case.baseline.split("/", 1)[1] if case.baseline else None,
        "parameter_reduction": _parameter_reduction(row, baseline),
        "claim_device": device,
        "claim_approximate": case.claim.get("approximate") if case.claim else None,
        "claim_note": case.claim.get("note"),
        "claim_status": case.claim.get("status"),
        **documented,
    }
    return {**columns, **_hold(case, row, {**columns, "speedup": row.get("speedup")})}


def same_device(documented: str | None, found: str | None) -> bool:
    """Say whether a found GPU is the documented one, whatever vendor, form factor and memory its driver's name adds.

    `NVIDIA A100` is `NVIDIA A100-SXM4-80GB`, `NVIDIA T4` is `Tesla T4`; a slice (MIG), a `Ti` or a laptop's is another.
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


def _parameter_reduction(row: Row, baseline: Row | None) -> float | None:
    if baseline is None or row.get("size") != baseline.get("size"):
        return None
    mine, base = row.get("denoiser_parameters"), baseline.get("denoiser_parameters")
    return 1 - mine / base if mine and base else None


def _documented(case: Case, base_case: Case | None) -> dict[str, float | None]:
    """Return the documented figures, of one call and of one image; a speed-up is derived where none is stated."""
    mine, base = _seconds_per_image(case), _seconds_per_image(base_case)
    claim = case.claim
    speedup = claim.get("speedup")
    if speedup is None and "latency_reduction" in claim:
        speedup = 1 / (1 - claim["latency_reduction"])
    if speedup is None and mine and base:
        speedup = base / mine
    latency = claim["latency_s"] / claim.get("over_calls", 1) if "latency_s" in claim else None
    return {
        "claim_latency_s": latency,
        "claim_over_calls": claim.get("over_calls", 1) if latency is not None else None,
        "claim_seconds_per_image": mine,
        "claim_speedup": speedup,
        "claim_parameter_reduction": claim.get("parameter_reduction"),
    }


def _seconds_per_image(case: Case | None) -> float | None:
    if case is None:
        return None
    if "seconds_per_image" in case.claim:
        return float(case.claim["seconds_per_image"])
    if "latency_s" in case.claim:
        return float(case.claim["latency_s"]) / int(case.claim.get("over_calls", 1)) / batch_size(case.call)
    return None


def _hold(case: Case, row: Row, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Choose what the claim can be held as, and say what follows."""
    if not case.claim:
        return {}
    if row.get("size") == "tiny":
        return _not_held("a tiny twin")
    here = same_device(columns["claim_device"], row.get("device_name"))
    if columns["claim_status"]:
        return _hold_status(columns, row) if here else _not_held(_elsewhere(columns))
    if row.get("status") not in list(MEASURED):
        return _not_held(str(row.get("status")))
    return _hold_figures(case, row, columns, here=here)


def _hold_status(columns: Mapping[str, Any], row: Row) -> dict[str, Any]:
    agrees = row.get("status") == columns["claim_status"]
    verdict = "as documented" if agrees else f"documented {columns['claim_status']}, here {row.get('status')}"
    return {"claim_judged_by": "status", "claim_verdict": verdict}


def _hold_figures(case: Case, row: Row, columns: Mapping[str, Any], *, here: bool) -> dict[str, Any]:
    """Hold seconds against seconds on the documented GPU, else a speed-up against a speed-up."""
    if here and columns["claim_seconds_per_image"]:
        ratio = float(row["seconds_per_image"]) / columns["claim_seconds_per_image"]
        return _held("latency", ratio, 1 / ratio, columns)
    if not columns["claim_speedup"] or case.baseline == case.key:
        return _not_held("no figure to compare" if here else _elsewhere(columns))
    if not columns["speedup"]:
        return _not_held("its baseline was not measured")
    ratio = columns["speedup"] / columns["claim_speedup"]
    return _held("speedup", ratio, ratio, columns)


def _half_the_gain(columns: Mapping[str, Any]) -> bool:
    """Say whether at least half of the documented gain is there: x1.00 is not `x1.20, about as documented`."""
    documented, measured = columns["claim_speedup"] - 1, columns["speedup"] - 1
    return bool(measured / documented >= HALF) if documented else True


def _not_held(why: str) -> dict[str, Any]:
    return {"claim_verdict": f"not held: {why}"}


def _elsewhere(columns: Mapping[str, Any]) -> str:
    return f"documented on {columns['claim_device'] or 'an unnamed device'}"


def _held(what: str, ratio: float, advantage: float, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the verdict on a ratio measured / documented; `advantage` over 1 is better than documented."""
    tolerance = ABOUT_AS_DOCUMENTED if columns["claim_approximate"] else AS_DOCUMENTED
    if abs(ratio - 1) <= tolerance and (what == "latency" or _half_the_gain(columns)):
        verdict = "as documented"
    elif what == "latency":
        verdict = "faster than documented" if advantage > 1 else "slower than documented"
    else:
        verdict = "gains more than documented" if advantage > 1 else "gains less than documented"
    return {"claim_judged_by": what, "claim_ratio": ratio, "claim_verdict": verdict}
