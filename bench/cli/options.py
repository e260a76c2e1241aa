"""Options that several commands share, with one meaning."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bench.session.request import DeviceChoice, SizeChoice

Scenarios = Annotated[
    list[str] | None,
    typer.Argument(help="Scenario files, folders or names. By default, everything in scenarios/."),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        help="Keep only the cases whose scenario/case matches this pattern; may be repeated. By default, all.",
    ),
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
Threads = Annotated[int | None, typer.Option(min=1, help="Threads of the CPU. By default, one.")]
RunFolder = Annotated[
    Path | None,
    typer.Argument(help="The folder of a run. By default, the newest in results/."),
]
BaselineFolder = Annotated[
    Path | None,
    typer.Option(help="Where baselines are saved. By default, results/baselines."),
]
PlotFile = Annotated[
    Path | None,
    typer.Option(help="Also draw it into this PNG, SVG or PDF file. By default, it is only printed."),
]


class Format(StrEnum):
    """What `--format` accepts."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"


Form = Annotated[Format, typer.Option("--format", help="How to print it.")]


def folder_of(run: Path | None) -> Path:
    """Return the folder of the run that was named, or of the newest one in results/."""
    if run is not None:
        return run
    from bench.analyze.run import newest

    return newest(Path("results"))
