"""The page that every plot is drawn on, measured in inches: title, what ran, whether it is a toy.

Text is measured before it is placed, so nothing overlaps or is cut off. Only matplotlib's objects are used, never
pyplot: the plots are drawn inside other programs, too, whose figures and settings stay as they are.
"""

import io
import textwrap
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import units
from bench.present.plots.rows import Row, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 150
POINTS_PER_INCH = 72
INK, GRAY, RULE, PAPER = "#1a1a1a", "#666666", "#d9d9d9", "#ffffff"
BLUE, VERMILION, SKY, AMBER = "#0072B2", "#D55E00", "#9ccbe6", "#F2B134"
"""Okabe and Ito's palette, which stays apart for the color-blind, and tints of it."""
ON_LIGHT, ON_DARK = "#1b1b1b", "#fefefe"
"""Print on a colored ground: ink and paper that stay as they are where a dark page turns the others."""
BODY, SMALL, LARGE = 9.0, 8.0, 13.0
MARGIN, KEY_LINE, KEY_LINES, LONGEST_LINE = 0.25, 0.17, 50, 300
LEAST_SPAN = 0.25
"""The least share of its largest value that an axis of points spans, so that noise does not look like a difference."""
ALL_TINY = "TINY TWINS: toy models, no statement about the real ones"
SOME_TINY = "PARTLY TINY TWINS: what is marked (tiny) is a toy model, no statement about the real one"
FORMATS = ("png", "svg")
_LINE = 1.35
_HINTING = 1.01
"""A PNG's letters are fitted to its pixels, which makes them a little wider than drawn."""
_SAVING = threading.Lock()


@dataclass(frozen=True)
class Head:
    """What stands above a plot: the scenario, what ran, and a warning where rows are toys."""

    scenario: str
    title: str
    ran: str
    band: str | None

    @property
    def mixed(self) -> bool:
        """Whether toys and full-size models stand side by side, so that each toy needs its label."""
        return self.band == SOME_TINY


@dataclass(frozen=True)
class Page:
    """A figure whose head is drawn; `top` and `bottom` are the inches from below between which its plot belongs."""

    figure: "Figure"
    width: float
    height: float
    top: float
    bottom: float


def head(
    scenario: str, title: str, environment: Mapping[str, Any], weights: Iterable[str], shown: Sequence[Row]
) -> Head:
    """Say what stands above the plots of a scenario, from its run's environment and its measured rows."""
    versions = [f"{name} {environment[name]}" for name in ("torch", "diffusers") if environment.get(name)]
    kinds = " and ".join(sorted(set(weights)))
    ran = [str(environment.get("device_name") or "unknown device"), *versions, f"weights: {kinds}" if kinds else ""]
    band = (ALL_TINY if all(row.tiny for row in shown) else SOME_TINY) if any(row.tiny for row in shown) else None
    return Head(plain(scenario), plain(title), plain("  ·  ".join(filter(None, ran))), band)


def page(head: Head, what: str, width: float, body: float, notes: Sequence[str] = ()) -> Page:
    """Return a page of `width` inches with its head, `body` inches of room, and small notes at its foot."""
    from matplotlib.figure import Figure

    room = width - 2 * MARGIN
    lines = [(line, LARGE, "bold", INK) for line in wrapped(head.title, room, LARGE, bold=True)]
    lines += [(line, BODY + 1, "normal", INK) for line in wrapped(f"{what}  ({head.scenario})", room, BODY + 1)]
    lines += [(line, SMALL, "normal", GRAY) for line in wrapped(head.ran, room, SMALL)]
    foot = [line for note in notes for line in wrapped(note, room, SMALL)]
    band = _LINE * BODY / POINTS_PER_INCH + 0.12 if head.band else 0.0
    above = band + 0.18 + sum(_LINE * size for _, size, _, _ in lines) / POINTS_PER_INCH + 0.1
    below = 0.15 + len(foot) * _LINE * SMALL / POINTS_PER_INCH
    height = above + body + below
    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor=PAPER)
    made = Page(figure, width, height, height - above, below)
    if head.band:
        _band(made, head.band, band)
    y = height - band - 0.18
    for line, size, weight, color in lines:
        write(made, MARGIN, y, line, fontsize=size, fontweight=weight, color=color, va="top")
        y -= _LINE * size / POINTS_PER_INCH
    for index, line in enumerate(foot):
        y = below - 0.05 - index * _LINE * SMALL / POINTS_PER_INCH
        write(made, MARGIN, y, line, fontsize=SMALL, color=GRAY, va="top")
    return made


def write(page: Page, x: float, y: float, text: str, **style: Any) -> None:
    """Write one line of text at inches from the lower left corner of a page; nothing in it is taken for mathematics."""
    page.figure.text(x / page.width, y / page.height, text, **{**literal(), **style})


def literal() -> dict[str, Any]:
    """Return the settings of a text whose `$` is a dollar, whatever the program around this one has set."""
    return {"parse_math": False, "usetex": False}


