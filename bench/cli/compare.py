"""`compare`, `save-baseline`, `trend`: compare stored results, on any machine, without torch."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bench.cli.options import BaselineFolder, Format
from bench.text import printed_line

Base = Annotated[Path, typer.Argument(help="What to compare with: a run's folder or a results.csv.")]
New = Annotated[list[Path], typer.Argument(help="What to compare: one or more run folders or results.csv files.")]
Runs = Annotated[
    list[Path],
    typer.Argument(help="Run folders or results.csv files. They are sorted by when they were measured."),
]
Form = Annotated[Format, typer.Option("--format", help="The output format.")]
PlotFile = Annotated[Path | None, typer.Option(help="Also write a plot to this PNG, SVG or PDF file.")]


def compare(base: Base, new: New, form: Form = Format.TERMINAL, plot: PlotFile = None) -> None:
    """Compare runs case by case.

    It shows medians, changes with their intervals, peak memory, and everything that differs between the runs.
    """
    from bench.present import comparison as presented
    from bench.session.progress import Notices
    from bench.session.stored import compare as compare_stored

    compared = compare_stored(base, new, Notices())
    if plot is not None:  # before the table, whose reader may go away (`| head`)
        from bench.present.plots import comparison as plot_comparison

        plot_comparison.write(plot, compared)
        typer.echo(printed_line(f"Plot: {plot}"), err=True)
    _print(presented, compared, form)


def save_baseline(
    run: Annotated[Path, typer.Argument(help="The run's folder.")], folder: BaselineFolder = None
) -> None:
    """Save a run as the baseline that `gate` compares with.

    There is one baseline per scenario and device: a results.csv that you can commit.
    """
    from bench.analyze import baselines
    from bench.present.verdicts import saved_baselines

    saved = baselines.write(run, folder or baselines.FOLDER)
    for path in saved.paths:
        typer.echo(printed_line(str(path)))
    for line in saved_baselines(saved):
        typer.echo(printed_line(line), err=True)


def trend(runs: Runs, form: Form = Format.TERMINAL, plot: PlotFile = None) -> None:
    """Show medians over many runs, and their lasting changes."""
    from bench.analyze.trend import trends
    from bench.present import trend as presented
    from bench.session.progress import Notices
    from bench.session.stored import open_sides

    series = trends(open_sides(runs, Notices()))
    if plot is not None:
        from bench.present.plots import trend as plot_trend

        left_out = plot_trend.write(plot, series)
        typer.echo(printed_line(f"Plot: {plot}{f'; no room for {left_out} cases' if left_out else ''}"), err=True)
    _print(presented, series, form)


def _print(presented: Any, found: Any, form: Format) -> None:
    from bench.present import render

    if form is Format.TERMINAL:
        presented.show(found)
    elif form is Format.MARKDOWN:
        typer.echo(render.document(presented.table(found)), nl=False)
    elif form is Format.CSV:
        typer.echo(render.csv_text(presented.records(found)), nl=False)
    else:
        typer.echo(presented.as_json(found), nl=False)
