"""One request a line, one event a line, JSON, never pickle: another interpreter, pytest or a cluster can speak it too.

Requests: `{"op": "probe" | "hub" | "compatible" | "case" | "steps", ...}` on the server's standard input. `steps` is a
`case` whose worker reads a byte from a FIFO before each sample (`execute.steps`). `fetch` is asked of a worker without
a server: its progress belongs on the terminal, and it may take for ever.

Events on its standard output, in this order:
    ready       once, when the libraries are imported
    started     a worker process began; has its `pid`, which leads a process group of its own
    phase       what the worker does now: building, first call, warming up, sampling
    facts       columns of the row that are known from here on
    sample      one timed call
    discard     the first `count` samples were warm-up after all
    answer      what a `probe`, `hub` or `compatible` asked for
    outcome     `status` and `reason`
    exit        the worker process is gone; has its exit `code`, negative for a signal
"""

import json
import os
import select
from collections.abc import Mapping
from time import monotonic
from typing import Any

Event = dict[str, Any]

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
    """Return the event of a line; None for an empty one and for one torn by a worker's death (its `exit` follows)."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