def axes(page: Page, left: float, bottom: float, width: float, height: float) -> "Axes":
    """Return axes at inches from the lower left corner of a page, without a frame, in the page's colors."""
    made = page.figure.add_axes((left / page.width, bottom / page.height, width / page.width, height / page.height))
    made.set_facecolor(PAPER)
    made.grid(visible=False)
    for side, spine in made.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(GRAY)
    made.tick_params(labelsize=SMALL, colors=GRAY, labelcolor=INK, length=3)
    made.set_axisbelow(True)
    return made


def name_axis(axes: "Axes", which: str, text: str) -> None:
    """Label the `x` or `y` axis."""
    setter = axes.set_xlabel if which == "x" else axes.set_ylabel
    setter(text, fontsize=BODY, color=INK, labelpad=6, **literal())


def legend(page: Page, axes: "Axes", handles: Sequence[Any]) -> None:
    """Put a legend in one line at the top of a page's room, beginning where its axes do if it fits there."""
    wide = sum(length(handle.get_label(), SMALL) + 0.4 for handle in handles)
    left = max(MARGIN, min(axes.get_position().x0 * page.width, page.width - MARGIN - wide))
    drawn = page.figure.legend(
        handles=list(handles), loc="upper left", bbox_to_anchor=(left / page.width, page.top / page.height),
        ncols=len(handles), frameon=False, fontsize=SMALL, borderaxespad=0, borderpad=0, labelcolor=INK,
        handletextpad=0.5, handlelength=1.6, columnspacing=1.4,
    )  # fmt: skip
    for text in drawn.get_texts():
        text.set(**literal())


def key(page: Page, left: float, top: float, names: Sequence[str], column: float) -> None:
    """List names with their numbers in columns of some inches' width, from an upper left corner, in inches."""
    for index, name in enumerate(names):
        x, y = left + index // KEY_LINES * column, top - (index % KEY_LINES + 0.5) * KEY_LINE
        write(page, x + 0.2, y, str(index + 1), fontsize=SMALL, color=GRAY, va="center_baseline", ha="right")
        write(page, x + 0.28, y, name, fontsize=SMALL, color=INK, va="center_baseline")


def save(page: Page, folder: Path, name: str) -> list[Path]:
    """Write a page as PNG and SVG, byte for byte the same for the same data; raise OSError where the disk refuses."""
    paths = []
    for kind in FORMATS:
        paths.append(folder / f"{name}.{kind}")
        new = folder / f".{name}.{kind}.new"
        new.write_bytes(drawn(page, kind, name))
        new.replace(paths[-1])
    return paths


def drawn(page: Page, kind: str, name: str) -> bytes:
    """Return a page as `png` or `svg`; of pages with different names no two have an identifier in common."""
    import matplotlib as mpl

    # The settings that only exist for a whole program are changed for no longer than the drawing takes.
    made = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    with _SAVING, mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "savefig.bbox": None}):
        page.figure.savefig(made, format=kind, dpi=DOTS_PER_INCH, facecolor=PAPER, metadata=metadata)
    return made.getvalue()


def length(text: str, size: float, *, bold: bool = False) -> float:
    """Return the inches that a line of text takes at `size` points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    font = FontProperties(size=size, weight="bold" if bold else "normal")
    width: float = TextToPath().get_text_width_height_descent(text, font, ismath=False)[0]
    return width / POINTS_PER_INCH * _HINTING


def wrapped(text: str, room: float, size: float, *, bold: bool = False) -> list[str]:
    """Return text in lines of at most `room` inches."""
    twice = int(2 * len(text) * room / max(length(text, size, bold=bold), room)) + 1
    letters = min(len(text), twice)
    while letters > 1 and any(length(line, size, bold=bold) > room for line in textwrap.wrap(text, letters)):
        letters -= 1
    return textwrap.wrap(text, max(letters, 1))


def fitted(text: str, room: float, size: float) -> str:
    """Return text, or its first words and an ellipsis where it is longer than `room` inches."""
    if length(text, size) <= room:
        return text
    return f"{wrapped(text[:LONGEST_LINE], room - length('…', size), size)[0].rstrip(' .')}…"


def time_scale(values: Iterable[float]) -> tuple[float, str]:
    """Return the factor and the unit that seconds are shown in: ms where all are under a second."""
    return (1000.0, "ms") if all(value < 1 for value in values) else (1.0, "s")


def memory_scale(values: Iterable[float]) -> tuple[float, str]:
    """Return the factor and the unit that bytes are shown in: GiB where any has one."""
    return (1 / units.GIB, "GiB") if any(value >= units.GIB for value in values) else (1 / units.MIB, "MiB")


def axis_ends(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis: never below zero, and never so narrow that noise fills it."""
    low, high = min(values), max(values)
    span = max(high - low, LEAST_SPAN * high) * 1.16 or 1.0
    start = max(0.0, (low + high - span) / 2)
    return start, start + span


def _band(page: Page, text: str, height: float) -> None:
    from matplotlib.patches import Rectangle

    share, style = height / page.height, {"fontsize": BODY, "fontweight": "bold", "va": "center_baseline"}
    page.figure.add_artist(Rectangle((0, 1 - share), 1, share, facecolor=AMBER, edgecolor="none"))
    write(page, MARGIN, page.height - height / 2, text, color=ON_LIGHT, **style)
