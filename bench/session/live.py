"""A run while it is being measured: every record is appended to a file and kept in memory.

Nothing is read back and no derived file is written between two processes, so what happens between them takes the same
time at the start of a run and after thousands of processes. Samples and results are written once, at the end; after a
kill they can be derived from `processes.jsonl`.
"""

import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bench.analyze.results import results
from bench.analyze.run import Run
from bench.execute.client import WorkerClient
from bench.execute.runner import InterruptedRunError, Listener, Runner
from bench.plan.case import Plan
from bench.plan.order import Job
from bench.plan.settings import RunSettings
from bench.records import environment, store
from bench.records.case_result import CaseResult
from bench.records.models import ProcessRecord
from bench.records.outcomes import Status
from bench.session.devices import Choice
from bench.session.files import writing
from bench.session.forecast import Pace
from bench.session.progress import Notices

_terminated = threading.Event()


@dataclass(frozen=True)
class Machine:
    """What measures a run: a worker client with its interpreter, and what a worker reported about the machine."""

    client: WorkerClient
    facts: Mapping[str, Any]
    python: str = sys.executable
    choice: Choice = field(default_factory=Choice)

    def start_client(self) -> WorkerClient:
        """Return another client, for when this one dies."""
        spawn = self.facts["started_by"] == "spawn"
        return WorkerClient(self.python, spawn=spawn, variables=self.choice.variables)


class LiveRun:
    """A run's folder, open for writing, and what measures into it. Use as a context manager.

    Args:
        folder: of the run.
        plan: to be measured.
        settings: of the run.
        machine: that measures it.
        resume: whether the folder has a run that is continued.
        again: statuses of processes on file that are dropped, to be measured again.

    Raises:
        InputError: the folder cannot be used.
    """

    def __init__(
        self, folder: Path, plan: Plan, settings: RunSettings, machine: Machine, *,
        resume: bool = False, again: Collection[Status] = (),
    ) -> None:  # fmt: skip
        self.folder, self.plan, self.settings = folder, plan, settings
        self.environment = environment.describe(machine.choice.describe(machine.facts))
        self._store = store.Store(folder)
        self.records = self._store.open(self._plan_json(), self.environment, resume=resume, again=again)
        before = store.read_json(folder / store.ENVIRONMENT)  # of a resumed run: with its rates
        changed, measured = environment.changes_card(before, self.environment), bool(self.records)
        self.environment = environment.continued(before, self.environment, measured=measured)
        self.changed_card = changed and measured
        if changed:
            self.describe()
        self._runner = Runner(folder, settings, machine.client, machine.start_client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.close()
        self._store.close()

    def grow(self, plan: Plan) -> None:
        """Replace the plan by one with further cases."""
        self.plan = plan
        with writing():
            self._store.grow(self._plan_json())

    def settle(self, settings: RunSettings) -> None:
        """Replace the settings of a run that has no records yet."""
        self.settings = self._runner.settings = settings
        with writing():
            self._store.grow(self._plan_json())

    def describe(self, **facts: Any) -> None:
        """Add facts to the environment."""
        self.environment |= facts
        with writing():
            self._store.describe(self.environment)

    def measure(self, jobs: Iterable[Job], listener: Listener) -> Iterator[ProcessRecord]:
        """Measure jobs, and yield each record once it is on disk.

        Raises:
            InterruptedRunError: somebody stopped the run; after the record of the process in flight.
            NotWrittenError: the disk refused a record.
        """
        for record in self._runner.run(_until_terminated(jobs), listener):
            with writing():
                self._store.append(record)
            self.records.append(record)
            yield record

    def measure_all(
        self, jobs: Iterable[Job], total: int | None, notices: Notices,
        after: Callable[[ProcessRecord], object] = lambda _: None, pace: Pace | None = None,
    ) -> bool:  # fmt: skip
        """Measure jobs, taken one by one so that `after` a record it may decide on the next; return whether stopped.

        The display takes the time left from `pace`.
        """
        try:
            with terminable(), notices.watch(total, pace) as progress:
                for record in self.measure(jobs, progress):
                    after(record)
        except (KeyboardInterrupt, InterruptedRunError):
            return True
        return False

    def run(self) -> Run:
        """Return what has been measured, as if it had been read from disk."""
        return Run(self.folder, self.plan, self.environment, tuple(self.records))

    def results(self) -> tuple[Run, list[CaseResult]]:
        run = self.run()
        return run, results(run)

    def _plan_json(self) -> dict[str, Any]:
        return {**self.plan.to_json(), "run": self.settings.to_json()}


def _until_terminated(jobs: Iterable[Job]) -> Iterator[Job]:
    """Yield jobs; raise `InterruptedRunError` if SIGTERM came while a library swallowed every exception."""
    for job in jobs:
        if _terminated.is_set():
            raise InterruptedRunError
        yield job


@contextmanager
def terminable() -> Iterator[None]:
    """Raise `InterruptedRunError` on SIGTERM, so that the case in flight still gets its record."""

    def stop(_signal: int, _frame: object) -> None:
        _terminated.set()
        raise InterruptedRunError

    if threading.current_thread() is not threading.main_thread():  # which alone receives signals
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        _terminated.clear()
