"""results.csv: one row a case, derived from the samples and process rows, never stored by the run itself."""

from pathlib import Path
from typing import Any

import pandas as pd

from bench import statistics
from bench.analyze.claims import compare
from bench.analyze.fidelity import fidelity
from bench.analyze.run import Run, open_run
from bench.analyze.speedup import Medians, against
from bench.plan.case import Case
from bench.records import schema, store
from bench.records.schema import MEASURED

Row = dict[str, Any]
WITHIN, BETWEEN = "within one process", "between processes"


def write_results(folder: Path, *, pictures: bool = True) -> pd.DataFrame:
    """Derive `results.csv` from a run's files, replace it, and return it; without `pictures` in a moment."""
    table = results(open_run(folder), pictures=pictures)
    store.replace(folder / store.RESULTS, table.to_csv(index=False))
    return table


def results(run: Run, *, pictures: bool = True) -> pd.DataFrame:
    """Return one row a case, in the plan's order, with the columns of `schema.RESULTS`; cases not run are left out.

    Args:
        run: whose files are read.
        pictures: whether the pictures are compared too, which takes a while for large ones.
    """
    medians = process_medians(run)
    rows = {case.key: row for case in run.plan.cases if (row := _row(run, case, medians)) is not None}
    sources = {table.scenario: table.source for table in run.plan.tables}
    cases = {case.key: case for case in run.plan.cases}
    for key, row in rows.items():
        case = cases[key]
        baseline = rows.get(case.baseline or "")
        row.update(against(case, row, baseline, medians))
        base_case = cases.get(case.baseline or "")
        row.update(compare(case, row, base_case, baseline, sources[case.scenario]))
        if pictures:
            row.update(fidelity(run.folder, case, row, base_case))
    frame = pd.DataFrame(list(rows.values()), columns=schema.names(schema.RESULTS))
    return frame.astype({column.name: column.type for column in schema.RESULTS})


def process_medians(run: Run) -> Medians:
    """Return the median latency in seconds of every measured process: case key -> replicate -> seconds."""
    measured = run.processes[run.processes["status"].isin(list(MEASURED))]
    keys = schema.names(schema.KEY)
    samples = run.samples.merge(measured[keys], on=keys) if len(run.samples) else run.samples
    medians: Medians = {}
    for (scenario, case, number), latencies in samples.groupby(keys, sort=False)["latency_s"]:
        median = statistics.median([float(value) for value in latencies])
        medians.setdefault(f"{scenario}/{case}", {})[int(str(number))] = median
    return medians


def _row(run: Run, case: Case, medians: Medians) -> Row | None:
    """Return a case's row: the settings and outcome of its last process, and statistics over all measured ones."""
    mine = run.processes[(run.processes["scenario"] == case.scenario) & (run.processes["case"] == case.name)]
    if mine.empty:
        return None
    told = {str(name): None if pd.isna(value) else value for name, value in mine.iloc[-1].items()}
    if len(mine) > 1 and told["status"] not in MEASURED:
        told["reason"] = f"in process {len(mine)} of {len(mine)}: {told['reason']}"
    measured = mine[mine["status"].isin(list(MEASURED))]
    environment = {name: run.environment.get(name) for name in schema.names(schema.VERSIONS)}
    found = medians.get(case.key, {})
    return {**told, **environment, **_statistics(run, case, found, told["images"]), **_worst(measured)}


def _statistics(run: Run, case: Case, medians: dict[int, float], images: Any) -> Row:
    samples = run.samples[(run.samples["scenario"] == case.scenario) & (run.samples["case"] == case.name)]
    samples = samples[samples["replicate"].isin(list(medians))]
    latencies = [float(value) for value in samples["latency_s"]]
    if not latencies:
        return {"processes": len(medians), "samples": 0}
    median, interval = _centre(latencies, list(medians.values()))
    return {
        "processes": len(medians),
        "samples": len(latencies),
        "latency_median_s": median,
        **interval,
        "latency_min_s": min(latencies),
        "latency_max_s": max(latencies),
        "device_time_median_s": _median_or_none(samples["device_time_s"]),
        "seconds_per_image": median / int(images),
        "images_per_second": int(images) / median,
    }


def _centre(latencies: list[float], medians: list[float]) -> tuple[float, Row]:
    """Return the central latency, and the interval that the data can support with what it is of, if any."""
    if len(medians) == 1:
        centre, interval, of = medians[0], statistics.median_interval(latencies), WITHIN
    else:
        (centre, interval), of = statistics.geometric_mean_interval(medians), BETWEEN
    bounds = {"latency_low_s": interval.low, "latency_high_s": interval.high, "interval": of} if interval else {}
    return centre, bounds


def _median_or_none(values: pd.Series) -> float | None:
    known = [float(value) for value in values.dropna()]
    return statistics.median(known) if known else None


def _worst(measured: pd.DataFrame) -> Row:
    """Return the highest peak of memory over the processes of a case."""
    peaks = [c for c in schema.names(schema.MEASUREMENTS) if c.endswith("_bytes")]
    highest = {name: measured[name].max() for name in peaks} if len(measured) > 1 else {}
    return {name: None if pd.isna(value) else value for name, value in highest.items()}
