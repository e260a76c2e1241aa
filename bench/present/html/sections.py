"""What the page says of a run, and of each of its scenarios, in the order in which it says it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.analyze import highlights as findings
from bench.analyze import pareto
from bench.analyze.highlights import Warnings
from bench.analyze.rows import Row, plain_rows
from bench.analyze.run import Run, open_run
from bench.plan.case import ScenarioInfo
from bench.present import tables
from bench.present.html import gallery, grid, raw
from bench.present.html.figures import Figure, figures
from bench.present.html.gallery import Card
from bench.present.html.grid import Grid
from bench.present.html.pictures import Album, album
from bench.present.html.raw import Raw
from bench.records import store

VERSIONS = ("torch", "diffusers", "transformers", "accelerate", "cuda", "driver", "python")


@dataclass(frozen=True)
class Scenario:
    """One scenario of a run: its tables, plots, front and pictures."""

    anchor: str
    name: str
    title: str
    source: dict[str, str]
    lines: list[str]
    remarks: list[str]
    table: Grid
    figures: list[Figure]
    front: Grid
    cards: list[Card]


@dataclass(frozen=True)
class Section:
    """One run: what ran where, what was found, its scenarios, and everything that is on file of it."""

    anchor: str
    name: str
    device: str
    versions: str
    measured_on: str
    weights: str
    sizes: list[str]
    statuses: dict[str, int]
    cases: int
    best: Grid
    no_gain: str
    verdicts: dict[str, list[str]]
    warnings: list[Warnings]
    scenarios: list[Scenario]
    raw: list[Raw]
    samples: Grid
    environment: dict[str, str]


def sections(runs: Sequence[tuple[Path, pd.DataFrame]]) -> tuple[list[Section], Album]:
    """Return what the page says of each run, and the pictures of all; raise `InputError` for a folder of no run."""
    opened = [(open_run(folder), frame, list[Row](plain_rows(frame))) for folder, frame in runs]
    pictures = album(path for run, _, rows in opened for path in gallery.paths(run.folder, rows))
    return [_section(f"run-{n}", *each, pictures) for n, each in enumerate(opened, 1)], pictures


def _section(anchor: str, run: Run, frame: pd.DataFrame, rows: list[Row], pictures: Album) -> Section:
    facts = run.environment
    return Section(
        anchor=anchor,
        name=run.folder.resolve().name,
        device=str(facts.get("device_name") or "unknown device"),
        versions=", ".join(f"{name} {facts[name]}" for name in VERSIONS if facts.get(name)),
        measured_on=_days(rows),
        weights=", ".join(_distinct(rows, "weights")),
        sizes=_distinct(rows, "size"),
        statuses=findings.statuses(rows),
        cases=len(rows),
        best=grid.best(rows),
        no_gain=findings.no_gain(rows),
        verdicts=findings.verdicts(rows),
        warnings=findings.warnings(rows),
        scenarios=_scenarios(anchor, run, frame, rows, pictures),
        raw=raw.groups(rows),
        samples=raw.samples(run),
        environment=_settings(run),
    )


def _scenarios(anchor: str, run: Run, frame: pd.DataFrame, rows: list[Row], pictures: Album) -> list[Scenario]:
    """Return the scenarios that have a row, as `tables.tables` does."""
    told = [table for table in run.plan.scenarios if any(row["scenario"] == table.scenario for row in rows)]
    shown = tables.tables(run, frame)
    return [
        _scenario(f"{anchor}-{n}", run, table, text, frame, pictures)
        for n, (table, text) in enumerate(zip(told, shown, strict=True), 1)
    ]


def _scenario(
    anchor: str, run: Run, table: ScenarioInfo, shown: tables.Shown, frame: pd.DataFrame, pictures: Album
) -> Scenario:
    own = frame[frame["scenario"] == table.scenario]
    rows = plain_rows(own)
    return Scenario(
        anchor=anchor,
        name=table.scenario,
        title=table.title,
        source=flat(table.source),
        lines=shown.lines,
        remarks=shown.remarks,
        table=grid.documented(table, shown, rows),
        figures=figures(run, table, frame, anchor),
        front=grid.front(pareto.points(own)),
        cards=gallery.cards(run.folder, rows, pictures),
    )


def _settings(run: Run) -> dict[str, str]:
    """Return the facts of the machine, the versions, and the settings of the run, as they are on file."""
    plan = store.read_json(run.folder / store.PLAN)
    return flat({**run.environment, "run": plan.get("run", {})})


def flat(facts: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return facts by their dotted names, without those that are unknown."""
    found: dict[str, str] = {}
    for name, value in facts.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        elif value is not None:
            found[f"{prefix}{name}"] = str(value)
    return found


def _distinct(rows: Sequence[Row], column: str) -> list[str]:
    return sorted({str(row[column]) for row in rows if row[column] is not None})


def _days(rows: Sequence[Row]) -> str:
    """Return the day, or the first and the last, on which cases were started."""
    days = sorted({row["started_at"][:10] for row in rows if row["started_at"]})
    return " to ".join(dict.fromkeys([days[0], days[-1]])) if days else ""
