"""What the page says about a run and each of its scenarios, in the order in which it says it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.analyze import highlights
from bench.analyze.run import Run
from bench.plan.case import ScenarioInfo
from bench.present import tables, words
from bench.present.grid import Grid
from bench.present.html import gallery
from bench.present.html import tables as grids
from bench.present.html.figures import Figure, figures
from bench.present.html.gallery import Card
from bench.present.html.pictures import Album, album
from bench.present.html.tables import Raw
from bench.present.plots.subject import subject
from bench.records import store
from bench.records.case_result import CaseResult

VERSIONS = ("torch", "diffusers", "transformers", "accelerate", "cuda", "driver", "python")


@dataclass(frozen=True)
class Scenario:
    """One scenario of a run: its table, plots, front and pictures."""

    anchor: str
    info: ScenarioInfo
    source: dict[str, str]
    table: Grid
    figures: list[Figure]
    front: Grid
    cards: list[Card]


@dataclass(frozen=True)
class Section:
    """One run: what ran where, its scenarios, and everything that is on file about it."""

    anchor: str
    name: str
    results: Sequence[CaseResult]
    device: str
    facts: dict[str, str]
    random: bool
    best: Grid
    scenarios: list[Scenario]
    raw: list[Raw]
    samples: Grid
    environment: dict[str, str]


def sections(runs: Sequence[tuple[Run, Sequence[CaseResult]]]) -> tuple[list[Section], Album]:
    """Return what the page says about each run, and the pictures of all."""
    pictures = album(path for run, results in runs for path in gallery.paths(run, results))
    return [_section(f"run-{n}", *each, pictures) for n, each in enumerate(runs, 1)], pictures


def _section(anchor: str, run: Run, results: Sequence[CaseResult], pictures: Album) -> Section:
    weights = sorted({result.settings.weights for result in results if result.settings.weights})
    infos = [info for info in run.plan.scenarios if tables.of_scenario(info, results)]
    ended = ", ".join(f"{count} {status}" for status, count in highlights.statuses(results).items())
    facts = {
        "Device": words.device(run.environment),
        "Versions": words.versions(run.environment, *VERSIONS),
        "Measured on": _days(results),
        "Weights": ", ".join(weights),
        "Cases": f"{len(results)} in {words.count(len(infos), 'scenario')}: {ended}",
    }
    return Section(
        anchor=anchor,
        name=run.folder.resolve().name,
        results=results,
        device=facts["Device"],
        facts={name: value for name, value in facts.items() if value},
        random="random" in weights,
        best=grids.best(results),
        scenarios=[_scenario(f"{anchor}-{n}", run, info, results, pictures) for n, info in enumerate(infos, 1)],
        raw=grids.raw(results),
        samples=grids.samples(run.processes),
        environment=flat({**run.environment, "run": store.read_json(run.folder / store.PLAN).get("run", {})}),
    )


def _scenario(anchor: str, run: Run, info: ScenarioInfo, results: Sequence[CaseResult], pictures: Album) -> Scenario:
    own = tables.of_scenario(info, results)
    drawn = subject(run, info, own)
    return Scenario(
        anchor=anchor,
        info=info,
        source=flat(info.source),
        table=grids.documented(tables.table(info, own)),
        figures=figures(drawn, info.title, anchor),
        front=grids.front(drawn.points),
        cards=gallery.cards(run, own, pictures),
    )


def flat(facts: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return facts by their dotted names, without those that are unknown."""
    found: dict[str, str] = {}
    for name, value in facts.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        elif value is not None:
            found[f"{prefix}{name}"] = str(value)
    return found


def _days(results: Sequence[CaseResult]) -> str:
    days = sorted({result.timings.started_at[:10] for result in results if result.timings.started_at})
    return " to ".join(dict.fromkeys([days[0], days[-1]])) if days else ""
