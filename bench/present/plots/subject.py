"""What the plots of one scenario are drawn from: its results, with texts that can be drawn and claims that apply."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.analyze import pareto
from bench.analyze.highlights import tiny_among
from bench.analyze.pareto import Point
from bench.analyze.run import Run
from bench.plan.case import Case, ScenarioInfo
from bench.present import words
from bench.present.plots.page import Head, printable
from bench.records.case_result import CaseResult, Claim

MOST_CASES = 60
"""In a plot with a line per case; of more, the fastest are shown."""


@dataclass(frozen=True)
class Subject:
    """One scenario of a run, ready to be drawn."""

    head: Head
    results: Sequence[CaseResult]  # with texts that can be drawn, and no documented figures beside a tiny model
    points: Sequence[Point]  # the same cases and the Pareto front; their texts are unchanged
    cases: Sequence[Case]  # of the plan
    axes: Sequence[str]  # of a sweep

    def of_the_fastest(self) -> "Subject":
        """Return the subject with no more cases than a plot has lines for, and a note that says so."""
        measured = [result for result in self.results if result.measured]
        if len(self.results) <= MOST_CASES:
            return self
        kept = {id(result) for result in fastest(measured, MOST_CASES)}
        note = f"The {len(kept)} fastest cases and their baselines, of {len(self.results)}; the tables have all."
        shown = [result for result in self.results if id(result) in kept]
        return replace(self, head=replace(self.head, note=note), results=shown)


def fastest(results: Sequence[CaseResult], most: int) -> list[CaseResult]:
    """Return the cases with the least time per image, and the baselines before all others."""
    ranked = sorted(results, key=lambda each: (not each.is_baseline, each.statistics.seconds_per_image or float("inf")))
    return ranked[:most]


def subject(run: Run, info: ScenarioInfo, results: Sequence[CaseResult]) -> Subject:
    """Return what the plots of a scenario are drawn from; `results` are its own."""
    drawable = [_drawable(result) for result in results]
    head = Head(printable(info.title), printable(info.scenario), _ran(run, results), tiny_among(results))
    cases = [case for case in run.plan.cases if case.scenario == info.scenario]
    return Subject(head, drawable, pareto.points(results), cases, info.axes)


def not_shown(results: Sequence[CaseResult], shown: Sequence[CaseResult]) -> list[str]:
    """Say which cases are not in a plot, by reason, so that none disappears silently."""
    cases, reasons = {each.case for each in shown}, dict[str, list[str]]()
    for each in results:
        if each.case not in cases:
            reasons.setdefault("memory unknown" if each.measured else each.status, []).append(each.case)
    return [f"Not shown ({reason}): {', '.join(cases)}." for reason, cases in reasons.items()]


def call_claim_s(result: CaseResult) -> float | None:
    """Return the documented seconds of one call."""
    claim = result.claim
    if claim.latency_s is not None or claim.seconds_per_image is None:
        return claim.latency_s
    return claim.seconds_per_image * (result.settings.images or 1)


def name(result: CaseResult, *, mixed: bool) -> str:
    """Return a case's name, marked where it is tiny among others that are not."""
    return f"{result.case} (tiny)" if mixed and result.tiny else result.case


def _drawable(result: CaseResult) -> CaseResult:
    comparison, full = result.comparison, result.settings.size == "full"
    return replace(
        result,
        case=printable(result.case),
        reason=printable(result.reason or "") or None,
        comparison=replace(comparison, baseline=printable(comparison.baseline or "") or None),
        claim=replace(result.claim, device=printable(result.claim.device or "") or None) if full else Claim(),
    )


def _ran(run: Run, results: Sequence[CaseResult]) -> str:
    device = words.device(run.environment)
    kinds = " and ".join(sorted({result.settings.weights for result in results if result.settings.weights}))
    versions = [words.versions(run.environment, each) for each in ("torch", "diffusers")]
    return printable("  ·  ".join(filter(None, [device, *versions, f"weights: {kinds}" if kinds else ""])))
