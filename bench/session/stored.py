"""Compare and gate stored results. Needs neither torch nor the machine that measured them."""

from collections.abc import Sequence
from pathlib import Path

from bench.analyze import baselines
from bench.analyze.comparison import Compared, environment_differences, pair_up, with_similarity
from bench.analyze.gate import GateResult, judge
from bench.analyze.side import Side, distinct, open_side
from bench.session.progress import Notices


def open_sides(paths: Sequence[Path], notices: Notices) -> list[Side]:
    """Open results, each a run's folder or a results.csv, and say which columns of a file are ignored.

    Raises:
        InputError: one of them is neither, or is damaged; with file and line.
    """
    sides = [open_side(path) for path in paths]
    for side in sides:
        if side.ignored:
            notices.warn(ignored_columns(side.path, side.ignored))
    return distinct(sides)


def ignored_columns(path: Path, names: Sequence[str]) -> str:
    """Return what to tell the owner of a results.csv whose columns were ignored."""
    return f"{path}: ignored columns that this tool does not write: {', '.join(names)}"


def compare(base: Path, new: Sequence[Path], notices: Notices) -> Compared:
    """Compare results case by case; see `open_sides`."""
    sides = open_sides([base, *new], notices)
    return Compared(sides, [pair_up(sides[0], side) for side in sides[1:]])


def gate(
    base: Path | None, new: Path, threshold: float, notices: Notices, folder: Path = baselines.FOLDER
) -> GateResult:
    """Judge results against a base, or against the saved baseline of their device in `folder` if `base` is None.

    `threshold` is the slow-down that is a regression, as a share, for cases whose scenario sets none.

    Raises:
        InputError: a side cannot be read, or there is no saved baseline.
    """
    if base is not None:
        (before, after), without = open_sides([base, new], notices), list[str]()
    else:
        (after,) = open_sides([new], notices)
        before, without = baselines.find(after, folder)
    pairs = with_similarity(pair_up(before, after), before, after)
    judged = tuple(judge(pairs, threshold, without))
    environment = tuple(environment_differences([before, after]))
    alone = {pair.key for pair in pairs} - {each.pair.key for each in judged}
    only_in_new = tuple(pair.key for pair in pairs if pair.key in alone)
    return GateResult(before.name, after.name, judged, environment, only_in_new=only_in_new)
