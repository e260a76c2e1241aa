"""What parent and worker say to each other: one request or event per line, in JSON.

It is JSON and not pickle so that another interpreter, or a machine of a cluster, can take part. That interpreter does
not need this package's dependencies: a worker imports nothing that diffusers and its companions do not bring along.

Requests are `{"op": "probe" | "rates" | "hub" | "compatible" | "obstacles" | "case" | "on-demand", ...}` on the fork
server's standard input. `on-demand` is a `case` whose worker waits for a byte from a FIFO before each sample
(`worker.on_demand`). `fetch` needs no fork server: its progress bars belong on the terminal, and it may take any amount
of time.

Events come back on the fork server's standard output, in the order of the classes below.
"""

import json
import os
from collections.abc import Mapping
from typing import Any, Literal

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
    """The answer to a request that is a question, such as `probe` or `hub`."""

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

SPAWN = "--spawn"
"""This argument makes a fork server start new interpreters where it could fork."""


def encode(message: Mapping[str, Any]) -> bytes:
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
