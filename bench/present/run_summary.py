"""Five lines that end a run: what ran, what became faster, which documented figures hold, what needs attention."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.analyze import highlights
from bench.analyze.run import Run
from bench.analyze.similarity import another_image
from bench.present import claims, shell, words
from bench.records.case_result import CaseResult, Claim
from bench.records.outcomes import Status

MOST_NAMED = 3


def lines(run: Run, results: Sequence[CaseResult], plots: int) -> list[str]:
    """Return the five lines.

    Args:
        run: the run that has ended.
        results: its results.
        plots: the number of plots that were drawn.
    """
    then = "; ".join(shell.of_python("-m", "bench", name, str(run.folder)) for name in ("report", "recommend"))
    return [
        _ran(results, run.environment),
        f"Fastest: {_fastest(results)}",
        f"Documented figures: {_documented(results)}",
        f"To look at: {_odd(results)}",
        f"Files: {run.folder}/ (tables.md, results.csv, {words.count(plots, 'plot')}). Next: {then}",
    ]


def _ran(results: Sequence[CaseResult], environment: Mapping[str, Any]) -> str:
    ended = ", ".join(f"{count} {status}" for status, count in highlights.statuses(results).items())
    device = words.device(environment, "an unknown device")
    warning = words.caution(results)
    return " ".join(filter(None, [f"{words.count(len(results), 'case')} on {device}: {ended or 'none'}.", warning]))


def _fastest(results: Sequence[CaseResult]) -> str:
    best = sorted(highlights.fastest(results), key=lambda each: (another_image(each), -(each.comparison.speedup or 0)))
    named = [f"{each.key} {words.speedup(each.comparison)}{_image(each)}" for each in best]
    more = f", and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return f"{', '.join(named[:MOST_NAMED])}{more}." if named else f"{words.NO_GAIN[highlights.no_gain(results)]}."


def _image(result: CaseResult) -> str:
    return " (a different image by design)" if another_image(result) else ""


def _documented(results: Sequence[CaseResult]) -> str:
    sizes = {result.tiny for result in results if result.status.measured}
    if sizes == {True}:
        return "not judged by tiny models."
    judged = claims.verdict_groups([result for result in results if result.claim.judged_by is not None])
    if judged:
        return f"{', '.join(f'{len(group)} {verdict}' for verdict, group in judged.items())}."
    if all(result.claim == Claim() for result in results):
        return "these scenarios have none."
    return "none could be judged; tables.md says why."


def _odd(results: Sequence[CaseResult]) -> str:
    """Name what has no figure or a remark, by kind; skipped cases are only counted above."""
    odd = [warning for warning in highlights.warnings(results) if warning.kind != Status.SKIPPED]
    named = [f"{words.warning(each.kind)} ({each.cases})" for each in sorted(odd, key=lambda each: -each.cases)]
    more = f" and {len(named) - MOST_NAMED} more kinds" if len(named) > MOST_NAMED else ""
    return f"{', '.join(named[:MOST_NAMED])}{more}; tables.md names the cases." if named else "nothing."
