"""One case, one call at a time, for whoever times by calls: the parent's end. The worker's is `steps`."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from bench.execute.attempt import Attempt
from bench.execute.client import WorkerClient
from bench.execute.worker.on_demand import EndedError
from bench.execute.worker.protocol import DeadlineError, Event, ServerGoneError
from bench.plan.case import Case
from bench.plan.order import Job
from bench.plan.settings import RunSettings
from bench.records.models import ProcessRecord


class SteppedCase:
    """The parent's end: one case in a worker of its own. See `stepped`, which makes it."""

    def __init__(self, server: WorkerClient, request: Mapping[str, Any], attempt: Attempt, timeout_s: float) -> None:
        self._server = server
        self._attempt = attempt
        self._timeout_s = timeout_s
        self._asks = os.open(request["steps"], os.O_RDWR)  # this way neither end waits for the other to open it
        self._events = server.request(request, timeout_s)
        self._running = False

    def call(self) -> float:
        """Have one more call made, the first one after building and warming up, and return its latency in seconds.

        Raises:
            EndedError: the worker ended instead; `finish` says how.
        """
        self._running = True
        os.write(self._asks, b"\n")
        sample = self._until("sample")
        if sample is None:
            raise EndedError
        return float(sample["latency_s"])

    def finish(self) -> ProcessRecord:
        """Wait for the worker's end, which comes by itself after the last call, and return what it left."""
        self._until("the end")
        return self._attempt.record()

    def close(self) -> None:
        """End a worker that is still at it, whatever the reason."""
        os.close(self._asks)
        if self._running:
            self._end_worker()

    def _until(self, name: str) -> Event | None:
        """Take in events up to the first of this name; None where there is none up to the worker's end."""
        try:
            for event in self._events:
                self._attempt.take(event)
                if event["event"] == name:
                    return event
        except DeadlineError:
            self._end_worker()
            self._attempt.time_out(self._timeout_s)
        except ServerGoneError:
            self._server.close()
            self._attempt.lose_server()
        self._running = False
        return None

    def _end_worker(self) -> None:
        if self._attempt.pid is None:  # not started yet: the server may still be importing
            self._server.close()
        else:
            self._server.end_worker(self._attempt.pid)


@contextmanager
def stepped(
    server: WorkerClient, case: Case, settings: RunSettings, log: Path, *, warm_up: bool = True
) -> Iterator[SteppedCase]:
    """Open a case that makes its calls one at a time; at the end of the context its worker is gone.

    A server that died or is stuck is closed; `WorkerClient.running` tells, and the next case needs another.

    Args:
        server: that starts the worker, at the first call.
        case: to measure.
        settings: of the run; `samples` calls at the most can be asked for.
        log: the file for whatever the worker prints.
        warm_up: False allows one call only, without warm-up before it.
    """
    with tempfile.TemporaryDirectory(prefix="diffusion-bench-") as folder:
        fifo = Path(folder) / "steps"
        os.mkfifo(fifo, mode=0o600)
        request = {
            "op": "on-demand",
            "case": case.to_json(),
            "run": settings.to_json(),
            "steps": str(fifo),
            "warm_up": warm_up,
            "log": str(log.absolute()),
        }
        with closing(
            SteppedCase(server, request, Attempt(Job(case, 0)), settings.timeout_s or case.timeout_s)
        ) as opened:
            yield opened
