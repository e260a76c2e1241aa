"""What parent and worker say to each other: one request or event per line, in JSON.

It is JSON and not pickle so that another interpreter, or a machine of a cluster, can take part.

Requests are `{"op": "probe" | "hub" | "compatible" | "case" | "on-demand", ...}` on the fork server's standard input.
`on-demand` is a `case` whose worker waits for a byte from a FIFO before each sample (`worker.on_demand`). `fetch` needs
no fork server: its progress bars belong on the terminal, and it may take any amount of time.

Events come back on the fork server's standard output, in the order of the classes below.
"""

import json
import os
import select
from collections.abc import Mapping
from time import monotonic
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic accepts that of `typing` only from Python 3.12 on

from bench.measure.clock import Timing
from bench.records.outcomes import Status


class ReadyEvent(TypedDict):
    """The fork server has imported the libraries. Comes once."""

    event: Literal["ready"]


class StartedEvent(TypedDict):
    """A worker process began; it leads a process group of its own."""

    event: Literal["started"]
    pid: int


class PhaseEvent(TypedDict):
    """What the worker is doing now: building, first call, warming up, diagnosing."""

    event: Literal["phase"]
    phase: str


class FactsEvent(TypedDict):
    """Columns of the process's record that have become known."""

    event: Literal["facts"]
    facts: dict[str, Any]


class SampleEvent(TypedDict):
    """One timed call."""

    event: Literal["sample"]
    index: int
    latency_s: float
    device_time_s: float | None


class DiscardEvent(TypedDict):
    """The first `count` samples turned out to be warm-up."""

    event: Literal["discard"]
    count: int


class AnswerEvent(TypedDict):
    """The answer to a `probe`, `hub` or `compatible` request."""

    event: Literal["answer"]
    answer: Any


class OutcomeEvent(TypedDict):
    """How the request ended, as the worker sees it."""

    event: Literal["outcome"]
    status: Status
    reason: str


class ExitEvent(TypedDict):
    """The worker process has ended; a negative exit code is a signal."""

    event: Literal["exit"]
    code: int


Event = (
    ReadyEvent
    | StartedEvent
    | PhaseEvent
    | FactsEvent
    | SampleEvent
    | DiscardEvent
    | AnswerEvent
    | OutcomeEvent
    | ExitEvent
)
_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="event")])

SPAWN = "--spawn"
"""This argument makes a fork server start new interpreters where it could fork."""


class DeadlineError(Exception):
    """No event came before the deadline."""


class ServerGoneError(Exception):
    """The fork server ended."""


def encode(message: Mapping[str, Any]) -> bytes:
    """Return a request as one line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


class Reporter:
    """The worker's end of the pipe: writes the events of one request."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def phase(self, phase: str) -> None:
        self._write({"event": "phase", "phase": phase})

    def facts(self, **facts: Any) -> None:
        self._write({"event": "facts", "facts": facts})

    def sample(self, index: int, timing: Timing) -> None:
        latency_s, device_time_s = timing.latency_s, timing.device_time_s
        self._write({"event": "sample", "index": index, "latency_s": latency_s, "device_time_s": device_time_s})

    def discard(self, count: int) -> None:
        self._write({"event": "discard", "count": count})

    def answer(self, answer: Any) -> None:
        self._write({"event": "answer", "answer": answer})

    def outcome(self, status: Status, reason: str = "") -> None:
        self._write({"event": "outcome", "status": status, "reason": reason})

    def _write(self, event: Event) -> None:
        # An error message can quote a file name that is not Unicode. JSON cannot hold that.
        line = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")
        os.write(self._descriptor, line + b"\n")


class Events:
    """The parent's end of the pipe. Reading blocks: polling would take CPU time from what is measured."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pending = b""

    def next(self, deadline: float | None = None) -> Event:
        """Return the next event.

        Args:
            deadline: on `time.monotonic`'s clock; None waits forever.

        Raises:
            DeadlineError: no event came in time.
            ServerGoneError: the other end closed the pipe.
        """
        while True:
            line, found, rest = self._pending.partition(b"\n")
            if not found:
                self._pending += self._read(deadline)
                continue
            self._pending = rest
            event = _decode(line)
            if event is not None:
                return event

    def _read(self, deadline: float | None) -> bytes:
        left = None if deadline is None else max(0.0, deadline - monotonic())
        readable, _, _ = select.select([self._descriptor], [], [], left)
        if not readable:
            raise DeadlineError
        chunk = os.read(self._descriptor, 65536)
        if not chunk:
            raise ServerGoneError
        return chunk


def _decode(line: bytes) -> Event | None:
    """Return the event of a line; None for an empty line, and for one torn by the death of a worker."""
    try:
        return _EVENT.validate_json(line)
    except ValidationError:
        return None
