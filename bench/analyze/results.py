"""results.csv: one row a case, derived from the samples and process rows, never stored by the run itself."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from bench import statistics
from bench.analyze.claims import compare
from bench.analyze.rows import plain_rows, typed
from bench.analyze.run import Run, open_run
from bench.analyze.similarity import similarity
from bench.analyze.speedup import against
from bench.plan.case import Case
from bench.records import schema, store
from bench.records.schema import MEASURED, Status

Row = dict[str, Any]
HOST_BOUND = 0.90
"""Below this share of busy time the device waits for the host for a tenth of the call or more."""
UNDISTURBED = 0.95
"""A process that computes on one core of its own has it for nearly all of the time."""
COMPARABLE_WARMUP = 6
"""Calls of warm-up that can be found to agree: two triples."""
LASTING = (*schema.SETTINGS, *schema.EFFECTIVE, *schema.DIAGNOSIS)
"""Columns that say the same in every process of a case that told them."""
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
    processes, samples = _by_case(run.processes), _by_case(run.samples)
    medians = {key: _process_medians(processes[key], samples.get(key, [])) for key in processes}
    environment = {name: run.environment.get(name) for name in schema.names(schema.VERSIONS)}
    cases = {case.key: case for case in run.plan.cases if case.key in processes}
    told = {key: _told(processes[key]) for key in cases}
    rows = {
        key: {**told[key], **environment, **_statistics(told[key], samples.get(key, []), medians[key])} for key in cases
    }
    sources = {table.scenario: table.source for table in run.plan.scenarios}
    for key, row in rows.items():
        case, baseline, base_case = cases[key], rows.get(cases[key].baseline or ""), _baseline_case(run, cases[key])
        row.update(against(case, row, baseline, medians))
        row["threshold"] = case.threshold
        row.update(compare(case, row, base_case, baseline, sources[case.scenario]))
        if pictures:
            row.update(similarity(run.folder, case, row, base_case))
        row["remarks"] = "; ".join(filter(None, [row["remarks"], *_remarks(row)])) or None
    return typed(list(rows.values()), schema.RESULTS)


def _by_case(frame: pd.DataFrame) -> dict[str, list[Row]]:
    """Return the rows of a file by case key."""
    grouped: dict[str, list[Row]] = {}
    for row in plain_rows(frame):
        grouped.setdefault(f"{row['scenario']}/{row['case']}", []).append(row)
    return grouped


def _baseline_case(run: Run, case: Case) -> Case | None:
    return next((other for other in run.plan.cases if other.key == case.baseline), None)


def _process_medians(processes: list[Row], samples: list[Row]) -> dict[int, float]:
    """Return the median latency in seconds of every measured process of a case, by process."""
    latencies: dict[int, list[float]] = {p["process"]: [] for p in processes if p["status"] in MEASURED}
    for sample in samples:
        if sample["process"] in latencies:
            latencies[sample["process"]].append(sample["latency_s"])
    return {number: statistics.median(values) for number, values in latencies.items() if values}


def _told(processes: list[Row]) -> Row:
    """Return what the last process of a case told, what only others told, and the highest peaks of all measured ones.

    One process of several is diagnosed, and one that crashed may have told nothing of its settings.
    """
    told = dict(processes[-1])
    if len(processes) > 1 and told["status"] not in MEASURED:
        told["reason"] = f"in process {len(processes)} of {len(processes)}: {told['reason']}"
    elif len(processes) > 1:
        told |= _steadiness(processes)
    for name in schema.names(LASTING):
        told[name] = next((p[name] for p in reversed(processes) if p[name] is not None), None)
    for peak in (name for name in schema.names(schema.MEASUREMENTS) if name.endswith("_bytes")):
        known = [p[peak] for p in processes if p["status"] in MEASURED and p[peak] is not None]
        told[peak] = max(known, default=told[peak])
    return told


def _steadiness(processes: list[Row]) -> Row:
    """Return status and reason of a case that several processes measured: unstable where at least half of them were."""
    drifted = [p for p in processes if p["status"] == Status.UNSTABLE]
    if 2 * len(drifted) < len(processes):
        return {"status": str(Status.OK), "reason": None}
    reason = f"{len(drifted)} of {len(processes)} processes: {drifted[-1]['reason']}"
    return {"status": str(Status.UNSTABLE), "reason": reason}


def _statistics(told: Row, samples: list[Row], medians: dict[int, float]) -> Row:
    counted = [sample for sample in samples if sample["process"] in medians] or samples
    latencies = [sample["latency_s"] for sample in counted]
    if not latencies:
        return {"processes": len(medians), "samples": 0}
    center, interval = _centre(latencies, list(medians.values()) or [statistics.median(latencies)])
    images = int(told["images"])
    device_times = [sample["device_time_s"] for sample in counted if sample["device_time_s"] is not None]
    return {
        "processes": len(medians),
        "samples": len(latencies),
        "latency_median_s": center,
        "process_medians_s": json.dumps(medians, sort_keys=True) if medians else None,
        **interval,
        "latency_min_s": min(latencies),
        "latency_max_s": max(latencies),
        "device_time_median_s": statistics.median(device_times) if device_times else None,
        "seconds_per_image": center / images,
        "images_per_second": images / center,
        "roofline_fraction": _share(told["roofline_s"], center),
        "device_busy_share": _share(told["device_busy_s"], center),
    }


def _remarks(row: Row) -> list[str]:
    """Say what the figures of a row mean where it is easily overlooked."""
    busy, own = row.get("device_busy_share"), row.get("own_cpu_share")
    remarks = []
    if busy is not None and busy < HOST_BOUND:
        remarks.append(f"host-bound: the device computes for {busy:.0%} of a call and waits for the host")
    if own is not None and own < UNDISTURBED:
        remarks.append(f"disturbed: others had its core for {1 - own:.0%} of the time")
    if row.get("warm") is False and row["warmup_calls"] >= COMPARABLE_WARMUP:
        remarks.append("never warm: its calls still changed when warm-up ended")
    elif row.get("warm") is False:
        remarks.append(f"perhaps not warm: its calls are long, and after {row['warmup_calls']} warm-up was out of time")
    return remarks


def _share(seconds: float | None, latency: float) -> float | None:
    return None if seconds is None else seconds / latency


def _centre(latencies: list[float], medians: list[float]) -> tuple[float, Row]:
    """Return the central latency, and the interval that the data can support with what it is of, if any."""
    if len(medians) == 1:
        center, interval, of = medians[0], statistics.median_interval(latencies), WITHIN
    else:
        (center, interval), of = statistics.geometric_mean_interval(medians), BETWEEN
    bounds = {"latency_low_s": interval.low, "latency_high_s": interval.high, "interval": of} if interval else {}
    return center, bounds
