"""The Python API: what a notebook or a script calls. `bench` itself offers these functions under its own name."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

from bench.analyze.comparison import Compared
from bench.analyze.gate import GateResult
from bench.plan.case import Plan
from bench.session import stored
from bench.session.progress import Notices
from bench.session.request import Ending, RunRequest, SizeChoice

if TYPE_CHECKING:
    import pandas as pd


DTYPES = {bool: "boolean", int: "Int64", float: "Float64", dict: "object"}
"""Type of a column -> pandas dtype, with room for unknown values; anything else is text, as in results.csv."""


def load_plan(*scenarios: str | PathLike[str], only: str | Sequence[str] = ()) -> Plan:
    """Load and check scenarios, given by file, folder or name; all of `scenarios/` if none is given.

    Args:
        scenarios: to load.
        only: a pattern of `scenario/case`, or several; the baselines of what they match are added.

    Raises:
        bench.errors.InputError: a scenario has a fault, named with file and line, or a pattern matches nothing.
    """
    from bench.execute.client import compatible_schedulers
    from bench.session.plan import plan_for

    patterns = [only] if isinstance(only, str) else only
    request = RunRequest(scenarios=[str(each) for each in scenarios], only=patterns)
    return plan_for(request, compatible_schedulers, Notices(quiet=True))


def run(
    what: Plan | str | Sequence[str] = (),
    *,
    device: str = "auto",
    size: str = "auto",
    weights: str = "auto",
    processes: int = 1,
    samples: int | None = None,
    output: str | PathLike[str] | None = None,
    resume: bool = False,
    progress: bool = False,
) -> Path:
    """Measure a plan or scenarios, as `bench run` does, and return the folder of the run.

    A case that fails does not raise: its status and reason are in the results.

    Args:
        what: a plan, the name of a scenario, or several; all of `scenarios/` if empty.
        device: `auto`, `cpu`, `mps`, `cuda`, `xpu`, or one of the last two with an index, such as `cuda:1`.
        size: `auto`, `full` or `tiny`.
        weights: `auto`, `hub`, `random`, or a folder of saved pipelines.
        processes: fresh processes per case, 1 or an even number.
        samples: timed calls per process; None stops when the interval is narrow enough.
        output: the run's folder; None makes one in `results/`.
        resume: whether to continue the run in `output`.
        progress: whether to print progress.

    Raises:
        bench.errors.InputError: the request cannot be fulfilled; nothing was measured.
        OSError: the disk refused.
        KeyboardInterrupt: it was stopped; what was measured is on file.
    """
    from bench.session.measure import measure, write_tables_and_plots

    request = RunRequest(
        device=device,
        size=SizeChoice(size),
        weights=weights,
        processes=processes,
        samples=samples,
        output=None if output is None else Path(output),
        resume=resume,
        option_prefix="",
    )
    if isinstance(what, Plan):
        request = replace(request, plan=what)
    else:
        request = replace(request, scenarios=[what] if isinstance(what, str) else what)
    notices = Notices(quiet=not progress)
    outcome, _ = write_tables_and_plots(measure(request, notices), notices)
    if outcome.ending is Ending.NOT_WRITTEN:
        raise OSError(f"{outcome.run.folder}: cannot be written")
    if outcome.ending is Ending.INTERRUPTED:
        raise KeyboardInterrupt
    return outcome.run.folder


def load_results(run: str | PathLike[str]) -> "pd.DataFrame":
    """Return the results of a run, given by its folder or a results.csv: one row per case, one typed column per figure.

    `python -m bench columns` says what each column means.

    Raises:
        bench.errors.InputError: it is neither, or is damaged; with file and line.
    """
    import pandas as pd

    from bench.analyze.results import results
    from bench.analyze.run import open_run
    from bench.records.case_result import CaseResult
    from bench.records.columns import cell, columns, flatten
    from bench.records.table import read_results

    path = Path(run)
    if path.is_dir():
        found = results(open_run(path))
    else:
        file = read_results(path)
        found = [result for _, result in file.results]
        if file.ignored:
            warnings.warn(stored.ignored_columns(path, file.ignored), stacklevel=2)
    rows = [flatten(result) for result in found]
    table = {}
    for column in columns(CaseResult):
        dtype, values = _dtype(column.type), [row[column.name] for row in rows]
        if dtype == "string":
            values = [None if value in (None, ()) else str(cell(value)) for value in values]
        table[column.name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(table)


def compare(base: str | PathLike[str], new: str | PathLike[str]) -> Compared:
    """Compare two results case by case, each given by a run's folder or a results.csv.

    Raises:
        bench.errors.InputError: one of them is neither, or is damaged; with file and line.
    """
    return stored.compare(Path(base), [Path(new)], _Warnings())


def gate(base: str | PathLike[str], new: str | PathLike[str], threshold: float = 0.03) -> GateResult:
    """Judge whether `new` is slower than `base`, or needs more memory; `.verdict` is that of all cases together.

    Args:
        base: a run's folder or a results.csv.
        new: the same.
        threshold: the slow-down that is a regression, as a share, for cases whose scenario sets none.

    Raises:
        bench.errors.InputError: one of them is neither, or is damaged; with file and line.
    """
    return stored.gate(Path(base), Path(new), threshold, _Warnings())


def _dtype(annotation: Any) -> str:
    """Return the pandas dtype of a column, from its annotation without `Annotated` and `None`."""
    while get_args(annotation) and get_origin(annotation) not in {dict, tuple}:
        annotation = get_args(annotation)[0]
    return DTYPES.get(get_origin(annotation) or annotation, "string")


class _Warnings(Notices):
    """Raises Python warnings in the name of a caller of `compare` or `gate`; says nothing else."""

    def __init__(self) -> None:
        super().__init__(quiet=True)

    def warn(self, line: str) -> None:
        warnings.warn(line, stacklevel=5)  # the caller, `compare`, `stored.compare`, `open_sides`, this
