"""The order of measuring: alternating forward and backward passes, so that drift affects all cases alike.

Measuring all processes of one case and then all of the next gives 96 % false alarms with six processes, and 76 % with
four, under a linear drift of 2 %; alternating passes give about 4 % (simulated, 0.4 % noise). So what is repeated is
the fresh process, not the call, and every second pass runs backward.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.plan.case import Case


@dataclass(frozen=True)
class Job:
    """One fresh process of one case; `process` is the number of its pass, from 0."""

    case: Case
    process: int


def passes(cases: Sequence[Case], numbers: Sequence[int]) -> list[Job]:
    """Return one job per case and pass, in the plan's order in even passes and reversed in odd ones."""
    return [Job(case, number) for number in numbers for case in (cases if number % 2 == 0 else reversed(cases))]


def remaining(cases: Sequence[Case], processes: int, done: Mapping[tuple[str, int], bool]) -> list[Job]:
    """Return the jobs that a run still needs.

    With one process per case: every case that is not done. With several: as many whole passes as are missing. An
    interrupted pass stays on file but is not continued, because its second half would be measured hours later; another
    pass replaces it. A case that could not be measured is not tried again.

    Args:
        cases: of the plan.
        processes: passes asked for.
        done: (case key, pass) -> whether it was measured (False: skipped, out of memory, a fault).
    """
    given_up = {key for (key, _), measured in done.items() if not measured}
    if processes == 1:
        return [Job(case, 0) for case in cases if (case.key, 0) not in done]
    wanted = [case for case in cases if case.key not in given_up]
    begun = {number for _, number in done}
    whole = {number for number in begun if all((case.key, number) in done for case in wanted)}
    first = max(begun, default=-1) + 1
    return passes(wanted, range(first, first + max(0, processes - len(whole))))
