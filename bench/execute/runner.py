"""Measure the cases of a plan one after the other. Every case yields a row, whatever becomes of its process."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from bench.execute.attempt import Attempt
from bench.execute.client import WorkerClient
from bench.execute.worker.protocol import DeadlineError, Event, ServerGoneError
from bench.plan.order import Job
from bench.plan.settings import RunSettings
from bench.records.models import ProcessRecord
from bench.records.outcomes import Status

IMAGES, LOGS = "images", "logs"


class InterruptedRunError(Exception):
    """The person, or the system, asked for the end (Ctrl-C, SIGTERM)."""


class Listener(Protocol):
    """Somebody who watches a run, from the parent: the worker does not wait for it."""

    def begin(self, job: Job) -> None:
        """A process begins."""

    def event(self, job: Job, event: Event) -> None:
        """A worker told something."""

    def end(self, job: Job, record: ProcessRecord) -> None:
        """A process ended, and its record is on file."""


class Runner:
    """Measures cases through a fork server, which it replaces when it dies.

    Of several processes of a case one is diagnosed: where a call's time goes and what the device can do is asked once.

    Attributes:
        folder: of the run; images and logs are written below it.
        settings: the same for all cases.
    """

    def __init__(
        self, folder: Path, settings: RunSettings, server: WorkerClient, start_server: Callable[[], WorkerClient]
    ) -> None:
        self.folder = folder
        self.settings = settings
        self._server = server
        self._start_server = start_server
        self._diagnosed: set[str] = set()

    def run(self, jobs: Iterable[Job], listener: Listener) -> Iterator[ProcessRecord]:
        """Measure each job and yield its outcome before the next one begins; give a case up that could not be measured.

        After `InterruptedRunError` or `KeyboardInterrupt` in a case its `interrupted` outcome is yielded, the last one.
        """
        given_up: set[str] = set()
        for job in jobs:
            if job.case.key in given_up:
                continue
            listener.begin(job)
            record, interrupted = self._measure(job, listener)
            (self._diagnosed if record.status.measured else given_up).add(job.case.key)
            yield record
            listener.end(job, record)
            if interrupted:
                return

    def close(self) -> None:
        """End the server and whatever it still runs."""
        self._server.close()

    def _measure(self, job: Job, listener: Listener) -> tuple[ProcessRecord, bool]:
        attempt = Attempt(job)
        timeout = self.settings.timeout_s or job.case.timeout_s
        interrupted = False
        try:
            for event in self._server.request(self._request(job), timeout):
                attempt.take(event)
                listener.event(job, event)
        except DeadlineError:
            if not self._server.end_worker(attempt.pid):
                self._server = self._start_server()
            attempt.time_out(timeout)
        except ServerGoneError:
            self._server.close()
            self._server = self._start_server()
            attempt.lose_server()
        except (KeyboardInterrupt, InterruptedRunError):
            self._server.close()
            attempt.conclude(Status.INTERRUPTED, f"stopped on request while {attempt.phase}")
            interrupted = True
        return attempt.record(), interrupted

    def _request(self, job: Job) -> dict[str, Any]:
        case = job.case
        settings = replace(self.settings, diagnose=False) if case.key in self._diagnosed else self.settings
        images, log = self.folder / IMAGES, self.folder / LOGS / case.scenario / f"{case.name}-{job.process}.log"
        return {
            "op": "case",
            "case": case.to_json(),
            "run": settings.to_json(),
            "images": None if (images / case.scenario / f"{case.name}-0.png").exists() else str(images.absolute()),
            "log": str(log.absolute()),
        }
