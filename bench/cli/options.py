"""Options that several commands share, with the same meaning everywhere."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.errors import InputError
from bench.session.request import SizeChoice

if TYPE_CHECKING:
    from bench.analyze.run import Run

Scenarios = Annotated[
    list[str] | None, typer.Argument(help="Scenario files, folders or names. By default, all of scenarios/.")
]
Only = Annotated[
    list[str] | None,
    typer.Option(help="Keep only cases whose scenario/case matches this pattern; may be repeated. By default, all."),
]
Device = Annotated[
    str,
    typer.Option(
        metavar="auto|cuda[:N]|xpu[:N]|mps|cpu",
        help="Where to measure. auto picks the accelerator if there is one, an idle card if there are several, and "
        "otherwise the CPU. N counts the devices that are visible (CUDA_VISIBLE_DEVICES), from 0.",
    ),
]
Size = Annotated[
    SizeChoice,
    typer.Option(help="Which models to measure. auto picks the tiny ones on a CPU."),
]
Weights = Annotated[
    str,
    typer.Option(
        metavar="auto|hub|random|DIR",
        help="Where weights come from. auto tries the hub's cache, then the hub, then random weights.",
    ),
]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads. By default, one.")]
Processes = Annotated[
    int, typer.Option(min=1, help="Fresh processes per case, in alternating passes: 1 or an even number.")
]
Samples = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Timed calls per process. By default, the scenario's number, otherwise as many as a 1 % interval needs.",
    ),
]
Output = Annotated[Path | None, typer.Option(help="The run's folder. By default, results/<time>-<device>-<size>.")]
Budget = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="How long the run may take, such as 90s, 30m or 2h, without downloads. Documented cases come first; what "
        "does not fit can be continued with --resume. By default, no limit.",
    ),
]
RunFolder = Annotated[Path | None, typer.Argument(help="A run's folder. By default, the newest one in results/.")]
BaselineFolder = Annotated[Path | None, typer.Option(help="Where baselines are saved. By default, results/baselines.")]


def seconds_of(budget: str) -> float:
    """Return the seconds of a `--budget`; raise `InputError` if it is not a time."""
    from bench.units import parse_duration

    try:
        return parse_duration(budget)
    except InputError as error:
        raise InputError(f"--budget: {error}") from error


class Format(StrEnum):
    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"


def opened(run: Path | None) -> "Run":
    """Open the run that was named, or the newest one in results/; raise `InputError` if it has nothing to show."""
    from bench.analyze.run import newest, open_run

    found = open_run(run or newest(Path("results")))
    if not found.processes:
        remedy = f"continue it with `bench run --resume --output {found.folder}`"
        raise InputError(f"{found.folder}: no process has finished yet; {remedy}")
    return found
