"""Gate two interpreters: plan once, measure both in turn, judge, and measure on where that was not enough."""

import os
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bench.analyze.gate import BLOCKS, EXTENDED
from bench.cli import run as run_command
from bench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bench.analyze.gate import Judged
    from bench.execute.client import WorkerClient
    from bench.plan.case import Case, Plan
    from bench.plan.settings import RunSettings
    from bench.present.gate import Gated
    from bench.session.paired_blocks import GateSide

SAMPLES = 6
"""Calls a process: the process is the unit of the statistics, so more of them buy little."""
TRUSTED = (
    f"Two interpreters, in fresh processes that were measured in turn, the order turned from block to block ({BLOCKS} "
    f"blocks, {EXTENDED} where these left it open): the gate to trust for latency."
)


@dataclass(frozen=True)
class GateRequest:
    """What is to be gated, as the command line says it."""

    scenarios: list[str]
    only: list[str]
    device: str
    size: str
    weights: str
    samples: int | None
    output: Path | None


def duel(base_python: Path, head_python: Path, question: GateRequest, threshold: float) -> "Gated":
    """Measure a plan in two interpreters and judge it; the rows are kept as two runs, `base` and `head`.

    Raises:
        InputError: an interpreter cannot be used, what was asked for makes no sense, or the disk refused.
        typer.Exit: the gate was stopped (130).
    """
    from bench.execute.runner import InterruptedRunError
    from bench.session.measure import terminable
    from bench.session.paired_blocks import StoppedError

    pythons = {"base": _executable(base_python, "--base-python"), "head": _executable(head_python, "--head-python")}
    try:
        with terminable(), ExitStack() as opened:
            servers = {name: opened.enter_context(_server(python, name)) for name, python in pythons.items()}
            return _measured(servers, pythons, question, threshold, opened)
    except (StoppedError, InterruptedRunError, KeyboardInterrupt) as error:
        typer.echo("Stopped before a verdict.", err=True)
        raise typer.Exit(run_command.INTERRUPTED) from error
    except OSError as error:
        raise InputError(f"stopped: cannot write the results ({error}); make room and gate again") from error


def _server(python: str, name: str) -> "WorkerClient":
    from bench.execute.client import WorkerClient

    try:
        return WorkerClient(python)
    except OSError as error:
        raise InputError(f"--{name}-python {python}: cannot be started ({error.strerror})") from error


def _measured(
    servers: "dict[str, WorkerClient]",
    pythons: dict[str, str],
    question: GateRequest,
    threshold: float,
    opened: ExitStack,
) -> "Gated":
    """Measure both sides into two folders, judge, and write their results."""
    from bench.session.measure import fetch_missing, warn

    plan, machines, settings = _prepare(servers, question)
    folder = question.output or _folder(settings)
    sides = [
        _contender(name, folder / name, plan, settings, servers[name], pythons[name], machines[name], opened)
        for name in pythons
    ]
    fetch_missing(plan.cases, settings)
    typer.echo(f"Gating {pythons['head']} against {pythons['base']}; writing to {folder}/")
    tiny = _is_tiny(plan, settings)
    warn(settings, machines["base"]["started_by"], tiny=tiny)
    judged, remarks = _judge(sides, plan, threshold, tiny=tiny)
    return _gated(sides, judged, remarks)


def _executable(python: Path, option: str) -> str:
    """Return an interpreter's path as it was given: through a virtual environment's link, never past it."""
    found = shutil.which(os.fspath(python.expanduser()))
    if found is None:
        raise InputError(
            f"{option} {python}: is no program; give an environment's interpreter, such as .venv/bin/python"
        )
    return str(Path(found).absolute())


