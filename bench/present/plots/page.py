"""The page that every plot is drawn on, measured in inches: title, what ran, whether its models are tiny.

Text is measured before it is placed, so nothing overlaps or is cut off. Only matplotlib's objects are used, never
pyplot: plots are also drawn inside other programs, whose figures and settings must stay as they are.
"""

import io
import textwrap
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import files, units
from bench.errors import InputError
from bench.present import words
from bench.records.outcomes import Tiny

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 150
POINTS_PER_INCH = 72
INK, GRAY, RULE, PAPER = "#1a1a1a", "#666666", "#d9d9d9", "#ffffff"
BLUE, VERMILION, SKY, AMBER = "#0072B2", "#D55E00", "#9ccbe6", "#F2B134"
"""Okabe and Ito's palette, which color-blind people can distinguish, and tints of it."""
LINES = (BLUE, VERMILION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colors of lines, from the same palette; nobody can distinguish more."""
ON_LIGHT, ON_DARK = "#1b1b1b", "#fefefe"
"""Print on colored ground: ink and paper that stay as they are when a page turns dark."""
BODY, SMALL, LARGE = 9.0, 8.0, 13.0
MARGIN, KEY_LINE, KEY_LINES, LONGEST_LINE = 0.25, 0.17, 50, 300
LEAST_SPAN = 0.25
"""The least share of its largest value that an axis of points spans, so that noise does not look like a difference."""
FILES = (".pdf", ".png", ".svg")
LITERAL: dict[str, Any] = {"parse_math": False, "usetex": False}
"""Settings of a text whose `$` is a dollar, whatever the surrounding program has set."""
_LINE = 1.35
_HINTING = 1.01
"""A PNG's letters are fitted to its pixels, which makes them a little wider than drawn."""
_SAVING = threading.Lock()


@dataclass(frozen=True)
class Head:
    """What is above and below a plot."""

    title: str
    subject: str = ""  # the scenario's name, in brackets after what the plot shows
    ran: str = ""  # device, versions and weights
    tiny: Tiny = Tiny.NONE
    note: str = ""  # at the foot, before the plot's own notes

    @property
    def mixed(self) -> bool:
        """Whether tiny and full-size models are side by side, so that each tiny one needs its label."""
        return self.tiny is Tiny.SOME


@dataclass(frozen=True)
class Page:
    """A figure whose head is drawn; `top` and `bottom` are the inches from below between which its plot belongs."""

    figure: "Figure"
    width: float
    height: float
    top: float
    bottom: float


def page(head: Head, what: str, width: float, body: float, notes: Sequence[str] = ()) -> Page:
    """Return a page of `width` inches with its head, `body` inches of room, and small notes at its foot."""
    from matplotlib.figure import Figure

    room = width - 2 * MARGIN
    subtitle = f"{what}  ({head.subject})" if head.subject else what
    lines = [(line, LARGE, "bold", INK) for line in wrapped(head.title, room, LARGE, bold=True)]
    lines += [(line, BODY + 1, "normal", INK) for line in wrapped(subtitle, room, BODY + 1)]
    lines += [(line, SMALL, "normal", GRAY) for line in wrapped(head.ran, room, SMALL)]
    foot = [line for note in (head.note, *notes) for line in wrapped(note, room, SMALL)]
    warning = wrapped(words.TINY_WARNINGS[head.tiny], room, BODY, bold=True)
    band = _LINE * BODY / POINTS_PER_INCH * len(warning) + 0.12 * bool(warning)
    above = band + 0.18 + sum(_LINE * size for _, size, _, _ in lines) / POINTS_PER_INCH + 0.1
    below = 0.15 + len(foot) * _LINE * SMALL / POINTS_PER_INCH
    height = above + body + below
    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor=PAPER)
    made = Page(figure, width, height, height - above, below)
    if warning:
        _band(made, warning, band)
    y = height - band - 0.18
    for line, size, weight, color in lines:
        write(made, MARGIN, y, line, fontsize=size, fontweight=weight, color=color, va="top")
        y -= _LINE * size / POINTS_PER_INCH
    for index, line in enumerate(foot):
        y = below - 0.05 - index * _LINE * SMALL / POINTS_PER_INCH
        write(made, MARGIN, y, line, fontsize=SMALL, color=GRAY, va="top")
    return made


def write(page: Page, x: float, y: float, text: str, **style: Any) -> None:
    """Write one line of text at inches from the lower left corner of a page; a `$` in it is a dollar."""
    page.figure.text(x / page.width, y / page.height, text, **{**LITERAL, **style})


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


def rows(page: Page, names: Sequence[str], left: float, bottom: float, size: tuple[float, float]) -> "Axes":
    """Return axes with one line per name, the first at the top; places and sizes in inches."""
    made = axes(page, left, bottom, *size)
    made.set_yticks(range(len(names)), names, fontsize=BODY, **LITERAL)
    made.set_ylim(len(names) - 0.4, -0.6)
    made.tick_params(axis="y", length=0)
    made.xaxis.grid(visible=True, color=RULE, linewidth=0.7)
    return made


def beside(names: Iterable[str]) -> float:
    """Return the inches from the left edge to axes whose lines have these names."""
    return MARGIN + max(length(name, BODY) for name in names) + 0.15


def name_axis(axes: "Axes", which: str, text: str) -> None:
    """Label the `x` or `y` axis."""
    setter = axes.set_xlabel if which == "x" else axes.set_ylabel
    setter(text, fontsize=BODY, color=INK, labelpad=6, **LITERAL)


