"""`compare`, `baseline`: hold result files against each other, on any machine."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

BaselineFolder = Annotated[Path | None, typer.Option(help="Where baselines are kept; results/baselines if not given.")]


class Format(StrEnum):
    """What `--format` takes."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"


def compare(
    base: Annotated[Path, typer.Argument(help="A run's folder or a results.csv: what is compared with.")],
    new: Annotated[list[Path], typer.Argument(help="One or more to compare with it.")],
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TERMINAL,
    plot: Annotated[Path | None, typer.Option(help="Draw it too, into this PNG, SVG or PDF file.")] = None,
) -> None:
    """Compare runs case by case: medians, changes with their intervals, memory, and all that differs."""
    from bench.analyze.comparison import pair_up
    from bench.analyze.side import distinct, open_side
    from bench.present import comparison as presented

    sides = distinct([open_side(path) for path in (base, *new)])
    compared = presented.Compared(sides, [pair_up(sides[0], side) for side in sides[1:]])
    if plot is not None:  # first, for a reader of the table may go away (`| head`)
        from bench.present.plots import comparison as plot_comparison

        plot_comparison.write(plot, compared)
        typer.echo(f"Plot: {plot}", err=True)
    _print(presented, compared, form)


def _print(presented: Any, found: Any, form: Format) -> None:
    """Print what was found in a form, by the module that presents it."""
    if form is Format.TERMINAL:
        presented.show(found)
        return
    printers = {Format.MARKDOWN: presented.as_markdown, Format.CSV: presented.as_csv, Format.JSON: presented.as_json}
    typer.echo(printers[form](found), nl=False)


def baseline(
    run: Annotated[Path, typer.Argument(help="The folder of a run.")],
    folder: BaselineFolder = None,
) -> None:
    """Keep a run's rows as the baseline of its scenarios on its device, for `gate` to find."""
    from bench.analyze import baselines

    paths, remarks = baselines.write(run, folder or baselines.FOLDER)
    for path in paths:
        typer.echo(path)
    for remark in remarks:
        typer.echo(remark, err=True)


def trend(
    runs: Annotated[list[Path], typer.Argument(help="Run folders or results.csv files; their order is that of time.")],
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TERMINAL,
    plot: Annotated[Path | None, typer.Option(help="Draw it too, into this PNG, SVG or PDF file.")] = None,
) -> None:
    """Show medians over many runs, and where they changed for good."""
    from bench.analyze.side import distinct, open_side
    from bench.analyze.trend import trends
    from bench.present import trend as presented

    series = trends(distinct([open_side(path) for path in runs]))
    if plot is not None:
        left_out = presented.plot(plot, series)
        typer.echo(f"Plot: {plot}{f'; no room for {left_out} cases' if left_out else ''}", err=True)
    _print(presented, series, form)
