"""What a run found, in a few lines: the fastest cases, the verdicts on documented figures, and what needs care."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.analyze.recommend import ONE_PROCESS
from bench.analyze.rows import Row
from bench.analyze.similarity import ALARM_DB, another_image
from bench.records.schema import Status

_LONGEST_KIND = 30
"""Letters before a colon that are still the kind of a remark, as in `host-bound: ...`, and no sentence."""


@dataclass(frozen=True)
class Warnings:
    """Remarks of one kind; `details` are what is said, each with the keys of the cases that it is said of."""

    kind: str
    details: dict[str, list[str]]

    @property
    def cases(self) -> int:
        """How many cases have one."""
        return len({key for keys in self.details.values() for key in keys})


def fastest(rows: Sequence[Row]) -> list[Row]:
    """Return each scenario's greatest speed-ups, where there is a gain: of the same image, and of another by design.

    A case whose picture differs although no setting explains it is left out: it is no speed-up.
    """
    found = []
    for scenario in dict.fromkeys(row["scenario"] for row in rows):
        faster = [row for row in rows if row["scenario"] == scenario and _gains(row)]
        for by_design in (False, True):
            alike = [row for row in faster if another_image(row) == by_design]
            found += sorted(alike, key=lambda row: row["speedup"])[-1:]
    return found


def no_gain(rows: Sequence[Row]) -> str:
    """Say why no case is named as faster."""
    compared = [row for row in rows if row["speedup"] is not None and row["case"] != row["baseline"]]
    if not compared:
        return "there is nothing to compare: no two cases have a figure, a baseline and another"
    if all(row["speedup"] <= 1 for row in compared):
        return "no case was faster than its baseline"
    return (
        f"no gain of the same image is shown: each is within {ONE_PROCESS:.0%} or its interval, or its case is not ok"
    )


def verdicts(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return the keys of the cases by the verdict on their documented figure, those that were held first."""
    found: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: row["claim_judged_by"] is None):
        if row["claim_verdict"]:
            found.setdefault(row["claim_verdict"], []).append(key(row))
    return found


def statuses(rows: Sequence[Row]) -> dict[str, int]:
    """Return how many cases ended how, in the order in which the schema names the endings."""
    ended = [row["status"] for row in rows]
    return {str(status): ended.count(status) for status in Status if status in ended}


def warnings(rows: Sequence[Row]) -> list[Warnings]:
    """Return what to know of the cases: why they have no figures, and what is odd about those they have."""
    found: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        for kind, detail in _told(row):
            found.setdefault(kind, {}).setdefault(detail, []).append(key(row))
    return [Warnings(kind, details) for kind, details in found.items()]


def key(row: Row) -> str:
    """Return the name that joins the files: `scenario/case`."""
    return f"{row['scenario']}/{row['case']}"


def _gains(row: Row) -> bool:
    compared = row["speedup"] is not None and row["case"] != row["baseline"]
    whole = row["psnr_db"] is None or row["psnr_db"] >= ALARM_DB or another_image(row)
    return bool(compared and whole and row["status"] == Status.OK and _shown(row))


def _shown(row: Row) -> bool:
    """Say whether a gain is more than chance: by its interval, or where there is none by a margin."""
    low = row["speedup_low"]
    return bool(row["speedup"] > 1 + ONE_PROCESS if low is None else low > 1)


def _told(row: Row) -> Iterator[tuple[str, str]]:
    """Yield the kind and the words of each remark on a row."""
    if row["status"] != Status.OK:
        yield row["status"], row["reason"] or ""
    for remark in filter(None, (row["remarks"] or "").split("; ")):
        kind, colon, words = remark.partition(": ")
        yield (kind, words) if colon and len(kind) <= _LONGEST_KIND else (remark, "")
