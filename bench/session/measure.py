"""Measure a plan: what `run` does, from a request to an outcome.

Whatever ends a run early (a stop on request, a full disk, a fault in a case), it ends here, with all that was measured
and an `Ending` that says how.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.analyze.run import newest
from bench.errors import InputError
from bench.execute.client import WorkerClient, ask_compatible, fetch
from bench.plan.order import Job, remaining
from bench.records.case_result import CaseResult
from bench.records.outcomes import FAULTS, Status
from bench.session.files import write_data
from bench.session.live import LiveRun, Machine
from bench.session.plan import RESULTS, new_folder, plan_for, stored_plan
from bench.session.request import Ending, RunOutcome
from bench.session.settings import ask, measures_tiny, settings_for

if TYPE_CHECKING:
    from bench.plan.case import Case
    from bench.plan.settings import RunSettings
    from bench.session.progress import Notices
    from bench.session.request import RunRequest

RETRIED = (*FAULTS, Status.OOM)
"""What may end otherwise at another time: out of memory too, if somebody else used the device."""


def measure(request: "RunRequest", notices: "Notices") -> RunOutcome:
    """Measure what a request asks for and is not on file yet, then write samples and results.

    Raises:
        InputError: the request cannot be fulfilled; nothing was measured.
        KeyboardInterrupt: somebody stopped it before the first case.
    """
    with WorkerClient() as client, _open(client, request, notices) as live:
        jobs = remaining(live.plan.cases, live.settings.processes, _finished(live))
        announce(live.settings, live.plan.cases, live.environment, live.folder, notices)
        if live.records:
            notices.say(f"Resuming: {len(live.records)} processes are on file, {len(jobs)} are left.")
        fetch_missing([job.case for job in jobs], live.settings, notices)
        return _measure(live, jobs, notices)


def _measure(live: LiveRun, jobs: Sequence[Job], notices: "Notices") -> RunOutcome:
    """Measure jobs; what is on file stays valid when the disk refuses more, and can still be shown."""
    refusals: list[OSError] = []
    interrupted = False
    try:
        interrupted = live.measure_all(jobs, len(jobs), notices)
    except OSError as error:
        refusals.append(error)
    run, results = live.results()
    try:
        write_data(run, results)
    except OSError as error:
        refusals.append(error)
    if refusals:
        notices.warn(f"stopped: cannot write the results ({refusals[0]}); free some space, then continue with --resume")
        return RunOutcome(run, results, Ending.NOT_WRITTEN)
    return RunOutcome(run, results, Ending.INTERRUPTED if interrupted else _ending(results))


def _open(client: WorkerClient, request: "RunRequest", notices: "Notices") -> LiveRun:
    """Return the run that a request starts or continues."""
    if request.resume and request.plan is None and not request.scenarios and not request.only:
        folder = request.output or newest(RESULTS)
        plan, settings = stored_plan(folder)
        facts = ask(client, "--resume", {"op": "probe", "device": settings.device})
    else:
        plan = plan_for(request, lambda model: ask_compatible(client, model), notices)
        settings, facts = settings_for(client, plan.cases, request)
        folder = request.output or (newest(RESULTS) if request.resume else new_folder(settings.device, settings.size))
    if request.retry_failed and settings.processes > 1:
        raise InputError(
            f"--retry-failed: this run has {settings.processes} passes, in which cases are compared with each other; "
            "start a new run of the failed cases with --only"
        )
    again = RETRIED if request.retry_failed else ()
    return LiveRun(folder, plan, settings, Machine(client, facts), resume=request.resume, again=again)


def _finished(live: LiveRun) -> dict[tuple[str, int], bool]:
    """Return which processes are on file, and whether each was measured."""
    return {(record.key, record.process): record.status.measured for record in live.records}


def _ending(results: Sequence[CaseResult]) -> Ending:
    return Ending.FAULTS if any(result.status in FAULTS for result in results) else Ending.COMPLETE


def announce(
    settings: "RunSettings", cases: "Sequence[Case]", facts: Mapping[str, Any], folder: Path, notices: "Notices"
) -> None:
    """Say what is measured on what, where the records go, and what a reader would not expect of it."""
    versions = f"torch {facts['torch']}, diffusers {facts['diffusers']}"
    notices.say(f"{facts['device_name']}, {versions}; writing to {folder}/")
    caution(settings, cases, facts["started_by"], notices)


def caution(settings: "RunSettings", cases: "Sequence[Case]", started_by: str, notices: "Notices") -> None:
    """Say what a reader would not expect of a measurement on this machine."""
    if measures_tiny(cases, settings):
        notices.say("Measuring tiny models: the same code at toy width. The figures say nothing about the full models.")
    if started_by == "spawn":
        notices.say(
            "This device cannot be used by forked processes: each one starts an interpreter, which takes seconds."
        )
    if settings.weights == "auto" and settings.size == "full" and not settings.hub_reachable:
        notices.say(
            "The hub is unreachable: models that its cache lacks get random weights (see the column 'weights')."
        )


def fetch_missing(cases: "Sequence[Case]", settings: "RunSettings", notices: "Notices") -> None:
    """Fetch from the hub, before the first case, what its cache lacks."""
    from bench.pipelines.fetching import missing

    if downloads := missing(cases, settings):
        notices.say(f"Fetching from the hub: {', '.join(download.name for download in downloads)}")
        fetch(downloads)
