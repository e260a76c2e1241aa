"""The parent's end of the pipe from a fork server: read events, each checked against the protocol."""

import json
import os
import select
from time import monotonic
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from bench.execute.worker.protocol import Event

LONGEST = 200
"""Bytes of an invalid event that a message quotes."""
_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="event")])


class DeadlineError(Exception):
    """No event came before the deadline."""


class ServerGoneError(Exception):
    """The fork server ended."""


class InvalidEventError(Exception):
    """A worker reported JSON that is not an event; the message says what and why."""


class Events:
    """Reads events from a file descriptor. It blocks: polling would take CPU time from what is measured."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pending = b""

    def next(self, deadline: float | None = None) -> Event:
        """Return the next event.

        Args:
            deadline: on `time.monotonic`'s clock; None waits forever.

        Raises:
            DeadlineError: no event came in time.
            InvalidEventError: the next line is JSON, but not an event.
            ServerGoneError: the other end closed the pipe.
        """
        while True:
            line, found, rest = self._pending.partition(b"\n")
            if not found:
                self._pending += self._read(deadline)
                continue
            self._pending = rest
            try:
                return _EVENT.validate_json(line)
            except ValidationError as error:
                if _is_json(line):  # else an empty line, or one that was torn when a worker died
                    raise InvalidEventError(_reason(line, error)) from error

    def _read(self, deadline: float | None) -> bytes:
        left = None if deadline is None else max(0.0, deadline - monotonic())
        readable, _, _ = select.select([self._descriptor], [], [], left)
        if not readable:
            raise DeadlineError
        chunk = os.read(self._descriptor, 65536)
        if not chunk:
            raise ServerGoneError
        return chunk


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _reason(line: bytes, error: ValidationError) -> str:
    """Return what is wrong with the first wrong field of an event."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or "the event"
    return f"{where}: {first['msg']}, in {line[:LONGEST].decode(errors='replace')}"