def legend(page: Page, axes: "Axes", handles: Sequence[Any]) -> None:
    """Put a legend in one line at the top of a page's room, aligned with the axes if it fits there."""
    wide = sum(length(handle.get_label(), SMALL) + 0.4 for handle in handles)
    left = max(MARGIN, min(axes.get_position().x0 * page.width, page.width - MARGIN - wide))
    drawn = page.figure.legend(
        handles=list(handles), loc="upper left", bbox_to_anchor=(left / page.width, page.top / page.height),
        ncols=len(handles), frameon=False, fontsize=SMALL, borderaxespad=0, borderpad=0, labelcolor=INK,
        handletextpad=0.5, handlelength=1.6, columnspacing=1.4,
    )  # fmt: skip
    for text in drawn.get_texts():
        text.set(**LITERAL)


def key(page: Page, left: float, top: float, names: Sequence[str], column: float) -> None:
    """List names with their numbers in columns of some inches' width, from an upper left corner, in inches."""
    for index, name in enumerate(names):
        x, y = left + index // KEY_LINES * column, top - (index % KEY_LINES + 0.5) * KEY_LINE
        write(page, x + 0.2, y, str(index + 1), fontsize=SMALL, color=GRAY, va="center_baseline", ha="right")
        write(page, x + 0.28, y, name, fontsize=SMALL, color=INK, va="center_baseline")


def check_file(path: Path) -> None:
    """Raise `InputError` for a file that is neither PNG, SVG nor PDF; before anything is drawn."""
    if path.suffix.lower() not in FILES:
        raise InputError(f"{path}: is not a plot file; give one that ends in {', '.join(FILES)}")


def write_file(page: Page, path: Path) -> None:
    """Write a page to the file that somebody named; raise `InputError` where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save(page, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another file") from error


def save(page: Page, path: Path) -> None:
    """Write a page, byte for byte the same for the same data; raise OSError where the disk refuses."""
    files.replace(path, drawn(page, path.suffix.lower()[1:], path.stem))


def drawn(page: Page, kind: str, name: str) -> bytes:
    """Return a page as `png`, `svg` or `pdf`; pages with different names have no identifier in common."""
    import matplotlib as mpl

    # These settings exist only for the whole program, so they are changed for no longer than the drawing takes.
    made = io.BytesIO()
    metadata = {"svg": {"Date": None}, "png": {"Software": None}, "pdf": {"CreationDate": None}}[kind]
    with _SAVING, mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "savefig.bbox": None}):
        page.figure.savefig(made, format=kind, dpi=DOTS_PER_INCH, facecolor=PAPER, metadata=metadata)
    return made.getvalue()


@lru_cache(maxsize=4096)
def length(text: str, size: float, *, bold: bool = False) -> float:
    """Return the inches that a line of text takes at `size` points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    font = FontProperties(size=size, weight="bold" if bold else "normal")
    width: float = TextToPath().get_text_width_height_descent(text, font, ismath=False)[0]
    return width / POINTS_PER_INCH * _HINTING


def printable(text: str) -> str:
    """Return text in one line, without control characters (with one, SVG is not XML); `?` for what has no glyph."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    from matplotlib.font_manager import FontProperties, findfont, get_font

    fonts = [get_font(findfont(FontProperties(weight=weight))) for weight in ("normal", "bold")]
    letters = (letter if letter.isprintable() else " " for letter in text)
    known = (at if at.isascii() or all(font.get_char_index(ord(at)) for font in fonts) else "?" for at in letters)
    return " ".join("".join(known).split())


def wrapped(text: str, room: float, size: float, *, bold: bool = False) -> list[str]:
    """Return text in lines of at most `room` inches."""
    twice = int(2 * len(text) * room / max(length(text, size, bold=bold), room)) + 1
    letters = min(len(text), twice)
    while letters > 1 and any(length(line, size, bold=bold) > room for line in textwrap.wrap(text, letters)):
        letters -= 1
    return textwrap.wrap(text, max(letters, 1))


def fitted(text: str, room: float, size: float) -> str:
    """Return text, or its first words and an ellipsis if it is longer than `room` inches."""
    if length(text, size) <= room:
        return text
    return f"{wrapped(text[:LONGEST_LINE], room - length('…', size), size)[0].rstrip(' .')}…"


def time_scale(values: Iterable[float]) -> tuple[float, str]:
    """Return the factor and the unit that seconds are shown in: ms if all are under a second."""
    return (1000.0, "ms") if all(value < 1 for value in values) else (1.0, "s")


def memory_scale(values: Iterable[float]) -> tuple[float, str]:
    """Return the factor and the unit that bytes are shown in: GiB if there is that much of any."""
    return (1 / units.GIB, "GiB") if any(value >= units.GIB for value in values) else (1 / units.MIB, "MiB")


def axis_ends(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis: never below zero, and never so narrow that noise fills it."""
    low, high = min(values), max(values)
    span = max(high - low, LEAST_SPAN * high) * 1.16 or 1.0
    start = max(0.0, (low + high - span) / 2)
    return start, start + span


def _band(page: Page, lines: Sequence[str], height: float) -> None:
    from matplotlib.patches import Rectangle

    share, style = height / page.height, {"fontsize": BODY, "fontweight": "bold", "va": "center_baseline"}
    page.figure.add_artist(Rectangle((0, 1 - share), 1, share, facecolor=AMBER, edgecolor="none"))
    step = _LINE * BODY / POINTS_PER_INCH
    for index, line in enumerate(lines):
        y = page.height - height / 2 + step * ((len(lines) - 1) / 2 - index)
        write(page, MARGIN, y, line, color=ON_LIGHT, **style)
