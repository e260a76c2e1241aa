"""Open the folder of a run: its plan, its environment and the records of its processes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bench import files
from bench.errors import InputError
from bench.plan.case import Case, Plan
from bench.plan.stored import read_plan
from bench.records import store
from bench.records.case_result import Versions
from bench.records.columns import CellError, adapter
from bench.records.environment import RATES, Rates
from bench.records.models import ProcessRecord


@dataclass(frozen=True)
class Run:
    """What the folder of a run contains."""

    folder: Path
    plan: Plan
    environment: Mapping[str, Any]  # facts about the machine and the versions, as environment.json has them
    processes: tuple[ProcessRecord, ...]  # in the order in which they were measured

    @cached_property
    def cases(self) -> dict[str, Case]:
        """The cases of the plan by key."""
        return {case.key: case for case in self.plan.cases}

    @cached_property
    def rates(self) -> Rates | None:
        """The rates of the device; None if this run did not measure them. Raises `InputError` for a damaged file."""
        try:
            return adapter(Rates).validate_python(self.environment[RATES]) if RATES in self.environment else None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, (RATES, *first["loc"])))
            path = self.folder / store.ENVIRONMENT
            raise InputError(f"{path}: {where}: {first['msg']}; the file is damaged") from error

    @cached_property
    def versions(self) -> Versions:
        """The device and the software that every result of the run names. Raises `InputError` for a damaged file."""
        try:
            return Versions.of(self.environment)
        except CellError as error:
            raise InputError(f"{self.folder / store.ENVIRONMENT}: {error}; the file is damaged") from error

    @property
    def cores(self) -> int | None:
        """How many cores the machine has, as its operating system counts them; None if unknown."""
        cores = self.environment.get("cpu_threads")
        return cores if isinstance(cores, int) else None


def open_run(folder: Path) -> Run:
    """Read a run's folder.

    Raises:
        InputError: it is not the folder of a run, or a file in it is damaged; with file and line.
    """
    if not (folder / store.PROCESSES).is_file():
        old = (folder / store.OLD_PROCESSES).is_file()
        why = "was made by a version before 0.2.0; measure again" if old else "`bench run` makes one"
        raise InputError(f"{folder}: is not the folder of a run (it has no {store.PROCESSES}); {why}")
    plan, _ = read_plan(files.within(folder, store.PLAN))
    processes = store.read_processes(files.within(folder, store.PROCESSES))
    return Run(folder, plan, store.read_json(files.within(folder, store.ENVIRONMENT)), tuple(processes))


def newest(results: Path) -> Path:
    """Return the run in a folder of runs that was written to last; raise `InputError` if there is none."""
    runs = [path.parent for path in results.glob(f"*/{store.PROCESSES}")]
    if not runs:
        raise InputError(f"{results}: contains no run; `bench run` makes one, or name its folder")
    return max(runs, key=lambda run: (run / store.PROCESSES).stat().st_mtime)