def _prepare(
    servers: "dict[str, WorkerClient]", question: GateRequest
) -> tuple["Plan", dict[str, dict[str, Any]], "RunSettings"]:
    """Return the plan, the facts of the machine as each interpreter tells them, and the settings of both runs."""
    from bench.execute.client import ask_compatible
    from bench.plan.load import choose
    from bench.session.plan import load_plan
    from bench.session.settings import ask, settle

    base = servers["base"]
    plan, baselines = choose(load_plan(question.scenarios, lambda model: ask_compatible(base, model)), question.only)
    plan = replace(plan, cases=tuple(case for case in plan.cases if case.key not in baselines))
    settings, machine = settle(base, plan.cases, question.device, question.size, question.weights)
    machines = {
        "base": machine,
        "head": ask(servers["head"], "--head-python", {"op": "probe", "device": settings.device}),
    }
    if machines["base"]["device_name"] != machines["head"]["device_name"]:
        names = f"{machines['base']['device_name']} and {machines['head']['device_name']}"
        raise InputError(f"the interpreters see different devices ({names}); give --device, or the same kind of torch")
    return plan, machines, replace(settings, samples=question.samples or SAMPLES, diagnose=False)


def _is_tiny(plan: "Plan", settings: "RunSettings") -> bool:
    from bench.pipelines.tiny import resolve

    return all(resolve(case, settings.size)[1] == "tiny" for case in plan.cases)


def _folder(settings: "RunSettings") -> Path:
    time = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return run_command.RESULTS / f"{time}-gate-{settings.device}-{settings.size}"


def _contender(
    name: str, folder: Path, plan: "Plan", settings: "RunSettings", server: "WorkerClient", python: str,
    machine: dict[str, Any], opened: ExitStack,
) -> "GateSide":  # fmt: skip
    """Open one side's folder and return what measures into it."""
    from bench.execute.client import WorkerClient
    from bench.execute.runner import Runner
    from bench.records import environment
    from bench.records.store import Store
    from bench.session.paired_blocks import GateSide

    store = Store(folder)
    store.open({**plan.to_json(), "run": settings.to_json()}, environment.describe(machine), resume=False)
    opened.callback(store.close)
    start_server = partial(WorkerClient, python, spawn=machine["started_by"] == "spawn")
    runner = Runner(folder, settings, server, start_server)
    opened.callback(runner.close)
    return GateSide(name, runner, store)


def _judge(
    sides: "Sequence[GateSide]", plan: "Plan", threshold: float, *, tiny: bool
) -> tuple[list["Judged"], list[str]]:
    """Measure in blocks and judge; say which way of gating this was."""
    from bench.analyze.gate import settle
    from bench.present.gate import TINY

    def measure(keys: "Collection[str] | None", numbers: range) -> list["Judged"]:
        if keys is not None:
            typer.echo(f"{numbers.start} blocks leave {len(keys)} cases open: {len(numbers)} more of these.")
        _fight(sides, [case for case in plan.cases if keys is None or case.key in keys], numbers)
        return _verdicts(sides, threshold)

    return settle(measure), [TRUSTED, *([TINY] if tiny else [])]


def _fight(sides: "Sequence[GateSide]", cases: "Sequence[Case]", numbers: range) -> None:
    from bench.session.paired_blocks import run_paired_blocks
    from bench.session.progress import PatientConsole, Progress

    total = len(sides) * len(cases) * len(numbers)
    with Progress(total, PatientConsole()) as progress:
        run_paired_blocks(sides, cases, numbers, progress)


def _verdicts(sides: "Sequence[GateSide]", threshold: float) -> list["Judged"]:
    from bench.analyze.comparison import pair_up, with_similarity
    from bench.analyze.gate import judge
    from bench.analyze.run import open_run
    from bench.analyze.side import of_run

    base, head = (of_run(open_run(side.store.folder)) for side in sides)
    return judge(with_similarity(pair_up(base, head, rounds_are_pairs=True), base, head), threshold)


def _gated(sides: "Sequence[GateSide]", judged: list["Judged"], remarks: list[str]) -> "Gated":
    """Write both sides' results and return the gate's outcome."""
    from bench.analyze.comparison import environment
    from bench.analyze.results import write_results
    from bench.analyze.run import open_run
    from bench.analyze.side import of_run
    from bench.present.gate import Gated

    for side in sides:
        write_results(side.store.folder)
    runs = [of_run(open_run(side.store.folder)) for side in sides]
    return Gated("head against base", judged, environment(runs), remarks)
