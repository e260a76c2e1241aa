"""Two runs beside each other, case by case: the ratio of their latencies with what it can bear, and all that differs.

A ratio is the new side's latency over the base's: more than 1 is slower. Its interval comes from the medians of fresh
processes, for a single process says nothing of the next one; where the two sides were measured in turn (paired rounds),
from the ratios of the rounds, so that what drifts cancels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, fsum, log
from typing import Any

from bench import statistics
from bench.analyze.rows import Row
from bench.analyze.side import Side
from bench.analyze.similarity import ALARM_DB, similarity_between_runs
from bench.records import schema
from bench.records.schema import MEASURED, Status
from bench.statistics import Interval

CONDITIONS = ("started_by", "pinned_core", "device")
"""Columns among the settings that tell how a process was run, not what it measured."""
SETTINGS = tuple(name for name in schema.names(schema.SETTINGS) if name not in CONDITIONS)
ENVIRONMENT = tuple(name for name in schema.names(schema.VERSIONS) if name != "diffusion_bench")
NOT_HELD_EQUAL = ("recompilations", "vae_decodes")
EFFECTIVE = ("started_by", *(name for name in schema.names(schema.EFFECTIVE) if name not in NOT_HELD_EQUAL))


@dataclass(frozen=True)
class Pair:
    """One case on two sides.

    Attributes:
        key: of the case, `scenario/case`.
        base: its row on the base's side; None where it has none. `new` is the other's.
        ratio: the new latency over the base's; None unless both were measured.
        interval: 95 %, of the ratio; None where there are too few processes for one.
        processes: that the ratio is from, a side.
        settings: what was asked for differently, as `name: base -> new`; with any the ratio compares two things.
        effective: what was found in effect differently, in the same words.
        psnr_db: between the sides' pictures, the lowest; None where they were not compared.
    """

    key: str
    base: Row | None
    new: Row | None
    ratio: float | None
    interval: Interval | None
    processes: tuple[int, int]
    settings: tuple[str, ...]
    effective: tuple[str, ...]
    psnr_db: float | None = None

    @property
    def memory_bytes(self) -> tuple[float | None, float | None]:
        """Return the peaks of a generation on both sides: of tensors; of resident growth where neither counts them."""
        told = [row["peak_allocated_bytes"] for row in (self.base, self.new) if row is not None]
        name = "peak_rss_growth_bytes" if told.count(None) == len(told) else "peak_allocated_bytes"
        return _bytes(self.base, name), _bytes(self.new, name)

    @property
    def steady(self) -> bool:
        """Say whether both sides were measured, steadily."""
        return all(row is not None and row["status"] == Status.OK for row in (self.base, self.new))

    @property
    def other_image(self) -> bool:
        """Say whether the sides drew pictures that differ, though their settings are the same."""
        return self.psnr_db is not None and self.psnr_db < ALARM_DB

    @property
    def same_device(self) -> bool:
        """Say whether both rows are of one model of device."""
        return self.base is not None and self.new is not None and self.base["device_name"] == self.new["device_name"]


def pair_up(base: Side, new: Side, *, rounds_are_pairs: bool = False) -> list[Pair]:
    """Return all cases of two sides, in the base's order, those that only the new side has last.

    Args:
        base: what is compared with.
        new: what is compared.
        rounds_are_pairs: whether round n of both sides was measured at one time, in turn.
    """
    keys = [*base.rows, *(key for key in new.rows if key not in base.rows)]
    return [_pair(key, base, new, rounds_are_pairs=rounds_are_pairs) for key in keys]


def _bytes(row: Row | None, name: str) -> float | None:
    return None if row is None or row[name] is None else float(row[name])


def environment(sides: Sequence[Side]) -> dict[str, list[str]]:
    """Return the facts of the machines in which sides differ: name -> a text a side."""
    told = {name: [", ".join(_text(value) for value in side.facts(name)) for side in sides] for name in ENVIRONMENT}
    return {name: texts for name, texts in told.items() if len(set(texts)) > 1}


def with_similarity(pairs: Sequence[Pair], base: Side, new: Side) -> list[Pair]:
    """Return the pairs with the PSNR between both sides' pictures, where both are run folders that have them."""
    return [replace(pair, psnr_db=similarity_between_runs(base.path, new.path, pair.key)) for pair in pairs]


def geometric_mean(pairs: Sequence[Pair]) -> float | None:
    """Return the geometric mean of all ratios; None unless both sides measured one and the same set of cases.

    Over different sets it would move with what is left out (Fleming and Wallace 1986, CACM 29:3).
    """
    ratios = [pair.ratio for pair in pairs if pair.ratio is not None and not pair.settings]
    if not ratios or len(ratios) < len(pairs):
        return None
    return exp(fsum(log(ratio) for ratio in ratios) / len(ratios))


def _pair(key: str, base: Side, new: Side, *, rounds_are_pairs: bool) -> Pair:
    rows = base.rows.get(key), new.rows.get(key)
    ratio, interval, processes = None, None, (0, 0)
    if all(measured(row) for row in rows):
        medians = base.medians(key), new.medians(key)
        ratio, interval, processes = _ratio(*medians, paired=rounds_are_pairs)
    return Pair(key, *rows, ratio, interval, processes, _differences(*rows, SETTINGS), _differences(*rows, EFFECTIVE))


def measured(row: Row | None) -> bool:
    """Say whether a row has a latency that a table may show."""
    return row is not None and row["status"] in MEASURED


def _ratio(
    base: Mapping[int, float], new: Mapping[int, float], *, paired: bool
) -> tuple[float, Interval | None, tuple[int, int]]:
    if not paired:
        ratio, interval = statistics.ratio_interval(list(new.values()), list(base.values()))
        return ratio, interval, (len(base), len(new))
    rounds = sorted(base.keys() & new.keys())
    ratio, interval = statistics.geometric_mean_interval([new[number] / base[number] for number in rounds])
    return ratio, interval, (len(rounds), len(rounds))


def _differences(base: Row | None, new: Row | None, names: Sequence[str]) -> tuple[str, ...]:
    """Return `name: base -> new` for each column that differs; what a case that ended early never told is not held."""
    if base is None or new is None:
        return ()
    whole = measured(base) and measured(new)
    return tuple(
        f"{name}: {_text(base[name])} -> {_text(new[name])}"
        for name in names
        if base[name] != new[name] and (whole or None not in (base[name], new[name])) and _matters(name, base)
    )


def _matters(name: str, row: Row) -> bool:
    """Say whether a setting can change a row: the threads of a CPU are no setting of a GPU's work."""
    return name != "threads" or row["device"] == "cpu"


def _text(value: Any) -> str:
    return "(none)" if value is None else str(value)
