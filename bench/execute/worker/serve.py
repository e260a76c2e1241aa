"""What a worker process does: handle one request and report events as it goes.

The fork server calls `serve` in a forked child. `python -m bench.execute.worker.serve` reads the request from standard
input instead.
"""

import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench import files
from bench.execute.worker import measurement, probe
from bench.execute.worker.on_demand import OnDemandSampler
from bench.execute.worker.process import die_with_parent, import_libraries
from bench.execute.worker.protocol import Reporter
from bench.pipelines.errors import NotInEffectError, UnsupportedError
from bench.pipelines.images import BrokenImageError, NothingDrawnError
from bench.pipelines.tiny import resolve
from bench.plan.case import Case
from bench.plan.settings import RunSettings
from bench.records.outcomes import Status
from bench.text import without_secrets

OUT_OF_MEMORY = ("not enough memory", "can't allocate memory", "out of memory", "alloc_failed", "allocation_failed")
"""What allocators say in a plain RuntimeError: the CPU's, those of some backends, cuBLAS's, cuDNN 8's and cuDNN 9's."""
CUDNN_INTERNAL = "cudnn_status_internal_error"
"""All that cuDNN said of a convolution on an H200 with 7 MiB free, and also what it says of faults of its own."""
ALL_BUT_FULL_BYTES = 256 * 1024**2
"""With less than this free on the card, an internal error of cuDNN is put down to memory: its workspaces are larger."""


def serve(request: Mapping[str, Any], events: int) -> None:
    """Handle one request, writing events to the file descriptor `events`."""
    report = Reporter(events)
    _redirect_output(request.get("log"))
    try:
        _HANDLERS[request["op"]](request, report)
    except Exception as error:
        report.outcome(*_outcome(error))
        traceback.print_exc()
        if request["op"] == "probe":  # its exit code says whether a forked worker can use the device
            raise


def _case(request: Mapping[str, Any], report: Reporter) -> None:
    folders = ("images", "trace", "memory_trace")
    images, trace, memory_trace = (Path(path) if (path := request[name]) else None for name in folders)
    report.facts(started_by=request["started_by"])
    measurement.measure_and_diagnose(*_case_and_settings(request), images, trace, memory_trace, report)


def _on_demand(request: Mapping[str, Any], report: Reporter) -> None:
    sampler = OnDemandSampler(request["fifo"], warm_up=request["warm_up"])
    report.facts(started_by=request["started_by"])
    measurement.measure_case(*_case_and_settings(request), None, report, sampler.measure)


def _case_and_settings(request: Mapping[str, Any]) -> tuple[Case, RunSettings]:
    return Case.from_json(request["case"]), RunSettings.from_json(request["run"])


def _probe(request: Mapping[str, Any], report: Reporter) -> None:
    report.answer({**probe.machine(request["device"]), "started_by": request["started_by"]})


def _rates(request: Mapping[str, Any], report: Reporter) -> None:
    report.answer(measurement.device_rates(RunSettings.from_json(request["run"]), request["types"]))


def _work(request: Mapping[str, Any], report: Reporter) -> None:
    """Answer with the work of one call of each case, by key: None if unknown, nothing for a case that is skipped."""
    from bench.pipelines.build import check
    from bench.pipelines.rehearsal import Work, rehearse

    settings, answer = RunSettings.from_json(request["run"]), {}
    for case in map(Case.from_json, request["cases"]):
        try:
            check(*resolve(case, settings.size), settings)
            work = rehearse(*resolve(case, settings.size))
        except UnsupportedError:
            work = Work()
        except Exception:  # noqa: BLE001 - any pipeline, any argument; the forecast says that it does not know
            work = None
        answer[case.key] = None if work is None else vars(work)
    report.answer(answer)


def _obstacles(request: Mapping[str, Any], report: Reporter) -> None:
    """Answer with how each case would end before anything is loaded, by key; None for one that can be begun."""
    from bench.pipelines.build import check

    settings = RunSettings.from_json(request["run"])
    answer: dict[str, Mapping[str, str] | None] = {}
    for case in map(Case.from_json, request["cases"]):
        answer[case.key] = None
        try:
            check(*resolve(case, settings.size), settings)
        except Exception as error:  # noqa: BLE001 - the row that the case would have
            status, reason = _outcome(error)
            answer[case.key] = {"status": status, "reason": reason}
    report.answer(answer)


def _sizes(request: Mapping[str, Any], report: Reporter) -> None:
    from bench.pipelines.fetching import Download, size_bytes

    report.answer({download["name"]: size_bytes(Download(**download)) for download in request["downloads"]})


def _hub(_request: Mapping[str, Any], report: Reporter) -> None:
    report.answer(probe.hub_answers())


def _compatible(request: Mapping[str, Any], report: Reporter) -> None:
    from bench.pipelines.diffusers_api import compatible_schedulers

    report.answer({model: compatible_schedulers(model) for model in request["models"]})


def _fetch(request: Mapping[str, Any], _report: Reporter) -> None:
    """Download one after the other; print what could not be fetched, which the record of its case will repeat."""
    sys.stderr = _Masked(sys.stderr.buffer, encoding="utf-8", errors="backslashreplace", line_buffering=True)
    from bench.pipelines.fetching import Download, fetch

    for wanted in request["downloads"]:
        try:
            fetch(Download(**wanted))
        except Exception as error:  # noqa: BLE001 - the hub, the network, the disk: its case fails with the same error
            sys.stderr.write(f"{wanted['name']}: {type(error).__name__}: {error}\n")


class _Masked(io.TextIOWrapper):
    """Standard error without the credentials that the hub's client quotes with its addresses."""

    def write(self, text: str) -> int:
        return super().write(without_secrets(text))


_HANDLERS: dict[str, Callable[[Mapping[str, Any], Reporter], None]] = {
    "case": _case,
    "on-demand": _on_demand,
    "probe": _probe,
    "rates": _rates,
    "work": _work,
    "obstacles": _obstacles,
    "sizes": _sizes,
    "hub": _hub,
    "compatible": _compatible,
    "fetch": _fetch,
}


def _outcome(error: Exception) -> tuple[Status, str]:
    message = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, UnsupportedError):
        return Status.SKIPPED, message
    if _is_out_of_memory(error):
        return Status.OOM, message
    if isinstance(error, (NotInEffectError, BrokenImageError, NothingDrawnError)):
        return Status.FAILED, message
    return Status.FAILED, f"{type(error).__name__}: {message}"


def _is_out_of_memory(error: Exception) -> bool:
    import torch

    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    message = str(error).lower() if isinstance(error, RuntimeError) else ""
    if any(words in message for words in OUT_OF_MEMORY):
        return True
    return CUDNN_INTERNAL in message and torch.cuda.mem_get_info()[0] < ALL_BUT_FULL_BYTES


def _redirect_output(log: str | None) -> None:
    """Send everything that is printed to the log of the case, so that it disturbs neither events nor progress."""
    if log is None:
        return
    with files.appending(Path(log)) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def main() -> None:
    """Handle the one request on standard input."""
    die_with_parent()
    events = os.dup(1)
    os.dup2(2, 1)
    request = json.loads(sys.stdin.readline())
    if request["op"] in {"case", "on-demand"}:
        import_libraries()  # as in a forked child, so that building pays neither time nor memory for it
    serve(request, events)


if __name__ == "__main__":
    main()
