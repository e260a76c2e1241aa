"""What a person wants to know when a run ends, in five lines: what ran, what it gained, what holds, what to look at."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench import units
from bench.analyze import highlights as findings
from bench.analyze.rows import Row, plain_rows
from bench.analyze.similarity import another_image
from bench.records import schema
from bench.records.schema import MEASURED, Status

MOST_NAMED = 3
_CLAIMS = [name for name in schema.names(schema.COMPARISON) if name.startswith("claim_")]


def lines(folder: Path, table: pd.DataFrame, environment: Mapping[str, Any], plots: int) -> list[str]:
    """Return the five lines.

    Args:
        folder: of the run.
        table: its results.
        environment: facts of the machine.
        plots: how many were drawn.
    """
    rows = plain_rows(table)
    then = "; ".join(_command(name, folder) for name in ("report", "recommend"))
    return [
        _ran(rows, environment),
        f"Fastest: {_fastest(rows)}",
        f"Documented figures: {_documented(rows)}",
        f"To look at: {_odd(rows)}",
        f"Files: {folder}/ (tables.md, results.csv, {plots} plots). Then: {then}",
    ]


def _command(name: str, folder: Path) -> str:
    """Return a command to copy: with the Python that runs now, where the shell's is another."""
    shells = shutil.which("python")
    same = shells is not None and Path(shells).parent.absolute() == Path(sys.executable).parent
    return shlex.join(["python" if same else os.path.relpath(sys.executable), "-m", "bench", name, str(folder)])


def _ran(rows: Sequence[Row], environment: Mapping[str, Any]) -> str:
    """Say how many cases ended how, on what."""
    told = ", ".join(f"{count} {status}" for status, count in findings.statuses(rows).items())
    twins = ", as tiny twins: toys, no statement about the models" if _sizes(rows) == {"tiny"} else ""
    cases = "case" if len(rows) == 1 else "cases"
    return f"{len(rows)} {cases} on {environment.get('device_name') or 'an unknown device'}: {told or 'none'}{twins}."


def _fastest(rows: Sequence[Row]) -> str:
    """Name the greatest speed-ups, those of the same image first."""
    best = sorted(findings.fastest(rows), key=lambda row: (bool(_image(row)), -row["speedup"]))
    named = [f"{findings.key(row)} {_speedup(row)}{_image(row)}" for row in best]
    more = f", and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return f"{', '.join(named[:MOST_NAMED])}{more}." if named else f"{findings.no_gain(rows)}."


def _speedup(row: Row) -> str:
    return f"{units.ratio(row['speedup'])}{units.bounds(row['speedup_low'], row['speedup_high'])}"


def _image(row: Row) -> str:
    return " (another image by design)" if another_image(row) else ""


def _documented(rows: Sequence[Row]) -> str:
    """Count the verdicts on those figures that were held against a row."""
    if _sizes(rows) == {"tiny"}:
        return "not held against toys."
    held = [row for row in rows if row["claim_judged_by"] is not None]
    told = ", ".join(f"{len(keys)} {verdict}" for verdict, keys in findings.verdicts(held).items())
    if not told and not any(row[name] is not None for row in rows for name in _CLAIMS):
        return "these scenarios have none."
    return f"{told}." if told else "none was held against these rows; tables.md says why."


def _odd(rows: Sequence[Row]) -> str:
    """Name what has no figure or a remark, by kind; skipped cases only counted above."""
    odd = [warning for warning in findings.warnings(rows) if warning.kind != Status.SKIPPED]
    named = [f"{warning.kind} ({warning.cases})" for warning in sorted(odd, key=lambda warning: -warning.cases)]
    more = f" and {len(named) - MOST_NAMED} more kinds" if len(named) > MOST_NAMED else ""
    return f"{', '.join(named[:MOST_NAMED])}{more}; tables.md names the cases." if named else "nothing."


def _sizes(rows: Sequence[Row]) -> set[str]:
    return {str(row["size"]) for row in rows if row["status"] in list(MEASURED)}
