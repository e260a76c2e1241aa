"""Open the folder of a run: its rows with their types, its plan and its environment."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.analyze.rows import typed
from bench.errors import InputError
from bench.plan.case import Case, Plan
from bench.records import cells, schema, store
from bench.records.schema import MEASURED, Column

_KEYS = schema.names(schema.KEY)
_TOLD_IN_WORDS = ("status", "note")
"""Of a claim; its other values are numbers."""


@dataclass(frozen=True)
class Run:
    """What is on file of a run.

    Attributes:
        processes: a row a process, with the columns of `schema.PROCESSES`.
        samples: a row a sample of a process that has a row.
        environment: facts of the machine and versions.
    """

    folder: Path
    plan: Plan
    environment: dict[str, Any]
    processes: pd.DataFrame
    samples: pd.DataFrame


def open_run(folder: Path) -> Run:
    """Read a run's folder.

    Raises:
        InputError: it is no folder of a run, or a file in it is damaged.
    """
    if not (folder / store.PROCESSES).is_file():
        raise InputError(f"{folder}: is not the folder of a run (it has no {store.PROCESSES}); `bench run` makes one")
    processes = _table(folder / store.PROCESSES, schema.PROCESSES)
    samples = _table(folder / store.SAMPLES, schema.SAMPLES)
    _refuse_twice(folder / store.PROCESSES, processes, _KEYS)
    _refuse_twice(folder / store.SAMPLES, samples, [*_KEYS, "index"])
    committed = samples.merge(processes[_KEYS], on=_KEYS) if len(samples) else samples
    _refuse_without_samples(folder, processes, committed)
    return Run(folder, _plan(folder / store.PLAN), _environment(folder / store.ENVIRONMENT), processes, committed)


def _refuse_twice(path: Path, rows: pd.DataFrame, keys: list[str]) -> None:
    """Raise `InputError` for a row that stands there twice: two files were joined."""
    twice = rows[rows.duplicated(keys)]
    if len(twice):
        told = ", ".join(f"{name} {twice.iloc[0][name]}" for name in keys)
        raise InputError(f"{path}: {told} is there twice; the file was changed by hand")


def _refuse_without_samples(folder: Path, processes: pd.DataFrame, samples: pd.DataFrame) -> None:
    """Raise `InputError` for a process that measured and has no sample, for they are written first; or no images."""
    measured = processes[processes["status"].isin([str(status) for status in MEASURED])]
    known = set(samples[_KEYS].itertuples(index=False, name=None))
    for row in measured[[*_KEYS, "images"]].itertuples(index=False, name=None):
        scenario, case, process, images = row
        if row[:-1] not in known:
            fault = f"has no sample in {store.SAMPLES}, which was cut off; copy it again"
        elif pd.isna(images):
            fault = "has samples, but its images is empty; the file was changed by hand"
        else:
            continue
        raise InputError(f"{folder / store.PROCESSES}: process {process} of {scenario}/{case} {fault}")


def _environment(path: Path) -> dict[str, Any]:
    """Return the facts of the machine; raise `InputError` where one that goes into rows is no text."""
    facts = store.read_json(path)
    for name in schema.names(schema.VERSIONS):
        if not isinstance(facts.get(name), str | None):
            raise InputError(f"{path}: {name} is {facts[name]!r}, no text; the file was changed by hand")
    return facts


def _plan(path: Path) -> Plan:
    try:
        plan = Plan.from_json(store.read_json(path))
        tables = {table.scenario: dict(table.source) for table in plan.scenarios}
        for case in plan.cases:
            _ = tables[case.scenario], dict(case.call)
            _check(case)
        return plan  # noqa: TRY300 - what is read above is what everything else reads
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: is no plan of this version ({error}); the file is damaged") from error


def _check(case: Case) -> None:
    """Raise ValueError or TypeError for a case's value that no scenario can have given and that goes into rows."""
    if not isinstance(case.name, str) or not isinstance(case.baseline, str | None):
        raise TypeError(f"{case.name!r} of baseline {case.baseline!r} is no name")
    if case.threshold is not None and not 0 < case.threshold < 1:
        raise ValueError(f"{case.key}: threshold {case.threshold} is no share between 0 and 1")
    for name, value in dict(case.claim).items():
        if name not in _TOLD_IN_WORDS and not isinstance(value, int | float):
            raise TypeError(f"{case.key}: claim {name} {value!r} is no number")


def newest(results: Path) -> Path:
    """Return the run in a folder of runs that was written to last; raise `InputError` where there is none."""
    runs = [path.parent for path in results.glob(f"*/{store.PROCESSES}")]
    if not runs:
        raise InputError(f"{results}: holds no run; `bench run` makes one, or name its folder")
    return max(runs, key=lambda run: (run / store.PROCESSES).stat().st_mtime)


def _table(path: Path, columns: tuple[Column, ...]) -> pd.DataFrame:
    return typed(
        [{column.name: cells.value(column, row[column.name]) for column in columns} for row in store.read_rows(path)],
        columns,
    )
