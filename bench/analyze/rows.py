"""Rows of a table as plain values, for pandas' NA is neither true nor false; and what every reader takes from one."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bench.records.schema import Column

Row = Mapping[str, Any]
PHASES = ("load_", "first_call_", "")
MEMORY_KINDS = {
    "reserved": "reserved on the device",
    "allocated": "allocated on the device",
    "rss_growth": "resident growth",
}
"""What a peak of memory is of, in the order that it is taken: what must fit, what tensors take, what a host sees."""


def typed(rows: Sequence[Row], columns: Sequence[Column]) -> pd.DataFrame:
    """Return plain rows as a table of these columns in their types; what a row has not is unknown."""
    return pd.DataFrame(
        {column.name: pd.Series([row.get(column.name) for row in rows], dtype=column.type) for column in columns}
    )


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table in order, None where a value is unknown."""
    columns = [
        [None if unknown else value for value, unknown in zip(column.tolist(), column.isna(), strict=True)]
        for _, column in frame.items()
    ]
    names = list(map(str, frame.columns))
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def process_medians(row: Row) -> dict[int, float]:
    """Return the median latency in seconds of each process of a case, by its round; none where it was not measured."""
    told = row["process_medians_s"]
    return {int(number): float(seconds) for number, seconds in json.loads(told).items()} if told else {}


def peak_bytes(row: Row) -> float | None:
    """Return the peak of a generation: tensors on an accelerator, growth of the process on a host; None if unknown."""
    allocated = row["peak_allocated_bytes"]
    told = allocated if allocated is not None else row["peak_rss_growth_bytes"]
    return None if told is None else float(told)


def highest_peak(row: Row) -> tuple[float | None, str]:
    """Return the highest peak of memory of a case in bytes, and what it is of."""
    for kind in MEMORY_KINDS:
        known = [row[name] for phase in PHASES if row[name := f"{phase}peak_{kind}_bytes"] is not None]
        if row[f"peak_{kind}_bytes"] is not None:
            return float(max(known)), kind
    return None, ""
