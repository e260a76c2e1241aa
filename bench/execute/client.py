"""The parent's end of the fork server: start it, ask it, end it."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import IO, Any, Self

import bench
from bench.execute.worker.protocol import SPAWN, DeadlineError, Event, Events, ServerGoneError, encode

STARTUP_S = 600.0
"""Importing torch and diffusers from a slow network disk takes minutes; more is a fault."""

QUESTION_S = 300.0
"""A probe makes a context on the device; more than minutes is a hung driver."""


KILLED_S = 30.0
"""A killed process gives its memory back before it is gone; tens of GiB take seconds."""


class ServerError(Exception):
    """The server, or a process that it started to answer a question, failed."""


class WorkerClient:
    """A running fork server. Use as a context manager, so that it never outlives its use."""

    def __init__(self, python: str = sys.executable, *, spawn: bool = False) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the server
        self._process = subprocess.Popen(
            [python, "-m", "bench.execute.worker.forkserver", *([SPAWN] if spawn else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment(),
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - asked for above
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        self._requests = self._process.stdin
        self._stream = Events(self._process.stdout.fileno())
        self._ready = False

    def request(self, message: Mapping[str, Any], timeout_s: float | None = None) -> Iterator[Event]:
        """Send a request and yield its events, `exit` last.

        Raises:
            DeadlineError: `timeout_s` seconds after the worker started it was not done; the request is still running.
            ServerGoneError: the server is gone.
        """
        self._wait_until_ready()
        try:
            self._requests.write(encode(message))
            self._requests.flush()
        except OSError as error:
            raise ServerGoneError from error
        yield from self._until_exit(None if timeout_s is None else monotonic() + timeout_s)

    def end_worker(self, pid: int | None) -> bool:
        """Kill the worker with everything it started, and read on to its `exit`; a server that is stuck goes too.

        Returns:
            whether the server lives and can take the next request.
        """
        try:
            if pid is not None:
                os.killpg(pid, signal.SIGKILL)
            for _ in self._until_exit(monotonic() + KILLED_S):
                pass
        except (ProcessLookupError, DeadlineError, ServerGoneError):
            self.close()
            return False
        return True

    def ask(self, message: Mapping[str, Any]) -> Any:
        """Send a question and return its answer; raise `ServerError` with the reason where there is none."""
        answer, reason = None, "its process died"
        try:
            for event in self.request(message, QUESTION_S):
                answer = event["answer"] if event["event"] == "answer" else answer
                reason = event["reason"] if event["event"] == "outcome" else reason
        except DeadlineError as error:
            raise ServerError(f"no answer to '{message['op']}' within {QUESTION_S:.0f} s") from error
        except ServerGoneError as error:
            raise ServerError(f"the server of worker processes ended: {self._last_words()}") from error
        if answer is None:
            raise ServerError(f"'{message['op']}' failed: {reason}")
        return answer

    @property
    def running(self) -> bool:
        """Whether it can be asked: it has neither died nor been closed."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the server and whatever it still runs."""
        self._process.kill()
        self._process.wait()
        self._requests.close() if not self._requests.closed else None
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
        """Return the last line that the server wrote to standard error: an import that failed, most likely."""
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def _until_exit(self, deadline: float | None) -> Iterator[Event]:
        while True:
            event = self._stream.next(deadline)
            yield event
            if event["event"] == "exit":
                return

    def _wait_until_ready(self) -> None:
        if not self._ready:
            try:
                event = self._stream.next(monotonic() + STARTUP_S)
            except DeadlineError as error:
                raise ServerGoneError from error
            self._ready = event["event"] == "ready"


def environment() -> dict[str, str]:
    """Return this environment, such that importing diffusers does not touch the driver, and `bench` is found."""
    checkout = str(Path(bench.__file__).parents[1])
    path = os.pathsep.join([checkout, *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTORCH_NVML_BASED_CUDA_CHECK": "1", "PYTHONPATH": path}
