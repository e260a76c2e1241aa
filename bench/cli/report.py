"""`tables`, `plots`, `report`: present runs again from their files, on any machine, without torch."""

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import RunFolder, opened
from bench.errors import InputError
from bench.text import printed_line

REPORT = "report.html"
Write = Annotated[
    bool, typer.Option("--write", help="Also write tables.md, results.csv and samples.csv into the run's folder.")
]
PlotFolder = Annotated[
    Path | None,
    typer.Option(
        help="Where to put the plots. By default, plots/ in the run's folder, if it is writable and not under git."
    ),
]
RunFolders = Annotated[list[Path] | None, typer.Argument(help="Run folders. By default, the newest one in results/.")]
ReportFile = Annotated[
    Path | None,
    typer.Option(
        help="The file to write. By default, report.html in the run's folder; in the current one for several runs, and "
        "for a run that is read-only or under git."
    ),
]


def tables(run: RunFolder = None, write: Write = False) -> None:
    """Print the tables of a run.

    With --write it also restores the derived files, for example after a run was killed.
    """
    from bench.analyze.results import results
    from bench.present import tables as presented
    from bench.session.files import write_data, write_tables

    shown = opened(run)
    found = results(shown)
    presented.show(presented.tables(shown, found))
    if write:
        for path in (*write_data(shown, found), write_tables(shown, found)):
            typer.echo(printed_line(str(path)))


def plots(run: RunFolder = None, output: PlotFolder = None) -> None:
    """Draw the plots of a run, as PNG and SVG."""
    from bench.analyze.results import results
    from bench.session.files import may_write, write_plots

    drawn = opened(run)
    if output is None and not may_write(drawn.folder):
        raise InputError(f"{drawn.folder}: is read-only or under git; name a folder for the plots with --output")
    for path in write_plots(drawn, results(drawn), output):
        typer.echo(printed_line(str(path)))


def report(runs: RunFolders = None, output: ReportFile = None) -> None:
    """Write one or more runs as a self-contained HTML file.

    It has the tables, plots, pictures and raw numbers, and loads nothing from the network.
    """
    from bench.analyze.results import results
    from bench.present.html import page
    from bench.session.files import may_write

    reported = [opened(folder) for folder in runs] if runs else [opened(None)]
    inside = len(reported) == 1 and may_write(reported[0].folder)
    target = output or (reported[0].folder / REPORT if inside else Path(REPORT))
    typer.echo(page.write([(run, results(run)) for run in reported], target))
