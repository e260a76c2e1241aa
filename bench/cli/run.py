"""`run`: measure the cases of scenarios, write their rows as they come, and end with tables and plots."""

import os
import signal
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.execute.server import Server
    from bench.plan.case import Plan
    from bench.plan.order import Job
    from bench.plan.settings import RunSettings
    from bench.records.store import Store

RESULTS = Path("results")
FAULT, INTERRUPTED = 1, 130
"""Exit codes: a case failed, crashed or timed out; the run was stopped."""

POLICIES = ("auto", "hub", "random")


class DeviceChoice(StrEnum):
    """What `--device` takes."""

    AUTO = "auto"
    CUDA = "cuda"
    CPU = "cpu"
    MPS = "mps"
    XPU = "xpu"


class SizeChoice(StrEnum):
    """What `--size` takes."""

    AUTO = "auto"
    FULL = "full"
    TINY = "tiny"


def run(
    scenarios: Annotated[
        list[str] | None, typer.Argument(help="Scenario files, folders or names; all of scenarios/ if none.")
    ] = None,
    device: Annotated[
        DeviceChoice, typer.Option(help="auto takes the accelerator where there is one.")
    ] = DeviceChoice.AUTO,
    size: Annotated[
        SizeChoice, typer.Option(help="auto measures toy twins where there is no accelerator.")
    ] = SizeChoice.AUTO,
    weights: Annotated[str, typer.Option(help="auto, hub, random, or a folder of saved pipelines.")] = "auto",
    only: Annotated[list[str] | None, typer.Option(help="Keep cases whose scenario/case matches this pattern.")] = None,
    samples: Annotated[int | None, typer.Option(min=1, help="A fixed number of samples a case.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of the CPU; one if not given.")] = None,
    replicates: Annotated[int, typer.Option(min=1, help="Fresh processes a case, interleaved in rounds; even.")] = 1,
    timeout: Annotated[float | None, typer.Option(min=1, help="The longest a case may take, in seconds.")] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Write a profiler's trace of one call of each case.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="The run's folder; results/<time>-<device>-<size> if none.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --output, the newest if none.")
    ] = False,
) -> None:
    """Measure the cases of scenarios."""
    from bench.cli.plan import choose_cases, load_plan
    from bench.execute.questions import ask_compatible
    from bench.execute.server import Server
    from bench.pipelines.tiny import resolve

    try:
        with Server() as server:
            plan, _ = choose_cases(load_plan(scenarios or [], lambda model: ask_compatible(server, model)), only or [])
            _check_weights(weights, size, plan)
            machine = _ask(server, f"--device {device}", {"op": "probe", "device": str(device)})
            settings = replace(
                _settings(machine, size, weights),
                threads=threads,
                samples=samples,
                replicates=_even(replicates),
                timeout_s=timeout,
                trace=trace,
            )
            if weights == "auto" and any(resolve(case, settings.size)[1] == SizeChoice.FULL for case in plan.cases):
                settings = replace(settings, hub_reachable=_ask(server, "the hub", {"op": "hub"}))
            folder = _folder(output, settings, resume=resume)
            code = _measure(plan, settings, machine, folder, server, resume=resume)
    except KeyboardInterrupt:  # before the first case, or while the tables are drawn
        code = INTERRUPTED
    except OSError as error:  # a full disk, a folder that is gone: what is on file stays valid
        typer.echo(f"stopped: cannot write the results ({error}); make room, then go on with --resume", err=True)
        code = FAULT
    raise typer.Exit(code)


def _ask(server: "Server", subject: str, question: dict[str, Any]) -> Any:
    from bench.execute.server import ServerError

    try:
        return server.ask(question)
    except ServerError as error:
        raise InputError(f"{subject}: {error}") from error


def _check_weights(weights: str, size: str, plan: "Plan") -> None:
    """Refuse weights that cannot be what the rows would say."""
    from bench.pipelines.tiny import has_twin

    if weights in POLICIES and weights != "hub":
        return
    if size == SizeChoice.TINY:
        raise InputError(f"--size tiny --weights {weights}: toy twins have random weights; leave one of the two out")
    if weights == "hub":
        return
    folder = Path(weights).expanduser()
    if not folder.is_dir():
        raise InputError(f"--weights {weights}: is no folder; give auto, hub, random, or a folder of saved pipelines")
    models = {case.model for case in plan.cases if has_twin(case.model) or not Path(case.model).is_dir()}
    if (folder / "model_index.json").is_file() and len(models) > 1:
        raise InputError(
            f"--weights {weights}: is one pipeline, the plan has {len(models)} models ({', '.join(sorted(models))}); "
            "choose cases of one with --only, or put each model in a folder of its own below one"
        )


