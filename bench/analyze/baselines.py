"""Baselines that are kept under version control: a results.csv a device model and scenario.

    results/baselines/nvidia-h200/sd15-precision.csv

The gate finds the right one by the device that the new run was measured on.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bench.analyze.results import results
from bench.analyze.rows import Row
from bench.analyze.run import open_run
from bench.analyze.side import Side, of_run, open_side
from bench.errors import InputError
from bench.records import store
from bench.records.schema import FAULTS, Status
from bench.statistics import MIN_PROCESSES

FOLDER = Path("results/baselines")
NO_BASELINE = (*FAULTS, Status.INTERRUPTED)
"""Whatever comes next could only be better, so nothing could ever regress against them."""


def path_of(device_name: str, scenario: str, folder: Path = FOLDER) -> Path:
    """Return where the baseline of a scenario on a device model lies, whether or not there is one."""
    return folder / slug(device_name) / f"{scenario}.csv"


def slug(device_name: str) -> str:
    """Return the name of a device's folder."""
    return re.sub(r"[^a-z0-9]+", "-", device_name.lower()).strip("-")


def write(run: Path, folder: Path = FOLDER) -> tuple[list[Path], list[str]]:
    """Write a run's rows as baselines, a file a scenario, each replaced whole.

    Returns:
        the files, and what a reader should know of them.

    Raises:
        InputError: the run holds no case or what cannot be, or a baseline of another size lies there already.
    """
    opened = open_run(run)
    of_run(opened)  # what could not be compared is no baseline
    table = results(opened)
    kept = table[~table["status"].isin(list(NO_BASELINE))]
    if kept.empty:
        raise InputError(
            f"{run}: no case ended as one can be expected to again ({', '.join(NO_BASELINE)} are no baseline)"
        )
    dropped = [f"{row['scenario']}/{row['case']}" for _, row in table.drop(kept.index).iterrows()]
    by_file = {
        path_of(str(device), str(scenario), folder): rows
        for (device, scenario), rows in kept.groupby(["device_name", "scenario"], sort=False)
    }
    for path, rows in by_file.items():
        _refuse_another_size(path, rows)
    lost = [remark for path, rows in by_file.items() for remark in _lost(path, rows)]
    for path, rows in by_file.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        store.replace(path, rows.to_csv(index=False))
    broken = [f"left out, for they are no baseline ({', '.join(NO_BASELINE)}): {', '.join(dropped)}"] if dropped else []
    return list(by_file), [*broken, *_remarks(kept), *lost]


def find(new: Side, folder: Path = FOLDER) -> tuple[Side, list[str]]:
    """Return the baseline of the scenarios that a side has, for its device, and the scenarios that have none.

    Raises:
        InputError: there is none at all.
    """
    wanted = list(dict.fromkeys((str(row["device_name"]), str(row["scenario"])) for row in new.rows.values()))
    paths = [path_of(device, scenario, folder) for device, scenario in wanted]
    there = [path for path in paths if path.is_file()]
    if not there:
        raise InputError(f"{paths[0]}: there is no such baseline; keep one with: bench baseline RUN")
    rows: dict[str, Row] = {}
    for path in there:
        rows |= open_side(path).rows
    without = [scenario for (_, scenario), path in zip(wanted, paths, strict=True) if path not in there]
    return Side("baseline", there[0].parent, rows), without


def _lost(path: Path, rows: pd.DataFrame) -> list[str]:
    """Say which cases of the baseline that lies there are not in the new one; `--only` makes a run without them."""
    if not path.is_file():
        return []
    gone = [str(row["case"]) for row in open_side(path).rows.values() if row["case"] not in set(rows["case"])]
    return [f"{path}: the run has not measured {', '.join(gone)}: gone from the baseline"] if gone else []


def _refuse_another_size(path: Path, rows: pd.DataFrame) -> None:
    if not path.is_file():
        return
    before, now = ({str(row["size"]) for row in side} for side in (open_side(path).rows.values(), _plain(rows)))
    if before != now:
        sizes = f"{'+'.join(sorted(before))}, the run is {'+'.join(sorted(now))}"
        raise InputError(f"{path}: is of size {sizes}; remove it first, or choose another --folder")


def _plain(rows: pd.DataFrame) -> Sequence[Row]:
    return [{"size": size} for size in rows["size"]]


def _remarks(table: pd.DataFrame) -> list[str]:
    few = table[(table["processes"] > 0) & (table["processes"] < MIN_PROCESSES)]
    unstable = ", ".join(
        f"{row['scenario']}/{row['case']}" for _, row in table.iterrows() if row["status"] == Status.UNSTABLE
    )
    drifting = [f"unstable, so nothing can pass against them: {unstable}"] if unstable else []
    if few.empty:
        return drifting
    told = f"{len(few)} of {len(table)} cases have under {MIN_PROCESSES} processes"
    return [
        *drifting,
        f"{told}: memory and status can be judged against them, latency cannot; measure with --processes 4",
    ]
