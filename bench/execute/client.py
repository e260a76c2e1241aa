"""The parent's end of the fork server: start it, send it requests, read events, end it.

A door imports neither torch nor diffusers. Whatever only they know or can do is also a request: the device, the
compatible schedulers, a download.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from time import monotonic
from types import TracebackType
from typing import IO, Any, Self

import psutil

from bench import scratch
from bench.errors import InputError
from bench.execute import interpreter
from bench.execute.answers import InvalidAnswerError, checked
from bench.execute.events import DeadlineError, Events, InvalidEventError, ServerGoneError
from bench.execute.worker.protocol import SPAWN, Event, encode
from bench.pipelines.fetching import Download

STARTUP_TIMEOUT_S = 600.0
"""Importing torch and diffusers from a slow network disk takes minutes."""
ANSWER_TIMEOUT_S = 300.0
"""A probe creates a context on the device. If that takes longer, the driver hangs."""
MOST_EVENTS = 100_000
"""Of one request; a case reports a few dozen and one per sample."""
KILL_TIMEOUT_S = 30.0
"""A killed process returns its memory before it is gone, which takes seconds for tens of GiB."""


class ServerError(Exception):
    """A request was not answered: its process failed, or the fork server did."""


class WorkerClient:
    """Starts a fork server and talks to it. Use it as a context manager, so that the server ends with its use.

    Args:
        python: the interpreter.
        spawn: whether workers are started as new interpreters, where they could be forked.
        variables: further environment variables of all workers, such as which card they see.
    """

    def __init__(
        self, python: str = sys.executable, *, spawn: bool = False, variables: Mapping[str, str] | None = None
    ) -> None:
        self.python = python
        self._variables = variables or {}
        self._worker: int | None = None
        self._start(spawn=spawn)

    def _start(self, *, spawn: bool) -> None:
        self._spawns = spawn
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        self._process = subprocess.Popen(
            interpreter.command(self.python, "bench.execute.worker.forkserver", *([SPAWN] if spawn else [])),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**interpreter.environment(), **self._variables},
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        self._requests = self._process.stdin
        self._events = Events(self._process.stdout.fileno())
        self._ready = False

    def request(self, message: Mapping[str, Any], timeout_s: float | None = None) -> Iterator[Event]:
        """Send a request and yield its events, `exit` last.

        Raises:
            DeadlineError: the request was not done after `timeout_s` seconds; it is still running.
            InvalidEventError: the worker reported what is not an event; it is still running.
            ServerGoneError: the fork server ended.
        """
        if self._requests.closed:
            raise ServerGoneError
        self._wait_until_ready()
        try:
            self._requests.write(encode(message))
            self._requests.flush()
        except OSError as error:
            raise ServerGoneError from error
        yield from self._until_exit(None if timeout_s is None else monotonic() + timeout_s)

    def end_worker(self, pid: int | None) -> bool:
        """Kill the worker and everything it started; also end the server if it does not report that.

        Returns:
            whether the server can take the next request.
        """
        try:
            if pid is not None and self._is_child(pid):
                os.killpg(pid, signal.SIGKILL)
            for _ in self._until_exit(monotonic() + KILL_TIMEOUT_S):
                pass
        except (ProcessLookupError, DeadlineError, InvalidEventError, ServerGoneError):
            self.close()
            return False
        return True

    def _is_child(self, pid: int) -> bool:
        """Say whether a process is the server's own: a worker could report the number of any other."""
        try:
            return psutil.Process(pid).ppid() == self._process.pid
        except (psutil.Error, ValueError):
            return False

    def ask(self, message: Mapping[str, Any]) -> Any:
        """Send a request and return its answer; raise `ServerError` with the reason if there is none."""
        answer, reason = None, "its process died"
        try:
            for event in self.request(message, ANSWER_TIMEOUT_S):
                answer = event["answer"] if event["event"] == "answer" else answer
                reason = event["reason"] if event["event"] == "outcome" else reason
        except DeadlineError as error:
            self.close()  # else the events of this request would be taken for those of the next
            raise ServerError(f"no answer to '{message['op']}' within {ANSWER_TIMEOUT_S:.0f} s") from error
        except InvalidEventError as error:
            self.close()
            raise ServerError(f"'{message['op']}' failed: reported what is not an event: {error}") from error
        except ServerGoneError as error:
            raise ServerError(f"the fork server ended: {self._last_words()}") from error
        if answer is None:
            raise ServerError(f"'{message['op']}' failed: {reason}")
        try:
            answer = checked(message["op"], answer)
        except InvalidAnswerError as error:
            raise ServerError(f"'{message['op']}' got an answer that is none, from {self.python}: {error}") from error
        if message["op"] == "probe" and answer["started_by"] == "spawn" and not self._spawns:
            self.close()  # importing a library initialized the driver, so the server holds memory of the card
            self._start(spawn=True)
        return answer

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the server has neither died nor been closed."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the server and its worker."""
        self._process.kill()
        self._process.wait()
        scratch.remove_abandoned(self._worker)  # the worker dies with the server
        with suppress(BrokenPipeError):  # of a request that a dead server did not take
            self._requests.close()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _last_words(self) -> str:
        """Return the last line that the server wrote to standard error, most likely that of a failed import."""
        if self._errors.closed:
            return "it was closed after an earlier request"
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it printed no reason"

    def _until_exit(self, deadline: float | None) -> Iterator[Event]:
        for _ in range(MOST_EVENTS):
            event = self._events.next(deadline)
            if event["event"] == "started":
                self._worker = event["pid"]
            yield event
            if event["event"] == "exit":
                if event["code"] != 0:  # it was killed, or died
                    scratch.remove_abandoned(self._worker)
                return
        raise InvalidEventError(f"more than {MOST_EVENTS:,} events for one request")

    def _wait_until_ready(self) -> None:
        if not self._ready:
            try:
                event = self._events.next(monotonic() + STARTUP_TIMEOUT_S)
            except DeadlineError as error:
                raise ServerGoneError from error
            self._ready = event["event"] == "ready"


def compatible_schedulers(model: str) -> list[str]:
    """Return the class names of the schedulers that are compatible with a model's own; starts a fork server."""
    with WorkerClient() as client:
        return ask_compatible(client, model)


def ask_compatible(client: WorkerClient, model: str) -> list[str]:
    """Return the class names of the schedulers that are compatible with a model's own.

    Raises:
        InputError: the model has no such list, with the reason.
    """
    try:
        answer = client.ask({"op": "compatible", "models": [model]})
    except ServerError as error:
        raise InputError(f"scheduler: compatible: {error}") from error
    if model not in answer:
        raise InputError(f"scheduler: compatible: the worker did not answer for '{model}'; list the schedulers by name")
    return list(answer[model])


def fetch(downloads: Sequence[Download]) -> None:
    """Download from the hub in a process of its own, without a time limit; progress and errors go to standard error."""
    request = {"op": "fetch", "downloads": [asdict(download) for download in downloads]}
    subprocess.run(
        interpreter.command(sys.executable, "bench.execute.worker.serve"),
        input=encode(request), stdout=subprocess.DEVNULL, env=interpreter.environment(), check=False,
    )  # fmt: skip
