"""Open the folder of a run: its rows with their types, its plan and its environment."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import InputError
from bench.plan.case import Plan
from bench.records import schema, store
from bench.records.schema import Column


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
    keys = schema.names(schema.KEY)
    committed = samples.merge(processes[keys], on=keys) if len(samples) else samples
    return Run(folder, _plan(folder / store.PLAN), store.read_json(folder / store.ENVIRONMENT), processes, committed)


def _plan(path: Path) -> Plan:
    try:
        plan = Plan.from_json(store.read_json(path))
        tables = {table.scenario: dict(table.source) for table in plan.tables}
        for case in plan.cases:
            _ = tables[case.scenario], dict(case.call), dict(case.claim)
        return plan  # noqa: TRY300 - what is read above is what everything else reads
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: is no plan of this version ({error}); the file is damaged") from error


def newest(results: Path) -> Path:
    """Return the run in a folder of runs that was written to last; raise `InputError` where there is none."""
    runs = [path.parent for path in results.glob(f"*/{store.PROCESSES}")]
    if not runs:
        raise InputError(f"{results}: holds no run; `bench run` makes one, or name its folder")
    return max(runs, key=lambda run: (run / store.PROCESSES).stat().st_mtime)


def _table(path: Path, columns: tuple[Column, ...]) -> pd.DataFrame:
    rows = store.read_rows(path)
    frame = pd.DataFrame(rows, columns=schema.names(columns), dtype="string").replace("", pd.NA)
    try:
        return frame.assign(**{column.name: _typed(frame[column.name], column) for column in columns})
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{path}: a value is not of its column's type ({error}); the file was changed by hand"
        ) from error


def _typed(values: Any, column: Column) -> Any:
    if column.type != schema.BOOL:
        return values.astype(column.type)
    unknown = set(values.dropna()) - {"True", "False"}
    if unknown:
        raise ValueError(f"{column.name} is {unknown.pop()!r}, not True or False")
    return values.map({"True": True, "False": False}).astype("boolean")
