"""Two runs beside each other, case by case: the ratio of their latencies, its interval, and everything that differs.

A ratio is the new side's latency divided by the base's: more than 1 is slower. Its interval comes from the medians of
fresh processes, because one process does not predict the next. Where the sides were measured in paired passes, it comes
from the ratio of each pass, so that drift cancels, and from their ranks, so that one bad process does not decide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import exp, fsum, log
from typing import Any

from bench import statistics
from bench.analyze.memory import PeakPair
from bench.analyze.side import Side
from bench.analyze.similarity import ALARM_DB, psnr_between
from bench.records.case_result import CaseResult, Versions
from bench.records.columns import columns
from bench.records.models import Effective, Settings
from bench.records.outcomes import Remark, Status
from bench.statistics import Interval

CONDITIONS = ("started_by", "pinned_core", "device")
"""Fields of the settings that say how a process was run, not what it measured."""
SETTINGS = tuple(each.name for each in columns(Settings) if each.name not in CONDITIONS)
VERSIONS = tuple(each.name for each in columns(Versions) if each.name != "diffusion_bench")
OBSERVED = ("recompilations", "vae_decodes")
"""Fields of the effective settings that are observations of one run."""
EFFECTIVE = tuple(each.name for each in columns(Effective) if each.name not in OBSERVED)
WORK = ("denoiser_calls", "parameters", "denoiser_parameters")
"""Effective settings that decide how much there is to compute: less of it is not a gain."""
BLOCKS, EXTENDED = 6, 14
"""Six blocks distinguish 3 % from none where processes differ by 0.5 %; cases that they leave open get eight more.
Fourteen are the fewest whose ranks keep their level after two looks with one bad process among them."""
SECOND_LOOK = 0.975
"""Confidence of the interval of more than six blocks. A ratio exactly at the threshold is on the wrong side of the
interval of six blocks in 1.6 % of gates; with this, in 2.5 % of gates at either of the two looks (exact, by enumeration
of the ranks), as one look at 95 % would be."""
BY_CHANCE = 0.025
"""How often a 95 % interval of two equal sides lies wholly above a ratio of 1, or wholly below it: at most."""
SMALLEST = 0.01
"""Machines drift by 1 % from one hour to the next, so a smaller change is not called one."""


class ComparisonVerdict(StrEnum):
    """What a pair shows."""

    SLOWER = "slower"
    FASTER = "faster"
    NO_DIFFERENCE = "no-difference-shown"
    TOO_FEW_PROCESSES = "too-few-processes"
    OTHER_SETTINGS = "other-settings"
    ONLY_IN_BASE = "only-in-base"
    ONLY_IN_NEW = "only-in-new"
    NOT_MEASURED = "not-measured"  # on at least one side; the statuses say why


@dataclass(frozen=True)
class Difference:
    """A field that two results have with different values."""

    field: str
    base: Any
    new: Any

    @property
    def known(self) -> bool:
        """Whether both values were reported."""
        return not any(value in (None, ()) for value in (self.base, self.new))


@dataclass(frozen=True)
class EnvironmentDifference:
    """A fact of the machines in which sides differ, with its distinct values on each side, in the order of the sides.

    A results.csv may contain rows of several machines; None is unknown.
    """

    field: str
    values: tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True)
class Pair:
    """One case on two sides."""

    key: str
    base: CaseResult | None  # None if the base does not have the case
    new: CaseResult | None
    ratio: float | None = None  # the new latency / the base's; None unless both were measured
    interval: Interval | None = None  # 95 %, of the ratio; None with too few processes
    processes: tuple[int, int] = (0, 0)  # that the ratio comes from, on each side
    settings: tuple[Difference, ...] = ()  # requested differently: with any, the ratio compares two different things
    effective: tuple[Difference, ...] = ()  # in effect differently
    psnr_db: float | None = None  # the lowest between the sides' pictures; None if they were not compared

    @property
    def verdict(self) -> ComparisonVerdict:
        """What the pair shows; a difference only where the interval excludes a ratio of 1."""
        if self.base is None or self.new is None:
            return ComparisonVerdict.ONLY_IN_BASE if self.new is None else ComparisonVerdict.ONLY_IN_NEW
        if self.settings:
            return ComparisonVerdict.OTHER_SETTINGS
        if self.ratio is None:
            return ComparisonVerdict.NOT_MEASURED
        if self.interval is None:
            return ComparisonVerdict.TOO_FEW_PROCESSES
        if self.interval.low > 1 and self.ratio - 1 >= SMALLEST:
            return ComparisonVerdict.SLOWER
        faster = self.interval.high < 1 and 1 - self.ratio >= SMALLEST
        return ComparisonVerdict.FASTER if faster else ComparisonVerdict.NO_DIFFERENCE

    @property
    def peaks(self) -> PeakPair:
        """The peaks of a generation in the processes of both sides."""
        return PeakPair.of(self.base, self.new)

    @property
    def memory_bytes(self) -> tuple[float | None, float | None]:
        """The median peak of a generation on both sides."""
        return self.peaks.medians_bytes

    @property
    def other_work(self) -> tuple[Difference, ...]:
        """The effective differences that change how much there is to compute."""
        return tuple(each for each in self.effective if each.field in WORK)

    @property
    def other_remarks(self) -> tuple[tuple[Remark, ...], tuple[Remark, ...]]:
        """What a reader should know of the base alone, and of the new side alone, whatever the values."""
        base, new = (side.remarks if side is not None else () for side in (self.base, self.new))
        return _without(base, new), _without(new, base)

    @property
    def stable(self) -> bool:
        """Whether both sides were measured and had stopped changing."""
        still = {Status.OK, Status.DIFFERS}
        return all(side is not None and side.status in still for side in (self.base, self.new))

    @property
    def other_image(self) -> bool:
        """Whether the sides made pictures that differ although their settings are the same."""
        return self.psnr_db is not None and self.psnr_db < ALARM_DB


@dataclass(frozen=True)
class Compared:
    """Sides beside each other: the first one is the base, and `pairs` has one list for each of the others."""

    sides: Sequence[Side]
    pairs: Sequence[Sequence[Pair]]


def pair_up(base: Side, new: Side, *, passes_are_pairs: bool = False) -> list[Pair]:
    """Return all cases of two sides in the base's order, followed by those that only the new side has.

    `passes_are_pairs` says that both sides were measured next to each other in every pass.
    """
    keys = dict.fromkeys([*base.results, *new.results])
    return [_pair(key, base.results.get(key), new.results.get(key), paired=passes_are_pairs) for key in keys]


def with_similarity(pairs: Sequence[Pair], base: Side, new: Side) -> list[Pair]:
    """Return the pairs with the PSNR between both sides' pictures, where both are run folders that have some."""
    return [replace(pair, psnr_db=psnr_between(new.path, pair.key, base.path, pair.key)) for pair in pairs]


