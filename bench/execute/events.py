"""The parent's end of the pipe from a fork server: read events, each checked against the protocol."""

import json
import os
import select
from math import inf
from time import monotonic
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from bench.execute.worker.protocol import Event

LONGEST_SHOWN = 200
"""Bytes of an invalid event that a message quotes."""
LONGEST_LINE = 1024**2
"""Bytes. The longest event lists the seconds of every denoising step."""
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
        self._pending = bytearray()

    def next(self, deadline: float | None = None) -> Event:
        """Return the next event.

        Args:
            deadline: on `time.monotonic`'s clock, kept however much arrives; None waits forever.

        Raises:
            DeadlineError: the deadline has passed.
            InvalidEventError: the next line is JSON but not an event, has an impossible latency, or is too long.
            ServerGoneError: the other end closed the pipe.
        """
        while True:
            left_s = None if deadline is None else deadline - monotonic()
            if left_s is not None and left_s <= 0:
                raise DeadlineError
            line = self._line()
            if line is None:
                self._read(left_s)
            elif (event := _event(line)) is not None:
                return event

    def _line(self) -> bytes | None:
        """Take a whole line from what has arrived; None if there is none yet."""
        end = self._pending.find(b"\n")
        if max(end, len(self._pending) if end < 0 else 0) > LONGEST_LINE:
            self._pending.clear()
            raise InvalidEventError(f"a line of more than {LONGEST_LINE:,} bytes")
        if end < 0:
            return None
        line = bytes(self._pending[:end])
        del self._pending[: end + 1]
        return line

    def _read(self, left_s: float | None) -> None:
        readable, _, _ = select.select([self._descriptor], [], [], left_s)
        if not readable:
            raise DeadlineError
        chunk = os.read(self._descriptor, 65536)
        if not chunk:
            raise ServerGoneError
        self._pending += chunk


def _event(line: bytes) -> Event | None:
    """Return the event in a line; None for an empty line, or one that was torn when a worker died."""
    try:
        event = _EVENT.validate_json(line)
    except ValidationError as error:
        if _is_json(line):
            raise InvalidEventError(_reason(line, error)) from error
        return None
    if event["event"] == "sample" and not 0 < event["latency_s"] < inf:
        raise InvalidEventError(f"latency_s: {event['latency_s']} s is not the time of a call")
    return event


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
    return f"{where}: {first['msg']}, in {line[:LONGEST_SHOWN].decode(errors='replace')}"
