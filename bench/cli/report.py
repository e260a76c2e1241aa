"""`tables`, `plots`, `report`: present runs again from their files, on any machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

REPORT = "report.html"
RunFolder = Annotated[Path | None, typer.Argument(help="The folder of a run; the newest in results/ if none.")]
RunFolders = Annotated[list[Path] | None, typer.Argument(help="Folders of runs; the newest in results/ if none.")]
ReportFile = Annotated[
    Path | None, typer.Option(help="The file; report.html in the run's folder, of several runs in this one.")
]


def tables(run: RunFolder = None) -> None:
    """Print the tables of a run and write its tables.md."""
    from bench.analyze.results import write_results
    from bench.present import tables as presented

    folder = folder_of(run)
    presented.show(presented.write(folder, write_results(folder)))


def plots(run: RunFolder = None) -> None:
    """Draw the plots of a run, as PNG and SVG."""
    from bench.analyze.results import write_results
    from bench.present.plots import registry as presented

    folder = folder_of(run)
    for path in presented.write(folder, write_results(folder)):
        typer.echo(path)


def report(runs: RunFolders = None, output: ReportFile = None) -> None:
    """Write runs as one self-contained HTML file: tables, plots, pictures and raw numbers."""
    from bench.analyze.results import results
    from bench.analyze.run import open_run
    from bench.present.html import page

    folders = runs or [folder_of(None)]
    target = output or (folders[0] / REPORT if len(folders) == 1 else Path(REPORT))
    typer.echo(page.write([(folder, results(open_run(folder))) for folder in folders], target))


def present(folder: Path, table: "pd.DataFrame") -> None:
    """Print the tables and draw the plots of a run whose results are `table`, and say where everything is."""
    from bench.present import run_summary
    from bench.present import tables as presented_tables
    from bench.present.plots import registry as presented_plots
    from bench.records import store

    presented_tables.show(presented_tables.write(folder, table))
    drawn = presented_plots.write(folder, table)
    for line in run_summary.lines(
        folder, table, store.read_json(folder / store.ENVIRONMENT), len({path.stem for path in drawn})
    ):
        typer.echo(line)


def folder_of(run: Path | None) -> Path:
    """Return the run's folder that was named, or the newest in results/."""
    if run is not None:
        return run
    from bench.analyze.run import newest

    return newest(Path("results"))
