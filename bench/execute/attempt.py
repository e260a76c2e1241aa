"""One process as its parent sees it: what it told so far, and how it ended where it could not say so itself."""

import signal
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from bench.execute.worker.protocol import Event
from bench.plan.order import Job
from bench.records import schema
from bench.records.schema import Status

_ROW = frozenset(schema.names(schema.PROCESSES))


@dataclass
class Outcome:
    """What one process left: its row and its samples, ready for the store."""

    process: dict[str, Any]
    samples: list[dict[str, Any]] = field(default_factory=list)


class Attempt:
    """Gathers what one process tells into a row."""

    def __init__(self, job: Job) -> None:
        self.pid: int | None = None
        self.phase = "starting"
        self._key = {"scenario": job.case.scenario, "case": job.case.name, "process": job.process}
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

    def time_out(self, seconds: float) -> None:
        """Say that the process was not done in time."""
        self.conclude(Status.TIMEOUT, f"not done within {seconds:g} s, while {self.phase}")

    def lose_server(self) -> None:
        """Say that the process went with its server."""
        self.conclude(Status.CRASHED, f"the server of worker processes died while {self.phase}")

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