def environment_differences(sides: Sequence[Side]) -> list[EnvironmentDifference]:
    """Return the facts of device and software in which sides differ."""
    versions = [list(dict.fromkeys(result.versions for result in side.results.values())) for side in sides]
    found = []
    for name in VERSIONS:
        facts = [{_without_zero(fact): fact for each in side for fact in [getattr(each, name)]} for side in versions]
        if len({tuple(each) for each in facts}) > 1:
            found.append(EnvironmentDifference(name, tuple(tuple(each.values()) for each in facts)))
    return found


def version_differences(base: Versions, new: Versions) -> tuple[Difference, ...]:
    """Return the facts of device and software that differ between two results."""
    return tuple(
        each for each in differences(base, new, VERSIONS) if _without_zero(each.base) != _without_zero(each.new)
    )


def _without_zero(version: str | None) -> str | None:
    """Return a version as a spreadsheet or pandas may leave it: 13 for `13.0`, and the other way around."""
    return version and version.removesuffix(".0")


def differences(base: Any, new: Any, names: Sequence[str]) -> tuple[Difference, ...]:
    """Return which of these fields two records have with different values."""
    return tuple(
        Difference(name, getattr(base, name), getattr(new, name))
        for name in names
        if getattr(base, name) != getattr(new, name)
    )


def expected_by_chance(pairs: Sequence[Pair]) -> tuple[float, int]:
    """Return how many cases chance alone calls slower at most (and as many faster), and of how many cases."""
    count = sum(pair.interval is not None and not pair.settings for pair in pairs)
    return BY_CHANCE * count, count


def geometric_mean(pairs: Sequence[Pair]) -> float | None:
    """Return the geometric mean of all ratios; None unless both sides measured one and the same set of cases.

    Over different sets it would move with what is left out (Fleming and Wallace 1986, CACM 29:3).
    """
    ratios = [pair.ratio for pair in pairs if pair.ratio is not None and not pair.settings]
    if not ratios or len(ratios) < len(pairs):
        return None
    return exp(fsum(log(ratio) for ratio in ratios) / len(ratios))


def _pair(key: str, base: CaseResult | None, new: CaseResult | None, *, paired: bool) -> Pair:
    if base is None or new is None:
        return Pair(key, base, new)
    ratio, interval, processes = None, None, (0, 0)
    medians = base.statistics.process_medians_s, new.statistics.process_medians_s
    measured = base.status.measured and new.status.measured
    if measured and medians[0] and medians[1]:
        ratio, interval, processes = _ratio(medians[0], medians[1], paired=paired)
    settings = SETTINGS if base.settings.device == "cpu" else [name for name in SETTINGS if name != "threads"]
    asked = differences(base.settings, new.settings, settings)
    found = differences(base.settings, new.settings, ["started_by"])
    found += differences(base.effective, new.effective, EFFECTIVE)
    found += _pinning(base, new) if measured else ()
    if not measured:  # a case that ended early did not report some of its fields
        asked, found = (tuple(each for each in part if each.known) for part in (asked, found))
    return Pair(key, base, new, ratio, interval, processes, asked, found)


def _pinning(base: CaseResult, new: CaseResult) -> tuple[Difference, ...]:
    """Return whether only one side ran on a core of its own; which core it was makes no difference."""
    pinned = [side.settings.pinned_core is not None for side in (base, new)]
    return () if pinned[0] == pinned[1] else (Difference("pinned", *pinned),)


def _without(remarks: Sequence[Remark], others: Sequence[Remark]) -> tuple[Remark, ...]:
    known = {(each.kind, each.subject) for each in others}
    return tuple(each for each in remarks if (each.kind, each.subject) not in known)


def _ratio(
    base: Mapping[int, float], new: Mapping[int, float], *, paired: bool
) -> tuple[float, Interval | None, tuple[int, int]]:
    if not paired:
        ratio, interval = statistics.ratio_interval(list(new.values()), list(base.values()))
        return ratio, interval, (len(base), len(new))
    ratios = [new[number] / base[number] for number in base.keys() & new.keys()]
    ratio, interval = statistics.paired_ratio(ratios, 0.95 if len(ratios) <= BLOCKS else SECOND_LOOK)
    return ratio, interval, (len(ratios), len(ratios))