def _settings(machine: dict[str, Any], size: str, weights: str) -> "RunSettings":
    from bench.plan.settings import RunSettings

    if size == SizeChoice.AUTO:
        toy = machine["device"] == "cpu" and weights in {"auto", "random"}
        size = SizeChoice.TINY if toy else SizeChoice.FULL
    kept = weights if weights in POLICIES else str(Path(weights).expanduser().absolute())
    return RunSettings(device=machine["device"], size=str(size), weights=kept)


def _even(replicates: int) -> int:
    """Refuse an odd number of rounds: every round forwards wants one backwards."""
    if replicates > 1 and replicates % 2:
        raise InputError(f"--replicates {replicates}: rounds run forwards and backwards in turn; give an even number")
    return replicates


def _folder(output: Path | None, settings: "RunSettings", *, resume: bool) -> Path:
    if output is not None:
        return output
    if resume:
        from bench.analyze.run import newest

        return newest(RESULTS)
    time = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return RESULTS / f"{time}-{settings.device}-{settings.size}"


def _measure(
    plan: "Plan", settings: "RunSettings", machine: dict[str, Any], folder: Path, server: "Server", *, resume: bool
) -> int:
    """Measure what is not on file yet and present everything that is; return the exit code."""
    from bench.plan.order import remaining
    from bench.records import environment
    from bench.records.schema import MEASURED
    from bench.records.store import Store

    store = Store(folder)
    facts = environment.describe(machine)
    on_file = store.open({**plan.to_json(), "run": settings.to_json()}, facts, resume=resume)
    done = {(f"{row['scenario']}/{row['case']}", int(row["replicate"])): row["status"] in MEASURED for row in on_file}
    try:
        jobs = remaining(plan.cases, settings.replicates, done)
        _announce(settings, facts, folder, len(jobs), len(done))
        interrupted = _run_jobs(jobs, settings, store, server)
        return _present(folder, interrupted=interrupted)
    finally:
        store.close()


def _announce(settings: "RunSettings", facts: dict[str, Any], folder: Path, left: int, finished: int) -> None:
    typer.echo(f"{facts['device_name']}, torch {facts['torch']}, diffusers {facts['diffusers']}; writing to {folder}/")
    if settings.size == "tiny":
        typer.echo(
            "Measuring tiny twins, the same code at toy width: their figures say nothing about the models themselves."
        )
    if settings.weights == "auto" and settings.size == "full" and not settings.hub_reachable:
        typer.echo(
            "The hub cannot be reached: models that its cache lacks get random weights (see the column 'weights')."
        )
    if finished:
        typer.echo(f"Resuming: {finished} processes are on file, {left} are left.")


def _run_jobs(jobs: "Sequence[Job]", settings: "RunSettings", store: "Store", server: "Server") -> bool:
    """Measure, each row on disk before the next process begins; return whether the run was stopped."""
    from rich.console import Console

    from bench.analyze.summary import write_results
    from bench.execute.progress import Progress
    from bench.execute.runner import InterruptedRunError, Runner
    from bench.execute.server import Server as NewServer

    def stop(_signal: int, _frame: object) -> None:
        raise InterruptedRunError

    signal.signal(signal.SIGTERM, stop)
    runner = Runner(store.folder, settings, server, NewServer)
    status = ""
    try:
        with Progress(len(jobs), Console(stderr=False)) as progress:
            for outcome in runner.run(jobs, progress):
                store.append(outcome.process, outcome.samples)
                write_results(store.folder, pictures=False)
                status = outcome.process["status"]
    except (KeyboardInterrupt, InterruptedRunError):
        status = "interrupted"
    finally:
        runner.close()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return status == "interrupted"


def _present(folder: Path, *, interrupted: bool) -> int:
    """Write and print the tables, draw the plots, and return the exit code."""
    from bench.analyze.summary import write_results
    from bench.cli.report import present
    from bench.records.schema import FAULTS

    table = write_results(folder)
    present(folder)
    if interrupted:
        typer.echo(
            f"Stopped. Go on with: python -m bench run --resume --output {os.fspath(folder)} (and the same arguments)"
        )
        return INTERRUPTED
    faults = table[table["status"].isin(list(FAULTS))]
    for _, row in faults.iterrows():
        typer.echo(f"{row['scenario']}/{row['case']}: {row['status']}: {row['reason']}", err=True)
    return FAULT if len(faults) else 0
