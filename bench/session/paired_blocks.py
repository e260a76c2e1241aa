"""Two interpreters side by side: every case in both, in fresh processes, in turn, so that what drifts weighs on both.

A block is one process of each side, one right after the other. From block to block the order of the sides turns
(base head, head base) and so does the order of the cases. The same worker, the one of this checkout, runs in both; what
differs is what the interpreters have diffusers_api.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.execute.runner import Runner
from bench.plan.case import Case
from bench.plan.order import Job, passes
from bench.records.schema import MEASURED, Status
from bench.records.store import Store
from bench.session.progress import Progress


@dataclass(frozen=True)
class GateSide:
    """One side: its name, what runs its processes, and where their rows go."""

    name: str
    runner: Runner
    store: Store


class StoppedError(Exception):
    """The person, or the system, asked for the end; what is on file stays valid."""


def run_paired_blocks(
    sides: Sequence[GateSide], cases: Sequence[Case], numbers: Sequence[int], progress: Progress
) -> None:
    """Measure the cases in blocks of both sides; every row is on file before the next process begins.

    A case that one side could not measure is not tried again on either: its status is the verdict.

    Args:
        sides: base and head.
        cases: that are measured.
        numbers: of the blocks; even ones run forwards, odd ones backwards.
        progress: told of every process.

    Raises:
        StoppedError: on Ctrl-C or SIGTERM, after the row of the case in flight was written.
        OSError: a row cannot be written.
    """
    given_up: set[str] = set()
    for job in passes(cases, numbers):
        if job.case.key in given_up:
            continue
        order = sides if job.process % 2 == 0 else sides[::-1]
        statuses = [_measure(side, job, progress) for side in order]
        if any(status not in MEASURED for status in statuses):
            given_up.add(job.case.key)


def _measure(side: GateSide, job: Job, progress: Progress) -> str:
    """Measure one process of one side, put its row on file, and return its status."""
    progress.label = side.name
    for outcome in side.runner.run([job], progress):
        side.store.append(outcome.process, outcome.samples)
        status = str(outcome.process["status"])
    if status == Status.INTERRUPTED:
        raise StoppedError
    return status
