"""Compare and gate results that are on file. Needs neither torch nor the machine that measured them."""

from collections.abc import Sequence
from pathlib import Path

from bench.analyze import baselines
from bench.analyze.comparison import environment, pair_up, with_similarity
from bench.analyze.gate import judge
from bench.analyze.side import distinct, open_side
from bench.present.comparison import Compared
from bench.present.gate import TINY, Gated

STORED = (
    "Stored results were measured at different times, so this gate is for trends, memory and status. To gate latency, "
    "use --base-python A --head-python B, which measures both sides side by side."
)


def compare(base: Path, new: Sequence[Path]) -> Compared:
    """Compare results case by case; each is a run's folder or a results.csv.

    Raises:
        InputError: one of them is neither, or is damaged; with file and line.
    """
    sides = distinct([open_side(path) for path in (base, *new)])
    return Compared(sides, [pair_up(sides[0], side) for side in sides[1:]])


def gate(base: Path | None, new: Path, threshold: float, folder: Path = baselines.FOLDER) -> Gated:
    """Judge results against a base, or against the saved baseline of their device if `base` is None.

    Args:
        base: a run's folder or a results.csv.
        new: the same.
        threshold: the slow-down that is a regression, as a share, for cases whose scenario sets none.
        folder: of the saved baselines.

    Raises:
        InputError: one of them is neither, or is damaged, or there is no saved baseline.
    """
    head = open_side(new)
    if base is None:
        before, without = baselines.find(head, folder)
    else:
        before, without = open_side(base), []
    before, head = distinct([before, head])
    pairs = with_similarity(pair_up(before, head), before, head)
    judged = judge(pairs, threshold, without)
    keys = {each.pair.key for each in judged}
    alone = [f"{pair.key}: not judged, only the new side has it" for pair in pairs if pair.key not in keys]
    remarks = [*([TINY] if head.tiny else []), STORED, *alone]
    return Gated(f"{head.name} against {before.name}", judged, environment([before, head]), remarks)
