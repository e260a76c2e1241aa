"""`python -m bench.execute.worker.forkserver`: import the libraries once, then handle each request in a fresh process.

Importing torch and diffusers takes longer than many measurements. This server imports them once, does no tensor work,
never touches the accelerator's driver, and forks a child for every request. Where forking is unsafe (macOS, Windows),
or where a forked child cannot use the device, it starts a new interpreter instead. Children die with the server, and
the server dies with its parent.
"""

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import IO, Any

from bench.execute import interpreter
from bench.execute.worker.process import die_with_parent, import_libraries
from bench.execute.worker.protocol import SPAWN, Event, encode


class Server:
    """Handles a stream of requests one after the other."""

    def __init__(self, requests: IO[str], events: int, *, fork: bool) -> None:
        self._requests = requests
        self._events = events
        self._fork = fork

    def serve(self) -> None:
        """Handle requests until the stream ends."""
        self._write({"event": "ready"})
        for line in self._requests:
            request = json.loads(line)
            code = self._run(request)
            if request["op"] == "probe" and code != 0 and self._fork:
                # Most likely something touched the driver before the fork. A new interpreter can still use the device.
                # If it cannot either, the fork was not the reason, and its error is the one that the parent sees.
                self._fork = False
                code = self._run(request)
                self._fork = code != 0
            self._write({"event": "exit", "code": code})

    def _run(self, request: Mapping[str, Any]) -> int:
        """Run one request in a process of its own and return its exit code, negative for a signal."""
        request = {**request, "started_by": "fork" if self._fork else "spawn"}
        if self._fork:
            pid = os.fork()
            if pid == 0:
                self._child(request)
            self._write({"event": "started", "pid": pid})
            _, status = os.waitpid(pid, 0)
            return os.waitstatus_to_exitcode(status)
        worker = subprocess.Popen(
            interpreter.command(sys.executable, "bench.execute.worker.serve"),
            stdin=subprocess.PIPE, stdout=self._events, process_group=0,
        )  # fmt: skip
        self._write({"event": "started", "pid": worker.pid})
        worker.communicate(encode(request))
        return worker.returncode

    def _child(self, request: Mapping[str, Any]) -> None:
        """Handle the request in the forked child; never return."""
        from bench.execute.worker.serve import serve

        code = 1
        try:
            os.setpgid(0, 0)
            die_with_parent()
            serve(request, self._events)
            code = 0
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _write(self, event: Event) -> None:
        os.write(self._events, b"\n" + encode(event))  # a worker that was killed may have left half a line


def main() -> None:
    """Handle requests from standard input; send whatever else writes to standard output to standard error."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Ctrl-C the parent decides what happens
    events = os.dup(1)
    os.dup2(2, 1)
    fork = sys.platform == "linux" and SPAWN not in sys.argv
    if fork:
        _import_for_children()
    Server(sys.stdin, events, fork=fork).serve()


def _import_for_children() -> None:
    gc.disable()  # the libraries make a million objects that stay: looking through them took a fifth of the import
    import_libraries()
    gc.enable()
    gc.collect()
    gc.freeze()  # else a collection in a child would write to, and so copy, every page of the libraries


if __name__ == "__main__":
    main()
