"""A comparison as a table on the terminal, as Markdown, CSV or JSON: medians, changes with intervals, what differs."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench import units
from bench.analyze.comparison import Pair, environment, geometric_mean, measured
from bench.analyze.rows import Row
from bench.analyze.side import Side
from bench.present import markdown
from bench.present.tables import TINY
from bench.statistics import MIN_PROCESSES

LEFT = ("case", "verdict", "fact")
FIELDS = (
    "case", "base", "new", "base_status", "new_status", "base_latency_s", "new_latency_s", "ratio", "ratio_low",
    "ratio_high", "base_processes", "new_processes", "verdict", "base_memory_bytes", "new_memory_bytes", "settings",
    "effective",
)  # fmt: skip


SMALLEST = 0.01
"""A change of less than 1 % is called none: a machine does that from one hour to the next."""
TIMES = (
    "Runs of two times: what a machine does from one to the other is in the change, and not in its interval. To know, "
    "measure both sides in turn: gate --base-python A --head-python B."
)
INTERVALS = "change: of the latency, more is slower; in brackets its 95 % interval in per cent, from fresh processes."
FEW = (
    f"No interval: it takes {MIN_PROCESSES} processes a side to tell a change from chance; measure with --processes 4."
)


@dataclass(frozen=True)
class Compared:
    """Sides beside each other: the first is the base, `pairs` has a list for each of the others."""

    sides: Sequence[Side]
    pairs: Sequence[Sequence[Pair]]


def verdict(pair: Pair) -> str:
    """Say in words what a pair shows; a difference only where its interval excludes none."""
    if pair.base is None or pair.new is None:
        return "only in base" if pair.new is None else "only in new"
    if pair.settings:
        return "other settings"
    if pair.ratio is None:
        before, after = pair.base["status"], pair.new["status"]
        return f"{after} on both" if before == after else f"{before} -> {after}"
    if pair.interval is None:
        return "too few processes"
    if abs(pair.ratio - 1) < SMALLEST or pair.interval.low <= 1 <= pair.interval.high:
        return "no difference shown"
    return "slower" if pair.ratio > 1 else "faster"


def show(compared: Compared) -> None:
    """Print the comparison on the terminal: one table, or one a side where it is not wide enough."""
    console = Console()
    together = _printed(compared)
    if len(compared.pairs) > 1 and console.measure(together).maximum >= console.width:
        for side, pairs in zip(compared.sides[1:], compared.pairs, strict=True):
            console.print(_printed(Compared([compared.sides[0], side], [pairs])))
    else:
        console.print(together)
    for line in _lines(compared):
        console.print(line, markup=False, highlight=False)


def _printed(compared: Compared) -> Table:
    """Return the table for the terminal."""
    header, rows = _table(compared)
    printed = Table(title=escape(_title(compared)), title_justify="left")
    for name in header:
        printed.add_column(escape(name), justify="left" if name in LEFT else "right", overflow="fold")
    for row in rows:
        printed.add_row(*map(escape, row))
    return printed


def as_markdown(compared: Compared) -> str:
    """Return the comparison as a Markdown document."""
    lines = [f"- {markdown.cell(line)}" for line in _lines(compared)]
    parts = [f"# {markdown.cell(_title(compared))}", markdown.table(*_table(compared), LEFT), "\n".join(lines)]
    return "\n\n".join(part for part in parts if part) + "\n"


def as_csv(compared: Compared) -> str:
    """Return a row a case and side, at full precision."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records(compared))
    return text.getvalue()


def as_json(compared: Compared) -> str:
    """Return the same rows, the names of the sides, and what differs between their machines."""
    names = [side.name for side in compared.sides]
    told = {"sides": names, "environment": environment(compared.sides), "cases": records(compared)}
    return json.dumps(told, indent=1) + "\n"


def records(compared: Compared) -> list[dict[str, Any]]:
    """Return a flat record a case and side, with the keys of `FIELDS`; None for what is unknown."""
    base = compared.sides[0].name
    others = zip(compared.sides[1:], compared.pairs, strict=True)
    return [_record(pair, base, side.name) for side, pairs in others for pair in pairs]


