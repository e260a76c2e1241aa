"""Open the folder of a run: its plan, its environment and the records of its processes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.errors import InputError
from bench.plan.case import Case, Plan
from bench.records import store
from bench.records.case_result import Versions
from bench.records.columns import CellError, columns, from_flat
from bench.records.models import ProcessRecord

_WORDS_OF_CLAIMS = ("status", "note")
"""The other values of a claim are numbers."""


@dataclass(frozen=True)
class Run:
    """What is on file of a run.

    Attributes:
        folder: that holds it.
        plan: what was to be measured.
        environment: facts of the machine and versions, as `environment.json` has them.
        processes: what was measured, in the order of time.
    """

    folder: Path
    plan: Plan
    environment: Mapping[str, Any]
    processes: tuple[ProcessRecord, ...]

    @cached_property
    def cases(self) -> dict[str, Case]:
        """The cases of the plan by key."""
        return {case.key: case for case in self.plan.cases}

    @cached_property
    def versions(self) -> Versions:
        """The device and the software, as the results have them."""
        return from_flat(Versions, {each.name: self.environment.get(each.name) for each in columns(Versions)})


def open_run(folder: Path) -> Run:
    """Read a run's folder.

    Raises:
        InputError: it is not the folder of a run, or a file in it is damaged; with file and line.
    """
    if not (folder / store.PROCESSES).is_file():
        old = (folder / store.OLD_PROCESSES).is_file()
        why = "was made by a version before 0.2.0; measure again" if old else "`bench run` makes one"
        raise InputError(f"{folder}: is not the folder of a run (it has no {store.PROCESSES}); {why}")
    processes = tuple(store.read_processes(folder / store.PROCESSES))
    environment = store.read_json(folder / store.ENVIRONMENT)
    run = Run(folder, _plan(folder / store.PLAN), environment, processes)
    try:
        _ = run.versions
    except CellError as error:
        raise InputError(f"{folder / store.ENVIRONMENT}: {error}; the file is damaged") from error
    return run


def newest(results: Path) -> Path:
    """Return the run in a folder of runs that was written to last; raise `InputError` where there is none."""
    runs = [path.parent for path in results.glob(f"*/{store.PROCESSES}")]
    if not runs:
        raise InputError(f"{results}: contains no run; `bench run` makes one, or name its folder")
    return max(runs, key=lambda run: (run / store.PROCESSES).stat().st_mtime)


def _plan(path: Path) -> Plan:
    try:
        plan = Plan.from_json(store.read_json(path))
        sources = {info.scenario: dict(info.source) for info in plan.tables}
        for case in plan.cases:
            _ = sources[case.scenario], dict(case.call)
            _check(case)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: is not a plan of this version ({error}); the file is damaged") from error
    return plan


def _check(case: Case) -> None:
    """Raise ValueError or TypeError for a value that no scenario can have given and that results are derived from."""
    if not isinstance(case.name, str) or not isinstance(case.baseline, str | None):
        raise TypeError(f"{case.name!r} of baseline {case.baseline!r} is not a name")
    if case.threshold is not None and not 0 < case.threshold < 1:
        raise ValueError(f"{case.key}: threshold {case.threshold} is not a share between 0 and 1")
    for name, value in dict(case.claim).items():
        if name not in _WORDS_OF_CLAIMS and not isinstance(value, int | float):
            raise TypeError(f"{case.key}: claim {name} {value!r} is not a number")
