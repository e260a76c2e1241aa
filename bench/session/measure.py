"""Measure what a plan holds, write rows as they come, and end with tables and plots: the second half of `run`."""

import os
import signal
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bench.execute.attempt import Outcome
    from bench.execute.client import WorkerClient
    from bench.execute.runner import Runner
    from bench.plan.case import Case, Plan
    from bench.plan.order import Job
    from bench.plan.settings import RunSettings
    from bench.records.store import Store

FAULT, INTERRUPTED = 1, 130
"""Exit codes: a case failed, crashed or timed out, or the disk refused; the run was stopped."""


def measure(
    plan: "Plan",
    settings: "RunSettings",
    machine: dict[str, Any],
    folder: Path,
    server: "WorkerClient",
    *,
    resume: bool,
) -> int:
    """Measure what is not on file yet and present everything that is; return the exit code."""
    from bench.analyze.results import write_results
    from bench.execute.client import WorkerClient
    from bench.execute.runner import Runner
    from bench.pipelines.tiny import resolve
    from bench.plan.order import remaining
    from bench.records import environment
    from bench.records.schema import MEASURED
    from bench.records.store import Store

    store = Store(folder)
    facts = environment.describe(machine)
    on_file = store.open({**plan.to_json(), "run": settings.to_json()}, facts, resume=resume)
    done = {(f"{row['scenario']}/{row['case']}", int(row["process"])): row["status"] in MEASURED for row in on_file}
    try:
        jobs = remaining(plan.cases, settings.processes, done)
        tiny = any(resolve(case, settings.size)[1] == "tiny" for case in plan.cases)
        announce(settings, facts, folder, tiny=tiny)
        if done:
            typer.echo(f"Resuming: {len(done)} processes are on file, {len(jobs)} are left.")
        fetch_missing([job.case for job in jobs], settings)
        start_server = partial(WorkerClient, spawn=machine["started_by"] == "spawn")
        runner = Runner(folder, settings, server, start_server)
        try:
            interrupted = run_jobs(jobs, len(jobs), runner, store, lambda _: write_results(folder, pictures=False))
        finally:
            runner.close()
        return _present(folder, interrupted=interrupted)
    except OSError as error:  # a full disk, a folder that is gone: what is on file stays valid
        typer.echo(f"stopped: cannot write the results ({error}); make room, then go on with --resume", err=True)
        return FAULT
    finally:
        store.close()


def announce(settings: "RunSettings", facts: dict[str, Any], folder: Path, *, tiny: bool) -> None:
    """Say what is measured on what, and where the rows go."""
    typer.echo(f"{facts['device_name']}, torch {facts['torch']}, diffusers {facts['diffusers']}; writing to {folder}/")
    warn(settings, facts["started_by"], tiny=tiny)


def warn(settings: "RunSettings", started_by: str, *, tiny: bool) -> None:
    """Say what a reader would not expect of a measurement here."""
    if tiny:
        typer.echo("Measuring tiny twins, the same code at toy width: no statement about the models themselves.")
    if started_by == "spawn":
        typer.echo("Forked workers cannot use this device: every case starts an interpreter, which takes seconds.")
    if settings.weights == "auto" and settings.size == "full" and not settings.hub_reachable:
        typer.echo("The hub cannot be reached: what its cache lacks gets random weights (see the column 'weights').")


def fetch_missing(cases: "Sequence[Case]", settings: "RunSettings") -> None:
    """Fetch what the hub must give before the first case is measured."""
    from bench.execute.client import fetch
    from bench.pipelines.fetching import missing

    if downloads := missing(cases, settings):
        typer.echo(f"Fetching from the hub: {', '.join(download.name for download in downloads)}")
        fetch(downloads)


def run_jobs(
    jobs: "Iterable[Job]", total: int | None, runner: "Runner", store: "Store", after: "Callable[[Outcome], object]"
) -> bool:
    """Measure, each row on disk before the next job is asked for; return whether the run was stopped.

    Args:
        jobs: taken one by one, so that an outcome may decide on the next.
        total: how many they are, None where that is not known.
        runner: stays open.
        store: open.
        after: told each outcome once it is on disk.
    """
    from bench.execute.runner import InterruptedRunError
    from bench.session.progress import PatientConsole, Progress

    status = ""
    try:
        with terminable(), Progress(total, PatientConsole()) as progress:
            for outcome in runner.run(jobs, progress):
                store.append(outcome.process, outcome.samples)
                after(outcome)
                status = outcome.process["status"]
    except (KeyboardInterrupt, InterruptedRunError):
        status = "interrupted"
    return status == "interrupted"


@contextmanager
def terminable() -> "Iterator[None]":
    """Raise `InterruptedRunError` on SIGTERM meanwhile, so that the case in flight still gets its row."""
    from bench.execute.runner import InterruptedRunError

    def stop(_signal: int, _frame: object) -> None:
        raise InterruptedRunError

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _present(folder: Path, *, interrupted: bool) -> int:
    """Write and print the tables, draw the plots, and return the exit code."""
    from bench.analyze.results import write_results
    from bench.cli.report import present
    from bench.records.schema import FAULTS

    table = write_results(folder)
    present(folder, table)
    if interrupted:
        typer.echo(f"Stopped. Go on with: python -m bench run --resume --output {os.fspath(folder)}")
        return INTERRUPTED
    faults = table[table["status"].isin(list(FAULTS))]
    for _, row in faults.iterrows():
        typer.echo(f"{row['scenario']}/{row['case']}: {row['status']}: {row['reason']}", err=True)
    return FAULT if len(faults) else 0
