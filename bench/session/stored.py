"""Compare and gate results that are on file. Needs neither torch nor the machine that measured them."""

from collections.abc import Sequence
from pathlib import Path

from bench.analyze import baselines
from bench.analyze.comparison import Compared, environment_differences, pair_up, with_similarity
from bench.analyze.gate import GateResult, judge
from bench.analyze.side import distinct, open_side


def compare(base: Path, new: Sequence[Path]) -> Compared:
    """Compare results case by case; each is a run's folder or a results.csv.

    Raises:
        InputError: one of them is neither, or is damaged; with file and line.
    """
    sides = distinct([open_side(path) for path in (base, *new)])
    return Compared(sides, [pair_up(sides[0], side) for side in sides[1:]])


def gate(base: Path | None, new: Path, threshold: float, folder: Path = baselines.FOLDER) -> GateResult:
    """Judge results against a base, or against the saved baseline of their device if `base` is None.

    Args:
        base: a run's folder or a results.csv.
        new: the same.
        threshold: the slow-down that is a regression, as a share, for cases whose scenario sets none.
        folder: of the saved baselines.

    Raises:
        InputError: one of them is neither, or is damaged, or there is no saved baseline.
    """
    after = open_side(new)
    before, without = (open_side(base), []) if base is not None else baselines.find(after, folder)
    before, after = distinct([before, after])
    pairs = with_similarity(pair_up(before, after), before, after)
    judged = tuple(judge(pairs, threshold, without))
    alone = {pair.key for pair in pairs} - {each.pair.key for each in judged}
    return GateResult(
        base=before.name,
        new=after.name,
        judged=judged,
        environment=tuple(environment_differences([before, after])),
        only_in_new=tuple(pair.key for pair in pairs if pair.key in alone),
    )
