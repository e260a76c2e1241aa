"""The files that are derived from a run. Each is replaced whole, and only where somebody asked for it."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.analyze.run import Run
from bench.records import store, table
from bench.records.case_result import CaseResult

TABLES, PLOTS = "tables.md", "plots"


def write_data(run: Run, results: Sequence[CaseResult]) -> list[Path]:
    """Write `samples.csv` and `results.csv`; raise OSError where the disk refuses."""
    texts = {store.SAMPLES: table.samples_csv(run.processes), store.RESULTS: table.results_csv(results)}
    return [_write(run.folder / name, text) for name, text in texts.items()]


def write_tables(run: Run, results: Sequence[CaseResult]) -> Path:
    """Write `tables.md`; raise OSError where the disk refuses."""
    from bench.present import tables

    return _write(run.folder / TABLES, tables.markdown(run, tables.tables(run, results)))


def write_plots(run: Run, results: Sequence[CaseResult], folder: Path | None = None) -> list[Path]:
    """Draw the plots as PNG and SVG, below the run's folder by default; raise OSError where the disk refuses."""
    from bench.present.plots import registry

    return registry.write(run, results, folder or run.folder / PLOTS)


def write_pages(run: Run, results: Sequence[CaseResult]) -> list[Path]:
    """Write what people look at, `tables.md` and the plots, and return the plots; raise OSError as above."""
    write_tables(run, results)
    return write_plots(run, results)


def may_write(folder: Path) -> bool:
    """Return whether a command may leave files in a run that it only reads: a writable one that git does not track."""
    if not os.access(folder, os.W_OK):
        return False
    try:
        tracked = subprocess.run(
            ["git", "ls-files", "--", "."], cwd=folder, capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):  # no git, so nothing that it tracks
        return True
    return not tracked


def _write(path: Path, text: str) -> Path:
    store.replace(path, text)
    return path
