"""What a worker process does: answer one request, telling events as it goes.

`python -m bench.execute.worker.serve` reads the request from standard input; the fork server calls `serve` in a forked child.
Both speak `execute.protocol`.
"""

import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.execute.worker import measurement, probe
from bench.execute.worker import on_demand as steps
from bench.execute.worker.protocol import Event, encode
from bench.pipelines.errors import NotInEffectError, UnsupportedError
from bench.pipelines.images import BrokenImageError
from bench.plan.case import Case
from bench.plan.settings import RunSettings
from bench.records.outcomes import Status

Emit = Callable[[Event], None]
OUT_OF_MEMORY = ("not enough memory", "can't allocate memory", "out of memory", "alloc_failed")
"""What allocators say in a plain RuntimeError: the CPU's, some backends', cuBLAS's and cuDNN's."""


def serve(request: Mapping[str, Any], events: int) -> None:
    """Answer one request, writing events to the file descriptor `events`."""

    def emit(event: Event) -> None:
        os.write(events, encode(event))

    _redirect_output(request.get("log"))
    try:
        _HANDLERS[request["op"]](request, emit)
    except Exception as error:
        # told to the parent, which writes it in a row
        emit({"event": "outcome", **_outcome(error)})
        traceback.print_exc()
        if request["op"] == "probe":
            raise


def _case(request: Mapping[str, Any], emit: Emit) -> None:
    case, run = Case.from_json(request["case"]), RunSettings.from_json(request["run"])
    images = Path(request["images"]) if request.get("images") else None
    measurement.run(case, run, images, request["started_by"], emit)


def _on_demand(request: Mapping[str, Any], emit: Emit) -> None:
    case, run = Case.from_json(request["case"]), RunSettings.from_json(request["run"])
    calls = steps.Steps(request["steps"], warm_up=request["warm_up"])
    measurement.measure_case(case, run, None, request["started_by"], emit, calls.measure)


def _probe(request: Mapping[str, Any], emit: Emit) -> None:
    emit({"event": "answer", "answer": {**probe.machine(request["device"]), "started_by": request["started_by"]}})


def _hub(_request: Mapping[str, Any], emit: Emit) -> None:
    emit({"event": "answer", "answer": probe.hub_answers()})


def _compatible(request: Mapping[str, Any], emit: Emit) -> None:
    from bench.pipelines.diffusers_api import compatible_schedulers

    emit({"event": "answer", "answer": {model: compatible_schedulers(model) for model in request["models"]}})


def _fetch(request: Mapping[str, Any], _emit: Emit) -> None:
    """Download one after the other; what the hub does not give is told, and once more in the rows that needed it."""
    from bench.pipelines.fetching import Download, fetch

    for wanted in request["downloads"]:
        try:
            fetch(Download(**wanted))
        except Exception as error:  # noqa: BLE001 - the hub, the network, the disk: its case says the same in its row
            sys.stderr.write(f"{wanted['name']}: {type(error).__name__}: {error}\n")


_HANDLERS: dict[str, Callable[[Mapping[str, Any], Emit], None]] = {
    "case": _case,
    "on-demand": _on_demand,
    "probe": _probe,
    "hub": _hub,
    "compatible": _compatible,
    "fetch": _fetch,
}


def _outcome(error: Exception) -> dict[str, str]:
    """Return the status and the one-line reason that an exception stands for."""
    message = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, UnsupportedError):
        return {"status": Status.SKIPPED, "reason": message}
    if _is_out_of_memory(error):
        return {"status": Status.OOM, "reason": message}
    if isinstance(error, (NotInEffectError, BrokenImageError)):
        return {"status": Status.FAILED, "reason": message}
    return {"status": Status.FAILED, "reason": f"{type(error).__name__}: {message}"}


def _is_out_of_memory(error: Exception) -> bool:
    import torch

    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in OUT_OF_MEMORY)


def _redirect_output(log: str | None) -> None:
    """Send everything that is printed to the case's log: nothing disturbs the events or the progress display."""
    if log is None:
        return
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    with Path(log).open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def main() -> None:
    """Answer the one request on standard input."""
    import json

    from bench.execute.worker.process import die_with_parent, import_libraries

    die_with_parent()
    events = os.dup(1)
    os.dup2(2, 1)
    request = json.loads(sys.stdin.readline())
    if request["op"] in {"case", "on-demand"}:
        import_libraries()  # as a forked child finds them: neither time nor memory of building is theirs
    serve(request, events)


if __name__ == "__main__":
    main()
