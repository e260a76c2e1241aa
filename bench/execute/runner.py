"""Measure the cases of a plan one after the other. Every case yields a row, whatever becomes of its process."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from bench.execute.protocol import DeadlineError, Event, ServerGoneError
from bench.execute.server import Server
from bench.plan.order import Job
from bench.plan.settings import RunSettings
from bench.records import schema
from bench.records.schema import MEASURED, Status

IMAGES, LOGS = "images", "logs"
_ROW = frozenset(schema.names(schema.PROCESSES))


class InterruptedRunError(Exception):
    """The person, or the system, asked for the end (Ctrl-C, SIGTERM)."""


@dataclass
class Outcome:
    """What one process left: its row and its samples, ready for the store."""

    process: dict[str, Any]
    samples: list[dict[str, Any]] = field(default_factory=list)


class Listener(Protocol):
    """Somebody who watches a run, from the parent: the worker does not wait for it."""

    def begin(self, job: Job) -> None:
        """A process begins."""

    def event(self, job: Job, event: Event) -> None:
        """A worker told something."""

    def end(self, job: Job, outcome: Outcome) -> None:
        """A process has its row, and the row is on file."""


class Runner:
    """Measures cases through a fork server, which it replaces when it dies.

    Attributes:
        folder: of the run; images and logs are written below it.
        settings: the same for all cases.
    """

    def __init__(self, folder: Path, settings: RunSettings, server: Server, start_server: Callable[[], Server]) -> None:
        self.folder = folder
        self.settings = settings
        self._server = server
        self._start_server = start_server

    def run(self, jobs: Iterable[Job], listener: Listener) -> Iterator[Outcome]:
        """Measure each job and yield its outcome before the next one begins; give a case up that could not be measured.

        After `InterruptedRunError` or `KeyboardInterrupt` in a case its `interrupted` outcome is yielded, the last one.
        """
        given_up: set[str] = set()
        for job in jobs:
            if job.case.key in given_up:
                continue
            listener.begin(job)
            outcome, interrupted = self._measure(job, listener)
            if outcome.process["status"] not in MEASURED:
                given_up.add(job.case.key)
            yield outcome
            listener.end(job, outcome)
            if interrupted:
                return

    def close(self) -> None:
        """End the server and whatever it still runs."""
        self._server.close()

    def _measure(self, job: Job, listener: Listener) -> tuple[Outcome, bool]:
        attempt = _Attempt(job)
        timeout = self.settings.timeout_s or job.case.timeout_s
        interrupted = False
        try:
            for event in self._server.request(self._request(job), timeout):
                attempt.take(event)
                listener.event(job, event)
        except DeadlineError:
            self._kill(attempt)
            attempt.conclude(Status.TIMEOUT, f"not done within {timeout:g} s, while {attempt.phase}")
        except ServerGoneError:
            self._server.close()
            self._server = self._start_server()
            attempt.conclude(Status.CRASHED, f"the server of worker processes died while {attempt.phase}")
        except (KeyboardInterrupt, InterruptedRunError):
            self._server.close()
            attempt.conclude(Status.INTERRUPTED, f"stopped on request while {attempt.phase}")
            interrupted = True
        return attempt.outcome(), interrupted

    def _request(self, job: Job) -> dict[str, Any]:
        case = job.case
        images, log = self.folder / IMAGES, self.folder / LOGS / case.scenario / f"{case.name}-{job.replicate}.log"
        return {
            "op": "case",
            "case": case.to_json(),
            "run": self.settings.to_json(),
            "images": None if (images / case.scenario / f"{case.name}-0.png").exists() else str(images.absolute()),
            "log": str(log.absolute()),
        }

    def _kill(self, attempt: "_Attempt") -> None:
        """Kill the worker with everything it started, and read on to its `exit`; a server that is stuck goes too."""
        try:
            if attempt.pid is not None:
                os.killpg(attempt.pid, signal.SIGKILL)
            self._server.drain()
        except (ProcessLookupError, DeadlineError, ServerGoneError):
            self._server.close()
            self._server = self._start_server()


class _Attempt:
    """Gathers what one process tells into a row."""

    def __init__(self, job: Job) -> None:
        self.pid: int | None = None
        self.phase = "starting"
        self._key = {"scenario": job.case.scenario, "case": job.case.name, "replicate": job.replicate}
        self._facts: dict[str, Any] = {}
        self._timings: list[dict[str, Any]] = []
        self._status: tuple[str, str] | None = None
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._start = monotonic()

    def take(self, event: Event) -> None:
        """Take in one event."""
        match event["event"]:
            case "started":
                self.pid = event["pid"]
            case "phase":
                self.phase = event["phase"]
            case "facts":
                self._facts.update(event["facts"])
            case "sample":
                self.phase = "sampling"
                self._timings.append({key: event[key] for key in ("latency_s", "device_time_s")})
            case "discard":
                del self._timings[: event["count"]]
            case "outcome":
                self._status = event["status"], event["reason"]
            case "exit" if self._status is None or event["code"] != 0:
                self.conclude(Status.CRASHED, f"{_death(event['code'])} while {self.phase}; see its log")

    def conclude(self, status: Status, reason: str) -> None:
        """Say how the process ended where it could not say so itself; a measurement that is made stays made."""
        if self._status is None:
            self._status = status, reason
        else:
            self._facts["undiagnosed"] = f"{status}: {reason}"

    def outcome(self) -> Outcome:
        """Return the row and the samples."""
        status, reason = self._status or (Status.CRASHED, "ended without an outcome")
        process = {
            **{name: value for name, value in self._facts.items() if name in _ROW},
            **self._key,
            "status": str(status),
            "reason": reason,
            "started_at": self._started_at,
            "wall_s": monotonic() - self._start,
        }
        samples = [{**self._key, "index": index, **timing} for index, timing in enumerate(self._timings)]
        return Outcome(process, samples)


def _death(code: int) -> str:
    """Say how a process died; a negative code is a signal."""
    if code >= 0:
        return f"the worker ended with exit code {code}"
    name = signal.Signals(-code).name
    hint = " (the system kills so when memory runs out)" if -code == signal.SIGKILL else ""
    return f"the worker was killed by {name}{hint}"
