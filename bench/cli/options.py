"""Options that several commands share, with one meaning."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bench.session.request import DeviceChoice, SizeChoice

Scenarios = Annotated[
    list[str] | None, typer.Argument(help="Scenario files, folders or names. By default, all of scenarios/.")
]
Only = Annotated[
    list[str] | None,
    typer.Option(help="Keep only cases whose scenario/case matches this pattern; may be repeated. By default, all."),
]
Device = Annotated[DeviceChoice, typer.Option(help="Where to measure. auto takes the accelerator, or else the CPU.")]
Size = Annotated[SizeChoice, typer.Option(help="Which models to measure. auto takes the tiny ones on a CPU.")]
Weights = Annotated[
    str,
    typer.Option(
        metavar="auto|hub|random|DIR",
        help="Where weights come from. auto tries the hub's cache, then the hub, then random weights.",
    ),
]
Samples = Annotated[
    int | None,
    typer.Option(min=1, help="Timed calls per process. By default, 6 for gate, else as many as a 1 % interval takes."),
]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads of the CPU. By default, one.")]
RunFolder = Annotated[Path | None, typer.Argument(help="The folder of a run. By default, the newest in results/.")]
BaselineFolder = Annotated[Path | None, typer.Option(help="Where baselines are saved. By default, results/baselines.")]


class Format(StrEnum):
    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"


def folder_of(run: Path | None) -> Path:
    """Return the folder of the run that was named, or of the newest one in results/."""
    from bench.analyze.run import newest

    return run or newest(Path("results"))
