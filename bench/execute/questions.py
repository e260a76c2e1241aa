"""What only torch or diffusers can answer or do, asked of a worker process: the doors import neither."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict

from bench.errors import InputError
from bench.execute.client import ServerError, WorkerClient, environment
from bench.execute.worker.protocol import encode
from bench.pipelines.fetching import Download


def compatible_schedulers(model: str) -> list[str]:
    """Return the class names of the schedulers compatible with a model's own, from a server of its own."""
    with WorkerClient() as server:
        return ask_compatible(server, model)


def ask_compatible(server: WorkerClient, model: str) -> list[str]:
    """Return the class names of the schedulers compatible with a model's own.

    Raises:
        InputError: they cannot be told, with the reason.
    """
    try:
        answer = server.ask({"op": "compatible", "models": [model]})
    except ServerError as error:
        raise InputError(f"scheduler: compatible: {error}") from error
    return list(answer[model])


def fetch(downloads: Sequence[Download]) -> None:
    """Download from the hub in a process of its own, its progress and its errors on standard error, without a limit."""
    request = {"op": "fetch", "downloads": [asdict(download) for download in downloads]}
    subprocess.run(
        [sys.executable, "-m", "bench.execute.worker.serve"],
        input=encode(request), stdout=subprocess.DEVNULL, env=environment(), check=False,
    )  # fmt: skip
