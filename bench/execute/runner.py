"""Measure cases one after the other. Every case yields a record, however its process ends."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from bench import files
from bench.errors import InputError
from bench.execute.attempt import Attempt
from bench.execute.client import WorkerClient
from bench.execute.events import DeadlineError, InvalidEventError, ServerGoneError
from bench.execute.interpreter import mask_log
from bench.execute.worker.protocol import Event
from bench.measure.memory_trace import DEVICES
from bench.plan.order import Job
from bench.plan.settings import RunSettings
from bench.records.models import ProcessRecord
from bench.records.outcomes import Status

IMAGES, LOGS, TRACES = "images", "logs", "traces"


class InterruptedRunError(BaseException):
    """The user or the system asked the run to stop (Ctrl-C, SIGTERM).

    A signal can arrive inside any library. Like `KeyboardInterrupt`, this passes its `except Exception`.
    """


class Listener(Protocol):
    """Follows a run in the parent process; workers do not wait for it."""

    def begin(self, job: Job) -> None:
        """A process begins."""

    def event(self, job: Job, event: Event) -> None:
        """A worker reported something."""

    def end(self, job: Job, record: ProcessRecord) -> None:
        """A process has ended, and its record is on file."""


class Runner:
    """Measures cases through a fork server, which it replaces if it dies.

    Only one process of each case is diagnosed: where the time of a call goes does not need to be repeated.

    Attributes:
        folder: of the run; images and logs are written below it.
        settings: the same for all cases.
    """

    def __init__(
        self, folder: Path, settings: RunSettings, client: WorkerClient, start_client: Callable[[], WorkerClient]
    ) -> None:
        self.folder = folder
        self.settings = settings
        self._client = client
        self._start_client = start_client
        self._diagnosed: set[str] = set()

    def run(self, jobs: Iterable[Job], listener: Listener) -> Iterator[ProcessRecord]:
        """Measure each job and yield its record before the next one begins.

        A case that could not be measured is not tried again.

        Raises:
            InterruptedRunError: somebody stopped the run, by Ctrl-C too; after the record of the process in flight. A
                process that had reported its outcome keeps it, so its status need not be `interrupted`.
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
                raise InterruptedRunError

    def close(self) -> None:
        """End the fork server and its worker."""
        self._client.close()

    def _measure(self, job: Job, listener: Listener) -> tuple[ProcessRecord, bool]:
        if not self._client.running:  # an earlier question to it, such as that for the rates, was not answered in time
            self._client = self._start_client()
        attempt = Attempt(job)
        try:
            log = files.within(
                files.subfolder(self.folder, LOGS, job.case.scenario), f"{job.case.name}-{job.process}.log"
            )
            request = self._request(job, log)
        except (OSError, InputError) as error:  # a full disk, or a link where a folder is expected
            attempt.conclude(Status.FAILED, str(error))
            return attempt.record(), False
        timeout_s = self.settings.timeout_s or job.case.timeout_s
        interrupted = False
        try:
            for event in self._client.request(request, timeout_s):
                attempt.take(event)
                listener.event(job, event)
        except DeadlineError:
            self._end_worker(attempt)
            attempt.time_out(timeout_s)
        except InvalidEventError as error:
            self._end_worker(attempt)
            attempt.reject(error)
        except ServerGoneError:
            self._client.close()
            self._client = self._start_client()
            attempt.lose_server()
        except (KeyboardInterrupt, InterruptedRunError):
            self._client.close()
            attempt.conclude(Status.INTERRUPTED, f"stopped on request while {attempt.phase}")
            interrupted = True
        mask_log(log)
        return attempt.record(), interrupted

    def _end_worker(self, attempt: Attempt) -> None:
        if not self._client.end_worker(attempt.pid):
            self._client = self._start_client()

    def _request(self, job: Job, log: Path) -> dict[str, Any]:
        case = job.case
        settings = replace(self.settings, diagnose=False) if case.key in self._diagnosed else self.settings
        images = files.within(self.folder, IMAGES, case.scenario)
        traces = files.within(self.folder, TRACES, case.scenario)
        trace = files.within(traces, f"{case.name}.json") if settings.trace else None
        memory_trace = files.within(traces, f"{case.name}.pickle") if traces_memory(settings) else None
        return {
            "op": "case",
            "case": case.to_json(),
            "run": settings.to_json(),
            "images": None if (images / f"{case.name}-0.png").exists() else str(images.absolute()),
            "trace": None if trace is None else str(trace.absolute()),
            "memory_trace": None if memory_trace is None else str(memory_trace.absolute()),
            "log": str(log.absolute()),
        }


def traces_memory(settings: RunSettings) -> bool:
    """Return whether a run writes memory traces: on request, where torch can keep a history of the allocator."""
    return settings.memory_trace and settings.device.partition(":")[0] in DEVICES
