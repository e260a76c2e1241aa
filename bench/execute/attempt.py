"""One process as its parent sees it: what it has reported so far, and how it ended."""

import signal
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from bench.execute.events import InvalidEventError
from bench.execute.interpreter import masked
from bench.execute.worker.protocol import Event
from bench.plan.order import Job
from bench.records.columns import CellError, from_flat
from bench.records.models import ProcessRecord
from bench.records.outcomes import Status


class Attempt:
    """Gathers what one process reports into its record."""

    def __init__(self, job: Job) -> None:
        self.pid: int | None = None
        self.phase = "starting"
        self._key = {"scenario": job.case.scenario, "case": job.case.name, "process": job.process}
        self._facts: dict[str, Any] = {}
        self._samples: list[dict[str, Any]] = []
        self._status: tuple[Status, str] | None = None
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._start = monotonic()

    def take(self, event: Event) -> None:
        match event["event"]:
            case "started" if self.pid is None:
                self.pid = event["pid"]
            case "phase":
                self.phase = event["phase"]
            case "facts":
                self._facts.update(event["facts"])
            case "sample":
                self.phase = "sampling"
                self._samples.append({"latency_s": event["latency_s"], "device_time_s": event["device_time_s"]})
            case "discard":
                del self._samples[: max(0, event["count"])]
            case "outcome":
                self._status = event["status"], event["reason"]
            case "exit" if self._status is None or event["code"] != 0:
                self.conclude(Status.CRASHED, f"{_death(event['code'])} while {self.phase}; see its log")

    def time_out(self, seconds: float) -> None:
        self.conclude(Status.TIMEOUT, f"not finished within {seconds:g} s, while {self.phase}")

    def reject(self, error: InvalidEventError) -> None:
        self.conclude(Status.CRASHED, f"reported what is not an event: {error}")

    def lose_server(self) -> None:
        self.conclude(Status.CRASHED, f"the fork server died while {self.phase}")

    def conclude(self, status: Status, reason: str) -> None:
        """Record how the process ended; if it has reported an outcome before, only the diagnosis is lost."""
        if self._status is None:
            self._status = status, reason
        else:
            self._facts["undiagnosed"] = f"{status}: {reason}"

    def record(self) -> ProcessRecord:
        """Return the process's record; `crashed` if it reported something impossible, such as a power of NaN."""
        status, reason = self._status or (Status.CRASHED, "ended without an outcome")
        timings = {"started_at": self._started_at, "wall_s": monotonic() - self._start}
        known = {**self._key, **timings, "status": status, "reason": masked(reason) or None}
        facts = {name: masked(fact) if isinstance(fact, str) else fact for name, fact in self._facts.items()}
        try:
            return from_flat(ProcessRecord, {**facts, **known}, samples=self._samples)
        except CellError as error:
            reported = masked(f"reported: {error}")
            return from_flat(ProcessRecord, {**known, "status": Status.CRASHED, "reason": reported})


def _death(code: int) -> str:
    """Return how a process died; a negative code is a signal."""
    if code >= 0:
        return f"the worker ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:  # a real-time signal
        name = f"signal {-code}"
    hint = " (as the system does when memory runs out)" if -code == signal.SIGKILL else ""
    return f"the worker was killed by {name}{hint}"
