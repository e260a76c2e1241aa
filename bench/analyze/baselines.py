"""Baselines that are kept under version control: one results.csv for each device model and scenario.

    results/baselines/nvidia-h200/sd15-precision.csv

The gate finds the right one by the device that the new run was measured on.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import files
from bench.analyze.results import results
from bench.analyze.run import open_run
from bench.analyze.side import Side, open_side
from bench.errors import InputError
from bench.records.case_result import CaseResult
from bench.records.outcomes import FAULTS, Status
from bench.records.table import results_csv
from bench.statistics import MIN_PROCESSES

FOLDER = Path("results/baselines")
NO_BASELINE = (*FAULTS, Status.INTERRUPTED)
"""Whatever comes next could only be better, so nothing could ever regress against them."""


@dataclass(frozen=True)
class Saved:
    """The baselines that a run was saved as, and what to know about them; cases are named by key."""

    paths: tuple[Path, ...]  # one file for each scenario
    cases: tuple[str, ...]
    left_out: tuple[str, ...]  # not saved, because of how they ended
    unstable: tuple[str, ...]  # no latency can pass against them
    few_processes: tuple[str, ...]  # too few for a latency to be judged against them
    lost: tuple[str, ...]  # in the replaced files but not in the run, because `run --only` left them out


def path_of(device_name: str | None, scenario: str, folder: Path = FOLDER) -> Path:
    """Return where the baseline of a scenario on a device model is, whether or not there is one."""
    return folder / slug(device_name or "unknown device") / f"{scenario}.csv"


def slug(device_name: str) -> str:
    """Return the name of a device's folder."""
    return re.sub(r"[^a-z0-9]+", "-", device_name.lower()).strip("-")


def write(run: Path, folder: Path = FOLDER) -> Saved:
    """Write a run's results as baselines, one file for each scenario, each replaced whole.

    Raises:
        InputError: the run has no case to save, or one of its files would replace results of another size.
    """
    opened = open_run(run)
    found = results(opened)
    kept = [result for result in found if result.status not in NO_BASELINE]
    if not kept:
        raise InputError(f"{run}: has no case to save; a baseline cannot have status {', '.join(NO_BASELINE)}")
    by_file: dict[Path, list[CaseResult]] = {}
    for result in kept:
        by_file.setdefault(path_of(opened.versions.device_name, result.scenario, folder), []).append(result)
    lost = [key for path, saved in by_file.items() for key in _lost(path, saved)]
    for path, saved in by_file.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        files.replace(path, results_csv(saved))
    return Saved(
        paths=tuple(by_file),
        cases=_keys(kept),
        left_out=_keys([result for result in found if result.status in NO_BASELINE]),
        unstable=_keys([result for result in kept if result.status is Status.UNSTABLE]),
        few_processes=_keys([result for result in kept if 0 < result.statistics.processes < MIN_PROCESSES]),
        lost=tuple(lost),
    )


def find(new: Side, folder: Path = FOLDER) -> tuple[Side, list[str]]:
    """Return the baseline of the scenarios that a side has, for its device, and the scenarios that have none.

    Raises:
        InputError: there is none at all, or a scenario's name cannot be that of a file.
    """
    for result in new.results.values():
        if not files.is_name(result.scenario):
            raise InputError(
                f"{new.path}: the scenario {result.scenario!r:.60} cannot be the name of a file; correct it"
            )
    paths = {
        path_of(result.versions.device_name, result.scenario, folder): result.scenario
        for result in new.results.values()
    }
    existing = [path for path in paths if path.is_file()]
    if not existing:
        raise InputError(f"{next(iter(paths))}: there is no such baseline; save one with: bench save-baseline RUN")
    found: dict[str, CaseResult] = {}
    for path in existing:
        found |= open_side(path).results
    return Side("baseline", existing[0].parent, found), [paths[path] for path in paths if path not in existing]


def _lost(path: Path, saved: Sequence[CaseResult]) -> list[str]:
    """Return the cases that a file has and would lose; raise `InputError` if what it has is of another size."""
    if not path.is_file():
        return []
    before = open_side(path).results
    sizes = [sorted({str(each.settings.size) for each in side}) for side in (before.values(), saved)]
    if sizes[0] != sizes[1]:
        old, new = map("+".join, sizes)
        raise InputError(
            f"{path}: has size {old}, but the run has size {new}; remove it first, or choose another --folder"
        )
    kept = set(_keys(saved))
    return [key for key in before if key not in kept]


def _keys(found: Sequence[CaseResult]) -> tuple[str, ...]:
    return tuple(result.key for result in found)
