"""A case that is measured one call at a time, for a caller that does its own timing rounds: the parent's end.

The worker's end is `bench.execute.worker.on_demand`.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from bench.execute.attempt import Attempt
from bench.execute.client import WorkerClient
from bench.execute.events import DeadlineError, InvalidEventError, ServerGoneError
from bench.execute.worker.on_demand import EndedError
from bench.execute.worker.protocol import Event
from bench.plan.case import Case
from bench.plan.order import Job
from bench.plan.settings import RunSettings
from bench.records.models import ProcessRecord


class OnDemandCase:
    """One case in a worker of its own, made by `open_on_demand`."""

    def __init__(self, client: WorkerClient, request: Mapping[str, Any], attempt: Attempt, timeout_s: float) -> None:
        self._client = client
        self._attempt = attempt
        self._timeout_s = timeout_s
        self._fifo = os.open(request["fifo"], os.O_RDWR)  # opened for both, so that neither end waits for the other
        self._events = client.request(request, timeout_s)
        self._running = False

    def call(self) -> float:
        """Request one more call and return its latency in seconds; before the first one the worker builds and warms up.

        Raises:
            EndedError: the worker ended instead; `finish` returns how.
        """
        self._running = True
        os.write(self._fifo, b"\n")
        for event in self._followed():
            if event["event"] == "sample":
                return event["latency_s"]
        raise EndedError

    def finish(self) -> ProcessRecord:
        """Wait until the worker ends, as it does after the last call, and return its record."""
        for _ in self._followed():
            pass
        return self._attempt.record()

    def close(self) -> None:
        """End the worker if it is still running."""
        os.close(self._fifo)
        if self._running:
            self._end_worker()

    def _followed(self) -> Iterator[Event]:
        """Yield the events that are still to come, each taken into the record, until the worker has ended."""
        try:
            for event in self._events:
                self._attempt.take(event)
                yield event
        except DeadlineError:
            self._end_worker()
            self._attempt.time_out(self._timeout_s)
        except InvalidEventError as error:
            self._end_worker()
            self._attempt.reject(error)
        except ServerGoneError:
            self._client.close()
            self._attempt.lose_server()
        self._running = False

    def _end_worker(self) -> None:
        if self._attempt.pid is None:  # not started: the fork server may still be importing
            self._client.close()
        else:
            self._client.end_worker(self._attempt.pid)


@contextmanager
def open_on_demand(
    client: WorkerClient, case: Case, settings: RunSettings, log: Path, *, warm_up: bool = True
) -> Iterator[OnDemandCase]:
    """Open a case that makes its calls one at a time; when the context ends, its worker is gone.

    A fork server that died or does not respond is closed. `WorkerClient.running` is then False, and the next case needs
    another client.

    Args:
        client: starts the worker at the first call.
        case: to measure.
        settings: of the run; `samples` is the largest number of calls.
        log: the file for whatever the worker prints.
        warm_up: False allows a single call, without warm-up.
    """
    with tempfile.TemporaryDirectory(prefix="diffusion-bench-") as folder:
        fifo = Path(folder) / "requests"
        os.mkfifo(fifo, mode=0o600)
        request = {
            "op": "on-demand",
            "case": case.to_json(),
            "run": settings.to_json(),
            "fifo": str(fifo),
            "warm_up": warm_up,
            "log": str(log.absolute()),
        }
        log.parent.mkdir(parents=True, exist_ok=True)
        timeout_s = settings.timeout_s or case.timeout_s
        with closing(OnDemandCase(client, request, Attempt(Job(case, 0)), timeout_s)) as opened:
            yield opened
