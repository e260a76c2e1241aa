"""`doctor`: whether a run would work here, what it would do, and what is wrong."""

from typing import Annotated

import typer

from bench.cli.exit import NOT_READY
from bench.cli.options import (
    Budget,
    Device,
    Only,
    Output,
    Processes,
    Samples,
    Scenarios,
    Size,
    Threads,
    Weights,
    seconds_of,
)
from bench.session.request import AUTO, RunRequest, SizeChoice

AsJson = Annotated[bool, typer.Option("--json", help="Print everything that was found, as JSON.")]


def doctor(
    scenarios: Scenarios = None,
    device: Device = AUTO,
    size: Size = SizeChoice.AUTO,
    weights: Weights = "auto",
    only: Only = None,
    samples: Samples = None,
    threads: Threads = None,
    processes: Processes = 1,
    output: Output = None,
    budget: Budget = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a run would work here, and what is wrong.

    Takes the options of run, measures no case, and looks at the card, its driver, torch, the hub and the disk. It says
    how long a run would take, which cases would be skipped and why, how much would be downloaded, and which command
    solves a problem. The exit code is 1 if a run would not work.
    """
    from bench.analyze.checkup import is_ready
    from bench.present import checkup as presented
    from bench.session.checkup import check_up
    from bench.session.progress import Notices

    request = RunRequest(
        scenarios=scenarios or (), only=only or (), device=device, size=size, weights=weights, samples=samples,
        threads=threads, processes=processes, output=output,
        budget_s=None if budget is None else seconds_of(budget),
    )  # fmt: skip
    found = check_up(request, Notices())
    if as_json:
        typer.echo(presented.as_json(found), nl=False)
    else:
        presented.show(found)
    raise typer.Exit(0 if is_ready(found) else NOT_READY)
