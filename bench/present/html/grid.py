"""Tables of the page: what is printed in each cell, and the number at full precision that it is sorted by."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bench import units
from bench.analyze.highlights import fastest, key
from bench.analyze.pareto import Point
from bench.analyze.rows import Row, peak_bytes
from bench.analyze.similarity import another_image
from bench.plan.case import ScenarioInfo
from bench.present.plots.pareto import similarity
from bench.present.tables import ALIGN_LEFT, Shown
from bench.records.schema import Status

FIRST = ("setup", "latency", "speed-up", "documented", "verdict")
"""Columns that the page shows first: what was measured beside what is documented."""
GOOD = ("as documented", "faster than", "gains more than")
BAD = ("slower than", "gains less than", "documented ", Status.FAILED, Status.CRASHED, Status.TIMEOUT, Status.OOM)
NEITHER = ("not held",)
"""How verdicts and statuses begin, by what they mean for a reader."""


@dataclass(frozen=True)
class Cell:
    """A cell: its text, the number it is sorted by, if any, a label beside it, and a tone: good, bad or none."""

    text: str
    number: float | None = None
    tag: str = ""
    tone: str = ""

    @property
    def exact(self) -> str:
        """The number with every digit, as JavaScript reads it; empty where there is none."""
        if self.number is None:
            return ""
        return repr(float(self.number)).replace("inf", "Infinity")


@dataclass(frozen=True)
class Grid:
    """A table: its name, and columns with what they say; the first cell of a row is its heading."""

    caption: str
    header: list[str]
    rows: list[list[Cell]]
    docs: list[str] = field(default_factory=list)
    left: tuple[str, ...] = ()
    """Columns of words: everything else stands at the right, as numbers do."""


def documented(table: ScenarioInfo, shown: Shown, rows: Sequence[Row]) -> Grid:
    """Return the documentation's table with the measured figures; each toy is labelled in its own row."""
    labels = {row["case"]: label(row) for row in rows}
    order = sorted(range(len(shown.header)), key=lambda at: _place(shown.header[at]))
    cells = [
        [
            Cell(texts[at], numbers[at], labels[texts[0]] if at == 0 else "", _tone(shown.header[at], texts[at]))
            for at in order
        ]
        for texts, numbers in zip(shown.rows, shown.numbers, strict=True)
    ]
    caption = f"{table.title}: measured and documented"
    return Grid(caption, [shown.header[at] for at in order], cells, left=ALIGN_LEFT)


def best(rows: Sequence[Row]) -> Grid:
    """Return the fastest cases of each scenario, with what their speed costs."""
    header = ["scenario/case", "speed-up", "time per image", "peak memory", "similarity"]
    return Grid(
        "Greatest speed-ups", header, [_best(row) for row in fastest(rows)], left=("scenario/case", "similarity")
    )


def front(points: Sequence[Point]) -> Grid:
    """Return the cases with their place on the Pareto front, those on it first."""
    header = ["case", "on the front", "time per image", "peak memory", "similarity", "beaten by", "baseline"]
    ordered = sorted(points, key=lambda point: (not point.judged, not point.front, point.seconds_per_image))
    left = ("case", "on the front", "similarity", "beaten by", "baseline")
    return Grid("Pareto front of time, memory and similarity", header, [_front(point) for point in ordered], left=left)


def tone(text: str) -> str:
    """Say whether a verdict or a status is good, bad, or to be passed over; empty for any other text."""
    tones = {"good": GOOD, "bad": BAD, "muted": NEITHER}
    return next((name for name, beginnings in tones.items() if text.startswith(beginnings)), "")


def label(row: Row) -> str:
    """Return what stands beside a case's name wherever its figures do: that it is a toy, that it was still changing."""
    return ", ".join(word for word in (row["size"], row["status"]) if word in {"tiny", Status.UNSTABLE})


def _tone(column: str, text: str) -> str:
    return tone(text) if column in {"latency", "verdict"} else ""


def _place(column: str) -> int:
    return FIRST.index(column) if column in FIRST else len(FIRST)


def _best(row: Row) -> list[Cell]:
    peak = peak_bytes(row)
    return [
        Cell(key(row), tag=label(row)),
        Cell(f"{units.ratio(row['speedup'])}{units.bounds(row['speedup_low'], row['speedup_high'])}", row["speedup"]),
        Cell(units.seconds(row["seconds_per_image"]), row["seconds_per_image"]),
        Cell(units.memory(peak), peak),
        Cell(_quality(row), row["psnr_db"]),
    ]


def _quality(row: Row) -> str:
    """Return how far the picture is from the baseline's, or why that is not said."""
    if another_image(row):
        return str(row["similarity"]).partition(" (")[0]
    if row["psnr_db"] is None:
        return "unknown"
    return units.decibels(row["psnr_db"])


def _front(point: Point) -> list[Cell]:
    judged = similarity(point) or f"not judged ({point.similarity.partition(' (')[0]})"
    place = "picture differs" if point.broken else ("yes" if point.front else "no")
    return [
        Cell(point.case, tag=label({"size": point.size, "status": point.status})),
        Cell(place if point.judged or not point.front else "yes, among the not judged", tone="good" * point.front),
        Cell(units.seconds(point.seconds_per_image), point.seconds_per_image),
        Cell(units.memory(point.peak_bytes), point.peak_bytes),
        Cell(judged, point.psnr_db),
        Cell(point.beaten_by or ""),
        Cell(point.baseline or ""),
    ]


def plain(value: Any) -> str:
    """Print a raw value: a number with six significant digits, what is unknown as nothing."""
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
