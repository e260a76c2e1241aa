"""A comparison as a plot: every case's change of latency with its interval, against none."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import InputError
from bench.present.comparison import Compared
from bench.present.plots import file as plot_file

if TYPE_CHECKING:
    from bench.analyze.comparison import Pair

INCHES_A_CASE, INCHES_AROUND, WIDTH = 0.28, 1.6, 8.0


def write(path: Path, compared: Compared) -> None:
    """Draw the comparison into a PNG, SVG or PDF file.

    Raises:
        InputError: another kind of file is asked for, it cannot be written, or no case was measured on both sides.
    """
    plot_file.check(path)
    keys = list(dict.fromkeys(pair.key for pairs in compared.pairs for pair in pairs if pair.ratio is not None))
    if not keys:
        raise InputError(f"{path}: no case was measured on both sides, there is nothing to draw")
    from matplotlib.figure import Figure

    sides = compared.sides[1:]
    height = INCHES_AROUND + INCHES_A_CASE * len(keys) * max(1, len(sides) * 0.6)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color="0.3", linewidth=1)
    for index, (side, pairs) in enumerate(zip(sides, compared.pairs, strict=True)):
        shift = (index - (len(sides) - 1) / 2) * 0.6 / len(sides)
        _draw(axes, [pair for pair in pairs if pair.ratio is not None], keys, shift, side.name, f"C{index}")
    axes.set_yticks(range(len(keys)), keys)
    axes.set_ylim(len(keys) - 0.5, -0.5)
    toys = "TINY TWINS, toys; " if any(side.tiny for side in compared.sides) else ""
    axes.set_xlabel(f"{toys}change of latency against {compared.sides[0].name}, per cent (right is slower)")
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(b=False)
    figure.legend(loc="outside upper left", frameon=False)
    plot_file.save(path, figure)


def _draw(axes: Any, pairs: "list[Pair]", keys: list[str], shift: float, name: str, color: str) -> None:
    """Draw one side's changes: filled with an interval, hollow where there are too few processes for one."""
    for pair in pairs:
        at, change = keys.index(pair.key) + shift, _per_cent(pair.ratio or 1)
        if pair.interval is not None:
            axes.plot([_per_cent(pair.interval.low), _per_cent(pair.interval.high)], [at, at], color=color)
        axes.plot(change, at, "o", color=color, markerfacecolor=color if pair.interval else "white", markersize=5)
    alone = any(pair.interval is None for pair in pairs)
    style = {"color": color, "markersize": 5, "linestyle": "none" if alone else "-"}
    label = f"{name} (hollow: too few processes for an interval)" if alone else name
    axes.plot([], [], "o", markerfacecolor="white" if alone else color, label=label, **style)


def _per_cent(ratio: float) -> float:
    return 100 * (ratio - 1)
