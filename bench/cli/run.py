"""`run`: from the command line to a plan and the settings of a run, or back to those of a run to go on with."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.options import Device, Only, Size, Threads, Weights
from bench.errors import InputError
from bench.session.settings import DeviceChoice, SizeChoice

if TYPE_CHECKING:
    from bench.execute.client import WorkerClient
    from bench.plan.case import Plan
    from bench.plan.settings import RunSettings

RESULTS = Path("results")
INTERRUPTED = 130
"""The exit code of a run that was stopped."""


def run(
    scenarios: Annotated[
        list[str] | None, typer.Argument(help="Scenario files, folders or names; all of scenarios/ if none.")
    ] = None,
    device: Device = DeviceChoice.AUTO,
    size: Size = SizeChoice.AUTO,
    weights: Weights = "auto",
    only: Only = None,
    samples: Annotated[int | None, typer.Option(min=1, help="A fixed number of samples a case.")] = None,
    threads: Threads = None,
    processes: Annotated[int, typer.Option(min=1, help="Fresh processes a case, interleaved in rounds; even.")] = 1,
    timeout: Annotated[float | None, typer.Option(min=1, help="The longest a case may take, in seconds.")] = None,
    diagnose: Annotated[
        bool, typer.Option("--diagnose", help="Split calls and measure limits of tiny twins too.")
    ] = False,
    trace: Annotated[bool, typer.Option("--trace", help="Write a profiler's trace of one call of each case.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="The run's folder; results/<time>-<device>-<size> if none.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --output, the newest if none.")
    ] = False,
) -> None:
    """Measure the cases of scenarios."""
    from bench.execute.client import WorkerClient
    from bench.session.measure import measure

    asked = {
        "threads": threads,
        "samples": samples,
        "processes": _even(processes),
        "timeout_s": timeout,
        "trace": trace,
        "diagnose": diagnose or None,
    }
    try:
        with WorkerClient() as server:
            if resume and not scenarios and not only:
                plan, settings, machine = _again(server, _folder(output, None, resume=True))
            else:
                plan, settings, machine = _anew(
                    server, scenarios or [], only or [], str(device), str(size), weights, asked
                )
            folder = _folder(output, settings, resume=resume)
            code = measure(plan, settings, machine, folder, server, resume=resume)
    except KeyboardInterrupt:  # before the first case, or while the tables are drawn
        code = INTERRUPTED
    raise typer.Exit(code)


def _anew(
    server: "WorkerClient",
    scenarios: list[str],
    only: list[str],
    device: str,
    size: str,
    weights: str,
    asked: dict[str, Any],
) -> tuple["Plan", "RunSettings", dict[str, Any]]:
    """Plan a run from the command line; return the plan, the settings, and the machine's facts."""
    from bench.execute.client import ask_compatible
    from bench.session.plan import choose_cases, load_plan
    from bench.session.settings import settle

    plan, _ = choose_cases(load_plan(scenarios, lambda model: ask_compatible(server, model)), only)
    settings, machine = settle(server, plan.cases, device, size, weights)
    return plan, replace(settings, **asked), machine


def _again(server: "WorkerClient", folder: Path) -> tuple["Plan", "RunSettings", dict[str, Any]]:
    """Take the plan and the settings of a run that is to be gone on with from its folder."""
    from bench.plan.case import Plan
    from bench.plan.settings import RunSettings
    from bench.records import store
    from bench.session.settings import ask

    stored = store.read_json(folder / store.PLAN)
    try:
        plan, settings = Plan.from_json(stored), RunSettings.from_json(stored["run"])
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder / store.PLAN}: is no plan of this version ({error}); start anew") from error
    return plan, settings, ask(server, "--resume", {"op": "probe", "device": settings.device})


def _even(processes: int) -> int:
    """Refuse an odd number of rounds: every round forwards wants one backwards."""
    if processes > 1 and processes % 2:
        raise InputError(f"--processes {processes}: rounds run forwards and backwards in turn; give an even number")
    return processes


def _folder(output: Path | None, settings: "RunSettings | None", *, resume: bool) -> Path:
    if output is not None:
        return output
    if resume or settings is None:
        from bench.analyze.run import newest

        return newest(RESULTS)
    time = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return RESULTS / f"{time}-{settings.device}-{settings.size}"
