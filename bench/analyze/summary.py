"""results.csv: one row a case, derived from the samples and process rows, never stored by the run itself."""

from pathlib import Path
from typing import Any

import pandas as pd

from bench import statistics
from bench.analyze.claims import compare
from bench.analyze.run import Run, open_run
from bench.plan.case import Case
from bench.records import schema, store
from bench.records.schema import MEASURED

Row = dict[str, Any]


def write_results(folder: Path) -> pd.DataFrame:
    """Derive `results.csv` from a run's files, replace it, and return it."""
    table = results(open_run(folder))
    store.replace(folder / store.RESULTS, table.to_csv(index=False))
    return table


def results(run: Run) -> pd.DataFrame:
    """Return one row a case, in the plan's order, with the columns of `schema.RESULTS`; cases not run are left out."""
    rows = {case.key: row for case in run.plan.cases if (row := _row(run, case)) is not None}
    sources = {table.scenario: table.source for table in run.plan.tables}
    for case in run.plan.cases:
        if case.key in rows:
            baseline = rows.get(case.baseline or "")
            base_case = next((other for other in run.plan.cases if other.key == case.baseline), None)
            rows[case.key] |= compare(case, rows[case.key], base_case, baseline, sources[case.scenario])
    frame = pd.DataFrame(list(rows.values()), columns=schema.names(schema.RESULTS))
    return frame.astype({column.name: column.type for column in schema.RESULTS})


def _row(run: Run, case: Case) -> Row | None:
    """Return a case's row: the settings of its last process, and statistics over all its measured ones."""
    mine = run.processes[(run.processes["scenario"] == case.scenario) & (run.processes["case"] == case.name)]
    if mine.empty:
        return None
    measured = mine[mine["status"].isin(list(MEASURED))]
    last = (measured if len(measured) else mine).iloc[-1]
    told = {str(name): None if pd.isna(value) else value for name, value in last.items()}
    environment = {name: run.environment.get(name) for name in schema.names(schema.VERSIONS)}
    return {**told, **environment, **_statistics(run, case, measured), **_worst(measured)}


def _statistics(run: Run, case: Case, measured: pd.DataFrame) -> Row:
    samples = run.samples[(run.samples["scenario"] == case.scenario) & (run.samples["case"] == case.name)]
    samples = samples[samples["replicate"].isin(measured["replicate"])]
    latencies = [float(value) for value in samples["latency_s"]]
    if not latencies:
        return {"processes": len(measured), "samples": 0}
    median = statistics.median(latencies)
    interval = statistics.median_interval(latencies) if len(measured) == 1 else None
    images = int(measured["images"].iloc[-1])
    return {
        "processes": len(measured),
        "samples": len(latencies),
        "latency_median_s": median,
        "latency_low_s": interval.low if interval else None,
        "latency_high_s": interval.high if interval else None,
        "latency_min_s": min(latencies),
        "latency_max_s": max(latencies),
        "device_time_median_s": _median_or_none(samples["device_time_s"]),
        "seconds_per_image": median / images,
        "images_per_second": images / median,
    }


def _median_or_none(values: pd.Series) -> float | None:
    known = [float(value) for value in values.dropna()]
    return statistics.median(known) if known else None


def _worst(measured: pd.DataFrame) -> Row:
    """Return the highest peak of memory over the processes of a case."""
    peaks = [c for c in schema.names(schema.MEASUREMENTS) if c.endswith("_bytes")]
    return {name: measured[name].max() for name in peaks} if len(measured) > 1 else {}