def _record(pair: Pair, base: str, new: str) -> dict[str, Any]:
    interval = pair.interval
    values = (
        pair.key, base, new, _of(pair.base, "status"), _of(pair.new, "status"), _latency(pair.base),
        _latency(pair.new), pair.ratio, interval and interval.low, interval and interval.high, *pair.processes,
        verdict(pair), *pair.memory_bytes, "; ".join(pair.settings), "; ".join(pair.effective),
    )  # fmt: skip
    return dict(zip(FIELDS, values, strict=True))


def _of(row: Row | None, name: str) -> Any:
    return None if row is None else row[name]


def _latency(row: Row | None) -> float | None:
    return float(row["latency_median_s"]) if row is not None and measured(row) else None


def change(pair: Pair) -> str:
    """Print how much slower (+) or faster (-) the new side is, with the interval where there is one."""
    if pair.ratio is None:
        return ""
    if pair.interval is None:
        return units.change(pair.ratio)
    low, high = (100 * (end - 1) for end in (pair.interval.low, pair.interval.high))
    return f"{units.change(pair.ratio)} [{low:+.1f}, {high:+.1f}]"


def _title(compared: Compared) -> str:
    first, *others = (side.name for side in compared.sides)
    return f"{', '.join(others)} against {first}"


def _table(compared: Compared) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows: a case each, and for every side that is compared its own columns."""
    base, *others = compared.sides
    header = ["case", base.name, *(name for side in others for name in (side.name, "change", "verdict", "memory"))]
    by_key = [{pair.key: pair for pair in pairs} for pairs in compared.pairs]
    keys = list(dict.fromkeys(key for pairs in by_key for key in pairs))
    return header, [
        [key, _shown(base.rows.get(key)), *(text for pairs in by_key for text in _cells(pairs.get(key)))]
        for key in keys
    ]


def _cells(pair: Pair | None) -> list[str]:
    """Return a side's columns for one case; empty for one that neither it nor the base has."""
    return [_shown(pair.new), change(pair), verdict(pair), _memory(pair)] if pair else [""] * 4


def _shown(row: Row | None) -> str:
    """Return a row's latency, or how it ended."""
    latency = _latency(row)
    return units.seconds(latency) if latency is not None else str(_of(row, "status") or "")


def _memory(pair: Pair) -> str:
    before, after = pair.memory_bytes
    told = units.memory(after)
    if before is None or after is None or abs(after - before) < units.MIB / 2:
        return told
    return f"{told} ({units.memory_change(after - before)})"


def _lines(compared: Compared) -> list[str]:
    """Say what differs besides the figures, and what the figures are."""
    base, *others = compared.sides
    lines = [TINY] if any(side.tiny for side in compared.sides) else []
    lines += [f"{name}: {' -> '.join(texts)}" for name, texts in environment(compared.sides).items()]
    for side, pairs in zip(others, compared.pairs, strict=True):
        lines += [f"{told} (only in {side.name if new else base.name})" for told, new in _one_sided(pairs)]
        lines += _grouped(pairs)
        mean = geometric_mean(pairs) if len(pairs) > 1 else None
        lines += [f"{side.name}: geometric mean of {len(pairs)} ratios {units.change(mean)}"] if mean else []
    return (
        [*lines, INTERVALS, TIMES]
        if any(pair.interval for pairs in compared.pairs for pair in pairs)
        else [*lines, FEW]
    )


def _one_sided(pairs: Sequence[Pair]) -> list[tuple[str, bool]]:
    """Return the cases that one side has alone, and whether it is the new one."""
    only_base, only_new = ([pair.key for pair in pairs if row(pair) is None] for row in (_new, _base))
    return [(markdown.listed(keys), new) for keys, new in ((only_base, False), (only_new, True)) if keys]


def _new(pair: Pair) -> Row | None:
    return pair.new


def _base(pair: Pair) -> Row | None:
    return pair.base


def _grouped(pairs: Sequence[Pair]) -> list[str]:
    """Return `difference: case, case` for what was asked for or found in effect differently."""
    cases: dict[str, list[str]] = {}
    for pair in pairs:
        for difference in (*pair.settings, *(f"in effect: {found}" for found in pair.effective)):
            cases.setdefault(difference, []).append(pair.key)
    return [
        f"{difference} (all cases)" if len(keys) == len(pairs) else f"{difference} ({markdown.listed(keys)})"
        for difference, keys in cases.items()
    ]
