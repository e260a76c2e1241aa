"""Gate one environment against another: plan once, measure both side by side, judge, and measure more if undecided.

Every case runs in both interpreters, in fresh processes that alternate, so that whatever drifts affects both sides
alike. A block is one process of each side, one right after the other. From block to block the order of the sides
reverses (base head, head base), and so does the order of the cases. Both sides run this checkout's worker; what differs
is what the interpreters have installed.
"""

import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from time import monotonic
from typing import Any

from bench.analyze.comparison import Pair, environment_differences, pair_up, with_similarity
from bench.analyze.gate import GateResult, GateVerdict, Judged, Reason, judge, judge_in_two_looks
from bench.analyze.side import of_run
from bench.errors import InputError
from bench.execute.client import WorkerClient, ask_compatible
from bench.execute.runner import InterruptedRunError
from bench.plan.case import Case, Plan
from bench.plan.order import Job, passes
from bench.plan.settings import RunSettings
from bench.records.outcomes import Status
from bench.session.devices import Choice, pick
from bench.session.files import NotWrittenError, write_data, writing
from bench.session.fitting import Budget
from bench.session.live import LiveRun, Machine, terminable
from bench.session.measure import announce, fetch_missing
from bench.session.plan import new_folder, plan_for
from bench.session.progress import Notices, Progress
from bench.session.request import RunRequest
from bench.session.settings import ask, settings_for
from bench.units import listed

SAMPLES = 6
"""Per process. The process is the unit of the statistics, so more samples in each of them gain little."""


MARGIN = 1.2
"""How much longer further blocks of a case may take than those before them."""


class StoppedError(Exception):
    """Somebody stopped the gate; what is on file stays valid."""


@dataclass(frozen=True)
class GateSide:
    """One side: its name, and the run that its processes are measured into."""

    name: str
    live: LiveRun


@dataclass(frozen=True)
class TimeLeft:
    """What a budget still has time for, by what the blocks so far took; without a budget that is everything."""

    sides: Sequence[GateSide]
    budget: Budget | None = None

    def fits(self, case: Case) -> bool:
        """Say whether one more block of a case is expected to end in time."""
        return self.fitting([case], 1) != []

    def fitting(self, cases: Sequence[Case], blocks: int) -> list[Case]:
        """Return the cases of which this many blocks are expected to end in time, the first ones first."""
        if self.budget is None:
            return list(cases)
        left_s, found = self.budget.left_s(), []
        for case in cases:
            expected_s = blocks * self._block_s(case.key) * MARGIN
            if left_s > 0 and expected_s <= left_s:
                left_s -= expected_s
                found.append(case)
        return found

    def _block_s(self, key: str) -> float:
        records = [record for side in self.sides for record in side.live.records if record.key == key]
        taken_s = [record.timings.wall_s for record in records if record.timings.wall_s is not None]
        return len(self.sides) * fmean(taken_s) if taken_s else 0.0  # nothing is known of a first block


def gate_interpreters(
    base_python: Path, head_python: Path, request: RunRequest, threshold: float, notices: Notices
) -> GateResult:
    """Measure a plan in two interpreters and judge it; the records are kept as two runs, `base` and `head`.

    Raises:
        InputError: an interpreter cannot be used, the request cannot be fulfilled, or the disk refused.
        StoppedError: Ctrl-C or SIGTERM, after the record of the case in flight was written.
    """
    began_s = monotonic()
    pythons = {"base": _executable(base_python, "--base-python"), "head": _executable(head_python, "--head-python")}
    try:
        with terminable(), ExitStack() as opened:
            choice = pick(request, notices)
            clients = {name: opened.enter_context(_client(python, name, choice)) for name, python in pythons.items()}
            plan, settings, facts = _prepare(clients, request, notices)
            folder = request.output or new_folder("gate", settings.device, settings.size)
            used = {name: choice.confirmed(facts[name], notices) for name in pythons}
            machines = {name: Machine(clients[name], facts[name], pythons[name], used[name]) for name in pythons}
            sides = [
                GateSide(name, opened.enter_context(LiveRun(folder / name, plan, settings, machine)))
                for name, machine in machines.items()
            ]
            what = f"Gating {pythons['head']} against {pythons['base']}"
            announce(what, folder, settings, plan.cases, facts["base"], notices)
            fetching_s = monotonic()
            fetch_missing(plan.cases, settings, notices, clients["base"])
            budget = None if request.budget_s is None else Budget(request.budget_s, began_s)
            left = TimeLeft(sides, budget and budget.later_by(monotonic() - fetching_s))
            judged = _gate(sides, plan, threshold, notices, left)
            opened_sides = [of_run(side.live.run()) for side in sides] if _begun(sides) else []
            environment = tuple(environment_differences(opened_sides))
            return GateResult("base", "head", judged, environment, True, duration_s=monotonic() - began_s)
    except (InterruptedRunError, KeyboardInterrupt) as error:
        raise StoppedError from error
    except NotWrittenError as error:
        raise InputError(f"stopped: {error}; free some space, then gate again") from error


