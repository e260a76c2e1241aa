"""A comparison of runs: medians, changes with their intervals, and everything else that differs."""

from collections.abc import Sequence
from typing import Any

from bench import units
from bench.analyze.comparison import Compared, Pair, environment_differences, geometric_mean
from bench.analyze.side import Side
from bench.present import grid, render, verdicts, words
from bench.present.grid import ALWAYS, Cell, Column, Grid, status_tone
from bench.records.case_result import CaseResult
from bench.units import listed

FIELDS = (
    "case", "base", "new", "base_status", "new_status", "base_latency_s", "new_latency_s", "ratio", "ratio_low",
    "ratio_high", "base_processes", "new_processes", "verdict", "base_memory_bytes", "new_memory_bytes", "settings",
    "effective", "base_remarks", "new_remarks",
)  # fmt: skip
REST = "--format csv has everything"


def show(compared: Compared) -> None:
    """Print the comparison on the terminal: one table, or one per side if it is not wide enough."""
    together = table(compared)
    if len(compared.pairs) < 2 or render.fits(together):  # noqa: PLR2004 - one side beside the base
        render.show(together, REST)
        return
    for side, pairs in zip(compared.sides[1:], compared.pairs, strict=True):
        render.show(table(Compared([compared.sides[0], side], [pairs])), REST)


def as_json(compared: Compared) -> str:
    """Return the same rows, the names of the sides, and what differs between their machines."""
    names = [side.name for side in compared.sides]
    machines = {each.field: each.values for each in environment_differences(compared.sides)}
    return render.json_text({"sides": names, "environment": machines, "cases": render.objects(records(compared))})


def records(compared: Compared) -> Grid:
    """Return one row per case and side with the columns of `FIELDS`, for programs."""
    base = compared.sides[0].name
    others = zip(compared.sides[1:], compared.pairs, strict=True)
    return grid.records(FIELDS, [_record(pair, base, side.name) for side, pairs in others for pair in pairs])


def _record(pair: Pair, base: str, new: str) -> tuple[Any, ...]:
    low, high = (pair.interval.low, pair.interval.high) if pair.interval else (None, None)
    return (
        pair.key, base, new, _status(pair.base), _status(pair.new), _latency(pair.base), _latency(pair.new),
        pair.ratio, low, high, *pair.processes, pair.verdict, *pair.memory_bytes,
        "; ".join(map(verdicts.difference, pair.settings)), "; ".join(map(verdicts.difference, pair.effective)),
        *("; ".join(map(str, side.remarks)) if side is not None else "" for side in (pair.base, pair.new)),
    )  # fmt: skip


def table(compared: Compared) -> Grid:
    """Return one row per case; every side that is compared has columns of its own."""
    base, *others = compared.sides
    by_key = [{pair.key: pair for pair in pairs} for pairs in compared.pairs]
    keys = list(dict.fromkeys(key for pairs in by_key for key in pairs))
    return Grid(
        title=f"{', '.join(side.name for side in others)} against {base.name}",
        columns=(
            Column("case", left=True, wraps=True, keep=ALWAYS),
            Column(base.name, keep=3),
            *(column for side in others for column in _columns(side)),
        ),
        rows=tuple(
            (
                Cell(key, tag=_label([base.results.get(key), *(side.results.get(key) for side in others)])),
                _figure(base.results.get(key)),
                *(cell for pairs in by_key for cell in _cells(pairs.get(key))),
            )
            for key in keys
        ),
        warning=words.caution(result for side in compared.sides for result in side.results.values()),
        notes=tuple(_notes(compared)),
    )


def _columns(side: Side) -> tuple[Column, ...]:
    return (
        Column(side.name, keep=4),
        Column("change", keep=ALWAYS),
        Column("verdict", left=True, wraps=True, keep=5),
        Column("memory", keep=2),
    )


def _cells(pair: Pair | None) -> tuple[Cell, ...]:
    """Return a side's cells for one case; empty if neither it nor the base has the case."""
    if pair is None:
        return (Cell(),) * 4
    shown = verdicts.COMPARED_TONES.get(pair.verdict, grid.Tone.NONE)
    tone = shown if pair.stable else grid.Tone.NONE
    return (
        _figure(pair.new),
        Cell(verdicts.change(pair), pair.ratio),
        Cell(verdicts.compared(pair), tone=tone),
        Cell(verdicts.memory(pair), pair.memory_bytes[1]),
    )


def _figure(result: CaseResult | None) -> Cell:
    if result is None:
        return Cell()
    latency = _latency(result)
    return (
        Cell(result.status, tone=status_tone(result.status))
        if latency is None
        else Cell(units.seconds(latency), latency)
    )


def _label(sides: Sequence[CaseResult | None]) -> str:
    return next(filter(None, (words.label(each) for each in sides if each is not None)), "")


def _latency(result: CaseResult | None) -> float | None:
    return result.statistics.latency_median_s if result is not None and result.measured else None


def _status(result: CaseResult | None) -> str | None:
    return None if result is None else result.status


def _notes(compared: Compared) -> list[str]:
    base, *others = compared.sides
    lines = [verdicts.environment(each) for each in environment_differences(compared.sides)]
    for side, pairs in zip(others, compared.pairs, strict=True):
        lines += _one_sided(base, side, pairs)
        lines += verdicts.grouped(pairs, lambda pair: pair.settings)
        lines += verdicts.grouped(pairs, lambda pair: pair.effective, "in effect: ")
        lines += verdicts.other_remarks(pairs, base.name, side.name)
        lines += filter(None, [verdicts.by_chance(pairs, side.name)])
        mean = geometric_mean(pairs) if len(pairs) > 1 else None
        lines += [f"{side.name}: geometric mean of {len(pairs)} ratios {units.change(mean)}"] if mean else []
    if any(pair.interval for pairs in compared.pairs for pair in pairs):
        return [*lines, verdicts.INTERVALS, verdicts.TIMES]
    return [*lines, verdicts.NO_INTERVAL]


def _one_sided(base: Side, new: Side, pairs: Sequence[Pair]) -> list[str]:
    found = (
        (base, [pair.key for pair in pairs if pair.new is None]),
        (new, [pair.key for pair in pairs if pair.base is None]),
    )
    return [f"only in {side.name}: {listed(keys)}" for side, keys in found if keys]
