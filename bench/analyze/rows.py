"""Rows of a table as plain values, for pandas' NA is neither true nor false; and what every reader takes from one."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

Row = Mapping[str, Any]


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table in order, None where a value is unknown."""
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def peak_bytes(row: Row) -> float | None:
    """Return the peak of a generation: tensors on an accelerator, growth of the process on a host; None if unknown."""
    allocated = row["peak_allocated_bytes"]
    told = allocated if allocated is not None else row["peak_rss_growth_bytes"]
    return None if told is None else float(told)
