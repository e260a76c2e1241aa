"""One request per line, one event per line; JSON, never pickle, so that another interpreter or a cluster can speak it.

Requests are `{"op": "probe" | "hub" | "compatible" | "case" | "on-demand", ...}` on the server's standard input. An
`on-demand` request is a `case` whose worker reads a byte from a FIFO before each sample (`worker.on_demand`). `fetch` is
sent to a worker without a server, because its progress belongs on the terminal and it may take arbitrarily long.

Events arrive on the server's standard output in the order of the classes below.
"""

import json
import os
import select
from collections.abc import Mapping
from time import monotonic
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic reads the one of `typing` from Python 3.12 on


class ReadyEvent(TypedDict):
    """Once, when the libraries are imported."""

    event: Literal["ready"]


class StartedEvent(TypedDict):
    """A worker process began; `pid` leads a process group of its own."""

    event: Literal["started"]
    pid: int


class PhaseEvent(TypedDict):
    """What the worker does now: building, first call, warming up, sampling, diagnosing."""

    event: Literal["phase"]
    phase: str


class FactsEvent(TypedDict):
    """Columns of the process's record that are known from here on."""

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
    """What a `probe`, `hub` or `compatible` request asked for."""

    event: Literal["answer"]
    answer: Any


class OutcomeEvent(TypedDict):
    """How the request ended, by the worker's own account."""

    event: Literal["outcome"]
    status: str
    reason: str


class ExitEvent(TypedDict):
    """The worker process is gone; `code` is its exit code, negative for a signal."""

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
"""The argument that makes a server start interpreters also where it could fork."""


class DeadlineError(Exception):
    """No event came before the deadline."""


class ServerGoneError(Exception):
    """The other end closed the stream."""


def encode(message: Mapping[str, Any]) -> bytes:
    """Return a message as one line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


class Events:
    """Read events from a pipe, blocking: a parent that polls takes its share of the cores from what it measures."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pending = b""

    def next(self, deadline: float | None = None) -> Event:
        """Return the next event.

        Args:
            deadline: on `time.monotonic`'s clock; None waits for ever.

        Raises:
            DeadlineError: nothing came in time.
            ServerGoneError: the stream was closed.
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
    """Return the event of a line; None for an empty line, or one torn by a worker's death (its `exit` follows)."""
    try:
        return _EVENT.validate_json(line)
    except ValidationError:
        return None
