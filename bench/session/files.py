"""The files that are derived from a run. Each is replaced whole; all raise OSError if the disk refuses."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import files
from bench.analyze.run import Run
from bench.records import store, table
from bench.records.case_result import CaseResult

TABLES, PLOTS = "tables.md", "plots"


class NotWrittenError(Exception):
    """The disk refused what a session measured; the message says why."""


@contextmanager
def writing() -> Iterator[None]:
    """Raise `NotWrittenError` for an OSError; put nothing in this context but the writing."""
    try:
        yield
    except OSError as error:
        raise NotWrittenError(f"cannot write the results ({error})") from error


def write_data(run: Run, results: Sequence[CaseResult]) -> list[Path]:
    """Write `samples.csv` and `results.csv`."""
    samples = _write(run.folder / store.SAMPLES, table.samples_csv(run.processes))
    return [samples, _write(run.folder / store.RESULTS, table.results_csv(results))]


def write_tables(run: Run, results: Sequence[CaseResult]) -> Path:
    """Write `tables.md`."""
    from bench.present import tables

    return _write(run.folder / TABLES, tables.markdown(run, tables.tables(run, results)))


def write_plots(run: Run, results: Sequence[CaseResult], folder: Path | None = None) -> list[Path]:
    """Draw the plots as PNG and SVG, below the run's folder by default."""
    from bench.present.plots import registry

    return registry.write(run, results, folder or files.subfolder(run.folder, PLOTS))


def may_write(folder: Path) -> bool:
    """Return whether a command may leave files in a run that it only reads: a writable one that git does not track."""
    command = ["git", "ls-files", "--", "."]
    try:
        tracked = subprocess.run(command, cwd=folder, capture_output=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):  # no git, so nothing that it tracks
        tracked = b""
    return os.access(folder, os.W_OK) and not tracked


def _write(path: Path, text: str) -> Path:
    files.replace(path, text)
    return path