def _executable(python: Path, option: str) -> str:
    """Return an interpreter's path as it was given, without following a virtual environment's link."""
    found = shutil.which(os.fspath(python.expanduser()))
    if found is None:
        raise InputError(f"{option} {python}: is not an executable; give an interpreter, such as .venv/bin/python")
    return str(Path(found).absolute())


def _client(python: str, name: str, choice: Choice) -> WorkerClient:
    try:
        return WorkerClient(python, variables=choice.variables)
    except OSError as error:
        raise InputError(f"--{name}-python {python}: cannot be started ({error.strerror})") from error


def _prepare(
    clients: Mapping[str, WorkerClient], request: RunRequest, notices: Notices
) -> tuple[Plan, RunSettings, dict[str, dict[str, Any]]]:
    """Return the plan, the settings of both runs, and the facts of the machine as each interpreter reports them."""
    plan = plan_for(request, lambda model: ask_compatible(clients["base"], model), notices, baselines=False)
    request = replace(request, samples=request.samples or SAMPLES, diagnose=False)
    settings, base = settings_for(clients["base"], plan.cases, request, notices)
    head = ask(clients["head"], "--head-python", {"op": "probe", "device": settings.device})
    if base["device_name"] != head["device_name"]:
        raise InputError(
            f"the interpreters see different devices ({base['device_name']} and {head['device_name']}); choose one "
            "with --device, or install the same build of torch in both"
        )
    return plan, settings, {"base": base, "head": head}


def _gate(
    sides: Sequence[GateSide], plan: Plan, threshold: float, notices: Notices, left: TimeLeft
) -> tuple[Judged, ...]:
    """Measure blocks until the verdict is clear; write the results of both sides however that ends.

    A budget may cut the first look short, which leaves cases undecided. A second look is taken whole or not at all:
    the interval keeps its level only for these two numbers of blocks.
    """

    def measure(keys: Collection[str] | None, numbers: range) -> list[Judged]:
        cases = [case for case in plan.cases if keys is None or case.key in keys]
        if keys is not None:
            undecided, cases = len(cases), left.fitting(cases, len(numbers))
            notices.say(f"{undecided} of {len(plan.cases)} cases are undecided after {numbers.start} blocks.")
            if len(cases) < undecided:
                notices.say(f"The budget has no time for more blocks of {undecided - len(cases)} of them.")
        with notices.watch(len(sides) * len(cases) * len(numbers)) as progress:
            short = run_paired_blocks(sides, cases, numbers, progress, left if keys is None else None)
        if short:
            notices.say(f"The budget had no time for all {len(numbers)} blocks of {listed(short)}.")
        return _judged(sides, plan, threshold)

    try:
        return tuple(judge_in_two_looks(measure))
    finally:
        with writing():
            for side in sides:
                write_data(*side.live.results())


def _judged(sides: Sequence[GateSide], plan: Plan, threshold: float) -> list[Judged]:
    begun = _begun(sides)
    never = [Pair(case.key, None, None) for case in plan.cases if case.key not in begun]
    missing = [Judged(pair, threshold, GateVerdict.INCONCLUSIVE, (Reason.NO_TIME,)) for pair in never]
    if not begun:
        return missing
    base, head = (of_run(side.live.run()) for side in sides)
    found = judge(with_similarity(pair_up(base, head, passes_are_pairs=True), base, head), threshold)
    return [_of_blocks(each) for each in found] + missing


def _of_blocks(judged: Judged) -> Judged:
    """Return a verdict with the reason that a reader of a gate understands: it has blocks, not only processes."""
    reasons = (Reason.TOO_FEW_BLOCKS if each is Reason.TOO_FEW_PROCESSES else each for each in judged.reasons)
    return replace(judged, reasons=tuple(reasons))


def _begun(sides: Sequence[GateSide]) -> set[str]:
    """Return the keys of the cases that have a process on file."""
    return {record.key for side in sides for record in side.live.records}


def run_paired_blocks(
    sides: Sequence[GateSide],
    cases: Sequence[Case],
    numbers: Sequence[int],
    progress: Progress,
    left: TimeLeft | None = None,
) -> list[str]:
    """Measure cases in blocks of both sides; every record is on disk before the next process begins.

    Blocks with even numbers run forward, the others backward. A case that one side could not measure is not tried again
    on either: its status is the verdict.

    Returns:
        the keys of cases that got fewer blocks because no more of them fit into the time that is left.

    Raises:
        InterruptedRunError: Ctrl-C or SIGTERM, after the record of the case in flight was written.
        NotWrittenError: a record cannot be written.
    """
    given_up: set[str] = set()
    short: list[str] = []
    for job in passes(cases, numbers):
        if job.case.key in given_up:
            continue
        if left is not None and not left.fits(job.case):
            short.append(job.case.key)
            given_up.add(job.case.key)
            continue
        order = sides if job.process % 2 == 0 else sides[::-1]
        statuses = [_measure(side, job, progress) for side in order]
        if not all(status.measured for status in statuses):
            given_up.add(job.case.key)
    return short


def _measure(side: GateSide, job: Job, progress: Progress) -> Status:
    progress.label = side.name
    (record,) = side.live.measure([job], progress)
    return record.status
