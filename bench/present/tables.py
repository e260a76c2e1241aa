"""The documentation's own tables, `setup | latency | speed-up`, with additional columns for what it leaves out."""

from collections.abc import Callable, Sequence
from typing import Any

from bench import units
from bench.analyze.memory import peak_bytes
from bench.analyze.run import Run
from bench.plan.case import ScenarioInfo
from bench.present import claims, render, words
from bench.present.grid import ALWAYS, Cell, Column, Grid, claim_tone, field, status_tone, value_of
from bench.records.case_result import CaseResult

Field = tuple[Column, Callable[[CaseResult], Cell]]
"""A column of the table, and how its cell follows from a result."""


def tables(run: Run, results: Sequence[CaseResult]) -> list[Grid]:
    """Return the tables of a run, one per scenario that has a result."""
    return [table(info, own) for info in run.plan.scenarios if (own := of_scenario(info, results))]


def of_scenario(info: ScenarioInfo, results: Sequence[CaseResult]) -> list[CaseResult]:
    """Return the results of one scenario."""
    return [result for result in results if result.scenario == info.scenario]


def table(info: ScenarioInfo, results: Sequence[CaseResult]) -> Grid:
    """Return the table of one scenario; columns in which nothing is known are left out."""
    grid = Grid(
        title=f"{info.title} ({info.scenario})",
        columns=tuple(column for column, _ in FIELDS),
        rows=tuple(tuple(cell(result) for _, cell in FIELDS) for result in results),
        warning=words.caution(results),
        notes=tuple(filter(None, [_source(info), _weights(results), _disturbed(results)])),
        details=tuple(f"{result.case}: {result.claim.note}" for result in results if result.claim.note),
    )
    return grid.without_empty_columns()


def markdown(run: Run, grids: Sequence[Grid]) -> str:
    """Return the tables of a run as one Markdown document."""
    facts = run.environment
    versions = words.versions(facts, "torch", "diffusers", "transformers")
    device = words.device(facts)
    parts = [f"# {render.escaped(run.folder.resolve().name)}", render.escaped(f"{device}; {versions}.")]
    for grid in grids:
        notes = [render.escaped(note) for note in (grid.warning, *grid.notes) if note]
        parts += [f"## {render.escaped(grid.title)}", *notes, render.markdown(grid)]
        if grid.details:
            details = "\n".join(f"- {render.escaped(each)}" for each in grid.details)
            parts += ["Notes on the documented figures:", details]
    return "\n\n".join(parts) + "\n"


def show(grids: Sequence[Grid]) -> None:
    """Print tables on the terminal."""
    for grid in grids:
        render.show(grid, "tables.md and results.csv have everything")
        render.say([""])


def _source(info: ScenarioInfo) -> str:
    if not info.source:
        return ""
    device = f" on {info.source['device']}" if info.source.get("device") else ""
    document = info.source.get("document", "an unnamed document")
    return f"Documented in {document}{device}; on any other device its seconds are not judged."


def _weights(results: Sequence[CaseResult]) -> str:
    kinds = sorted({result.settings.weights for result in results if result.settings.weights})
    return " ".join(filter(None, [f"Weights: {', '.join(kinds)}.", words.intervals(results)])) if kinds else ""


def _disturbed(results: Sequence[CaseResult]) -> str:
    found = words.disturbed(results)
    return f"Load: {found}." if found else ""


def _figure(
    name: str,
    source: str,
    text: Callable[[CaseResult], str],
    keep: int = 0,
    value: Callable[[CaseResult], float | None] | None = None,
) -> Field:
    """Return a column of figures, printed from a column of results.csv (or from `value`), which says what they are."""
    known = field(source)

    def cell(result: CaseResult) -> Cell:
        shown = text(result)
        return Cell(shown, (value(result) if value else value_of(result, known)) if shown else None)

    return Column(name, known.doc, keep=keep), cell


def _plain(name: str, source: str, form: Callable[[Any], str]) -> Field:
    return _figure(name, source, lambda each: "" if (value := value_of(each, field(source))) is None else form(value))


def _words(name: str, doc: str, cell: Callable[[CaseResult], Cell], keep: int = 0, *, below: bool = False) -> Field:
    return Column(name, doc, left=True, wraps=True, keep=keep, below=below), cell


def _latency(result: CaseResult) -> Cell:
    if not result.measured:
        return Cell(result.status, tone=status_tone(result.status))
    return Cell(units.seconds(result.statistics.latency_median_s), result.statistics.latency_median_s)


def _interval(result: CaseResult) -> str:
    return units.span(result.statistics.latency_low_s, result.statistics.latency_high_s)


def _samples(result: CaseResult) -> str:
    return str(result.statistics.samples) if result.measured else ""


def _seconds_per_image(result: CaseResult) -> str:
    several = result.measured and (result.settings.images or 0) > 1
    return units.seconds(result.statistics.seconds_per_image) if several else ""


def _verdict(result: CaseResult) -> Cell:
    return Cell() if result.tiny else Cell(claims.all_verdicts(result), tone=claim_tone(result))


FIELDS: tuple[Field, ...] = (
    _words("setup", field("case").doc, lambda each: Cell(each.case, tag=words.label(each)), ALWAYS),
    (Column("latency", field("latency_median_s").doc, keep=ALWAYS), _latency),
    _figure("speed-up", "speedup", lambda each: words.speedup(each.comparison), 5),
    _figure("95 % interval", "latency_low_s", _interval, 1),
    _figure("n", "samples", _samples),
    _figure("s/image", "seconds_per_image", _seconds_per_image),
    _figure("s/frame", "seconds_per_frame", lambda each: units.seconds(each.statistics.seconds_per_frame), 3),
    _plain("steps", "steps", str),
    _plain("denoiser calls", "denoiser_calls", str),
    _plain("first call", "first_call_s", units.seconds),
    _plain("breaks even after", "break_even_images", "{:.0f} images".format),
    _figure("peak memory", "peak_allocated_bytes", lambda each: units.memory(peak_bytes(each)), 4, peak_bytes),
    _figure("similarity", "psnr_db", words.psnr),
    _plain("CLIP score", "clip_score", "{:.1f}".format),
    _plain("of the roofline", "roofline_fraction", "{:.0%}".format),
    _words("documented", "what the documentation says", lambda each: Cell(claims.documented(each)), 2),
    _words("verdict", field("claim_verdict").doc, _verdict, 3),
    _words("notes", field("reason").doc, lambda each: Cell(words.notes(each)), below=True),
)
