"""Every sentence about a documented figure: what the documentation says, and what became of it here."""

from collections.abc import Callable, Mapping, Sequence

from bench import units
from bench.records.case_result import CaseResult, Claim
from bench.records.outcomes import ClaimVerdict, JudgedBy, NotJudged

VERDICTS = {
    ClaimVerdict.AS_DOCUMENTED: "as documented",
    ClaimVerdict.FASTER: "faster than documented",
    ClaimVerdict.SLOWER: "slower than documented",
    ClaimVerdict.GAINS_MORE: "gains more than documented",
    ClaimVerdict.GAINS_LESS: "gains less than documented",
    ClaimVerdict.UNDECIDED: "undecided within its uncertainty",
}
SAVINGS = {
    ClaimVerdict.AS_DOCUMENTED: "as documented",
    ClaimVerdict.GAINS_MORE: "more than documented",
    ClaimVerdict.GAINS_LESS: "less than documented",
}
NOT_JUDGED: Mapping[NotJudged | None, Callable[[CaseResult], str]] = {
    NotJudged.TINY_MODEL: lambda _: "a tiny model",
    NotJudged.OTHER_DEVICE: lambda result: f"documented on {result.claim.device or 'an unnamed device'}",
    NotJudged.NOT_MEASURED: lambda result: result.status,
    NotJudged.NO_FIGURE: lambda _: "no figure to compare",
    NotJudged.NO_BASELINE: lambda _: "its baseline was not measured",
}


def verdict(result: CaseResult) -> str:
    """Return what the documented figure that decides came to here."""
    claim = result.claim
    if claim.judged_by in {JudgedBy.PARAMETERS, JudgedBy.MEMORY}:
        return "; ".join(_savings(result))
    match claim.verdict:
        case None:
            return ""
        case ClaimVerdict.OTHER_STATUS:
            return f"documented {claim.status}, here {result.status}"
        case ClaimVerdict.NOT_JUDGED:
            return f"not judged: {NOT_JUDGED[claim.not_judged](result)}"
        case known:
            return VERDICTS[known]


def all_verdicts(result: CaseResult) -> str:
    """Return the verdicts on all documented figures of a case, first the one that decides."""
    claim, found = result.claim, [verdict(result)]
    if claim.judged_by is JudgedBy.LATENCY and claim.speedup_verdict is not None:
        found.append(f"its speed-up {VERDICTS[claim.speedup_verdict]}")
    if claim.other_verdict is not None:
        found.append(f"read as {units.ratio(claim.other_speedup)}: {VERDICTS[claim.other_verdict]}")
    if claim.judged_by not in {JudgedBy.PARAMETERS, JudgedBy.MEMORY}:
        found += _savings(result)
    return "; ".join(filter(None, found))


def _savings(result: CaseResult) -> list[str]:
    claim, compared = result.claim, result.comparison
    figures = (
        (claim.parameter_verdict, compared.parameter_reduction, "fewer parameters"),
        (claim.memory_verdict, compared.memory_reduction, "less memory"),
    )
    return [
        f"{share:.0%} {what}: {SAVINGS[verdict]}"
        for verdict, share, what in figures
        if verdict is not None and share is not None
    ]


def verdict_groups(results: Sequence[CaseResult]) -> dict[str, list[CaseResult]]:
    """Return the cases with a documented figure by the verdict on it, the judged ones first."""
    found: dict[str, list[CaseResult]] = {}
    for result in sorted(results, key=lambda result: result.claim.judged_by is None):
        if result.claim.verdict is not None:
            found.setdefault(verdict(result), []).append(result)
    return found


def documented(result: CaseResult) -> str:
    """Return the documented figures: of one call or image, as a speed-up, as parameters saved, or as an outcome."""
    claim = result.claim
    figures = [
        _documented_seconds(result),
        "" if result.is_baseline else _documented_speedup(claim),
        "" if claim.parameter_reduction is None else f"{claim.parameter_reduction:.0%} fewer parameters",
        "" if claim.memory_reduction is None else f"{claim.memory_reduction:.0%} less memory",
        claim.status or "",
    ]
    text = ", ".join(filter(None, figures))
    return f"about {text}" if text and claim.approximate else text


def _documented_speedup(claim: Claim) -> str:
    other = f" (inferred; or {units.ratio(claim.other_speedup)})" if claim.speedup_inferred else ""
    return f"{units.ratio(claim.speedup)}{other}"


def _documented_seconds(result: CaseResult) -> str:
    claim = result.claim
    if claim.latency_s is None:
        return f"{units.seconds(claim.seconds_per_image)}/image" if claim.seconds_per_image else ""
    calls = claim.over_calls or 1
    total = f" ({units.seconds(claim.latency_s * calls)} over {calls} calls)" if calls > 1 else ""
    return f"{units.seconds(claim.latency_s)}{total}"
