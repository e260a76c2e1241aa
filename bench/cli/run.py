"""`run`: measure scenarios."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.exit import ENDINGS
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
from bench.session.request import AUTO, Ending, RunOutcome, RunRequest, SizeChoice

if TYPE_CHECKING:
    from bench.session.progress import Notices

Timeout = Annotated[
    float | None,
    typer.Option(min=1, help="The longest that a process may take, in seconds. By default, the scenario's limit."),
]
Diagnose = Annotated[
    bool, typer.Option("--diagnose", help="Also break down calls of tiny models and estimate their roofline.")
]
Trace = Annotated[bool, typer.Option("--trace", help="Write a profiler trace of one call per case, for Perfetto.")]
MemoryTrace = Annotated[
    bool,
    typer.Option(
        "--memory-trace", help="Write a memory snapshot of one call per case, for pytorch.org/memory_viz (GPU only)."
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue the run in --output, or the newest one in results/.")]
RetryFailed = Annotated[
    bool,
    typer.Option(
        "--retry-failed", help="Like --resume, but also re-measure cases that failed or ran out of time or memory."
    ),
]


def run(
    scenarios: Scenarios = None,
    device: Device = AUTO,
    size: Size = SizeChoice.AUTO,
    weights: Weights = "auto",
    only: Only = None,
    samples: Samples = None,
    threads: Threads = None,
    processes: Processes = 1,
    timeout: Timeout = None,
    diagnose: Diagnose = False,
    trace: Trace = False,
    memory_trace: MemoryTrace = False,
    output: Output = None,
    resume: Resume = False,
    retry_failed: RetryFailed = False,
    budget: Budget = None,
) -> None:
    """Measure the cases of scenarios, and print their tables.

    Each case gets a fresh process. A run that was stopped, even by kill -9 or a power failure, can be continued with
    --resume. The exit code is 1 if a case failed, crashed or timed out, or if an
    optimization that must not change the picture changed it.
    """
    from bench.session.measure import measure
    from bench.session.progress import Notices

    request = RunRequest(
        scenarios=scenarios or (), only=only or (), device=device, size=size, weights=weights, samples=samples,
        threads=threads, processes=processes, timeout_s=timeout, diagnose=diagnose or None, trace=trace,
        memory_trace=memory_trace, output=output,
        resume=resume or retry_failed, retry_failed=retry_failed,
        budget_s=None if budget is None else seconds_of(budget),
    )  # fmt: skip
    notices = Notices()
    ending = _present(measure(request, notices), notices)
    raise typer.Exit(ENDINGS[ending])


def _present(outcome: RunOutcome, notices: "Notices") -> Ending:
    """Print the tables, write them and the plots, say where everything is and what went wrong; return how it ended."""
    from bench.present import forecast, run_summary, tables, words
    from bench.records.environment import FORECAST
    from bench.records.outcomes import WRONG
    from bench.session.measure import write_tables_and_plots

    run, results = outcome.run, outcome.results
    tables.show(tables.tables(run, results))
    outcome, plots = write_tables_and_plots(outcome, notices)
    if outcome.ending is Ending.NOT_WRITTEN:
        return outcome.ending
    for line in run_summary.lines(run, results, len({path.stem for path in plots})):
        notices.say(line)
    for result in results:
        if result.status in WRONG:
            notices.warn(f"{result.key}: {result.status}: {words.notes(result)}")
    if (forecasted := forecast.of(run.environment, FORECAST)) is not None:
        notices.say(forecast.accuracy(forecasted))
    resume = f"Continue with: python -m bench run --resume --output {os.fspath(run.folder)}"
    if outcome.ending is Ending.INTERRUPTED:
        notices.say(f"Stopped. {resume}")
    elif outcome.left_out:
        notices.say(forecast.left_out(outcome.left_out) + f" {resume}")
    return outcome.ending
