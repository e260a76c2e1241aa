"""Measure a plan: what `run` does, from a request to an outcome.

Whatever ends a run early (a stop on request, a full disk, a fault in a case), it ends here, with all that was measured
and an `Ending` that says how.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from time import monotonic
from typing import Any

from bench import files
from bench.analyze.run import newest
from bench.errors import InputError
from bench.execute.client import ServerError, WorkerClient, ask_compatible, fetch
from bench.execute.runner import traces_memory
from bench.pipelines.diffusers_api import vocabulary
from bench.pipelines.fetching import Download, missing
from bench.plan.case import Case
from bench.plan.check import refuse_unmeasurable
from bench.plan.order import Job, remaining
from bench.plan.settings import RunSettings
from bench.plan.stored import read_plan
from bench.present import cards, forecast, words
from bench.records import store
from bench.records.cards import is_slice
from bench.records.environment import FORECAST, RATES
from bench.records.outcomes import FAULTS, WRONG, Status
from bench.session import resuming
from bench.session.devices import Choice, pick
from bench.session.files import NotWrittenError, write_data, write_plots, write_tables, writing
from bench.session.fitting import Budget, by_interest, fit, fit_jobs, while_time
from bench.session.forecast import Forecast, Pace, foresee, works
from bench.session.live import LiveRun, Machine
from bench.session.plan import RESULTS, new_folder, plan_for
from bench.session.progress import Notices
from bench.session.rates import measure_rates
from bench.session.request import Ending, RunOutcome, RunRequest
from bench.session.settings import ask, measures_tiny, settings_for

RETRIED = (*FAULTS, Status.OOM)
"""What may end differently at another time; out of memory too, if somebody else was using the device."""


def measure(request: RunRequest, notices: Notices) -> RunOutcome:
    """Measure what a request asks for and is not on file yet, then write samples and results.

    Raises:
        InputError: the request cannot be fulfilled; nothing was measured.
        KeyboardInterrupt: somebody stopped it before the first case.
    """
    began_s = monotonic()
    begun = resuming.begun(request)
    request = begun.on_its_device(request)
    choice = pick(request, notices, begun.card_uuid)
    with WorkerClient(variables=choice.variables) as client:
        import_module("bench.present.plots.registry")  # needed at the end, free while the server imports torch
        import_module("matplotlib.figure")
        return _run(client, choice, request, began_s, notices)


def _run(client: WorkerClient, choice: Choice, request: RunRequest, began_s: float, notices: Notices) -> RunOutcome:
    with _open(client, choice, request, notices) as live:
        if live.changed_card:
            notices.warn(cards.continued_elsewhere(live.environment, request.option_prefix))
        done = {(record.key, record.process): record.status.measured for record in live.records}
        jobs = remaining(live.plan.cases, live.settings.processes, done)
        announce(hardware(live.environment), live.folder, live.settings, live.plan.cases, live.environment, notices)
        if done:
            notices.say(f"Resuming: {len(done)} processes are already measured, {len(jobs)} remain.")
        budget = None if request.budget_s is None else Budget(request.budget_s, began_s)
        return _measure(client, live, jobs, notices, budget)


def _open(client: WorkerClient, choice: Choice, request: RunRequest, notices: Notices) -> LiveRun:
    if request.resume and request.plan is None and not request.scenarios and not request.only:
        folder = request.output or newest(RESULTS)
        path = files.within(folder, store.PLAN)
        plan, settings = read_plan(path)
        refuse_unmeasurable(path, plan, vocabulary())
        facts = ask(client, "--resume", {"op": "probe", "device": settings.device})
    else:
        plan = plan_for(request, lambda model: ask_compatible(client, model), notices)
        settings, facts = settings_for(client, plan.cases, request, notices)
        folder = request.output or (newest(RESULTS) if request.resume else new_folder(settings.device, settings.size))
    if request.retry_failed and settings.processes > 1:
        raise InputError(
            f"--retry-failed: this run compares cases within each of its {settings.processes} passes; "
            "start a new run of the failed cases with --only"
        )
    again = RETRIED if request.retry_failed else ()
    machine = Machine(client, facts, choice=choice.confirmed(facts, notices))
    return LiveRun(folder, plan, settings, machine, resume=request.resume, again=again)


def _measure(
    client: WorkerClient, live: LiveRun, jobs: Sequence[Job], notices: Notices, budget: Budget | None = None
) -> RunOutcome:
    """Forecast and measure jobs; what is on file stays valid if the disk refuses more, and can still be shown."""
    ending, refusals = Ending.COMPLETE, []
    try:
        measure_rates(client, live, [job.case for job in jobs], notices)
        pace = _schedule(client, live, jobs, budget, notices)
        interrupted = _measure_all(client, live, pace, budget, notices)
        ending = Ending.INTERRUPTED if interrupted else ending
    except NotWrittenError as error:
        refusals.append(error)
    run, results = live.results()
    try:
        with writing():
            write_data(run, results)
    except NotWrittenError as error:
        refusals.append(error)
    if refusals:
        notices.warn(f"stopped: {refusals[0]}; free some space, then continue with --resume")
        return RunOutcome(run, results, Ending.NOT_WRITTEN)
    left_out = left_out_of(live) if budget is not None else []
    if ending is Ending.COMPLETE and jobs and not live.records:
        ending = Ending.OUT_OF_TIME
    if ending is Ending.COMPLETE and any(result.status in WRONG for result in results):
        ending = Ending.FAULTS
    return RunOutcome(run, results, ending, left_out)


def _schedule(
    client: WorkerClient, live: LiveRun, jobs: Sequence[Job], budget: Budget | None, notices: Notices
) -> Pace:
    """Say what will be measured and how long that will take, after leaving out what a budget has no time for."""
    cases = list({job.case.key: job.case for job in jobs}.values())
    found = works(client, cases, live.settings)
    rates, spawned = live.environment.get(RATES), live.environment["started_by"] == "spawn"

    def foresee_with(settings: RunSettings) -> Forecast:
        return foresee(cases, settings, found, rates, spawned=spawned)

    if budget is not None:
        if live.records:
            ordered = by_interest(cases) if live.settings.processes == 1 else []
            chosen = [Job(case, 0) for case in ordered] or jobs
            fitted = fit_jobs(chosen, live.settings, foresee_with(live.settings), budget.left_s())
        else:
            fitted = fit(cases, live.settings, foresee_with, budget.left_s())
            live.settle(fitted.settings)
        jobs = fitted.jobs
        left_out = [case.key for case in fitted.left_out]
        notices.say(forecast.budget(budget.total_s, fitted.settings.samples, left_out))
    found_forecast = foresee_with(live.settings)
    chosen_cases = len({job.case.key for job in jobs})
    total, unknown = found_forecast.total(jobs), found_forecast.unknown(jobs)
    if jobs:
        notices.say(forecast.announcement(chosen_cases, len(jobs), total, unknown))
    return Pace(found_forecast, jobs)


def _measure_all(client: WorkerClient, live: LiveRun, pace: Pace, budget: Budget | None, notices: Notices) -> bool:
    """Fetch what is missing and measure what is scheduled; return whether that was stopped."""
    jobs: Sequence[Job] = list(pace.left)
    began_s = monotonic()
    fetch_missing([job.case for job in jobs], live.settings, notices, client)
    chosen: Iterable[Job] = jobs
    if budget is not None:
        fetched = budget.later_by(monotonic() - began_s)
        chosen = while_time(jobs, pace, fetched.left_s)
    interrupted = live.measure_all(chosen, len(jobs), notices, pace=pace)
    if (forecasted := pace.outcome()) is not None:
        live.describe(**{FORECAST: forecasted.to_json()})
    return interrupted


def left_out_of(live: LiveRun) -> list[str]:
    """Return the keys of the cases that have no process on file."""
    done = {record.key for record in live.records}
    return [case.key for case in live.plan.cases if case.key not in done]


def write_tables_and_plots(outcome: RunOutcome, notices: Notices) -> tuple[RunOutcome, list[Path]]:
    """Write what people read of a finished run; return its outcome, which is new if the disk refused, and the plots."""
    if outcome.ending is Ending.NOT_WRITTEN:
        return outcome, []
    try:
        with writing():
            write_tables(outcome.run, outcome.results)
            return outcome, write_plots(outcome.run, outcome.results)
    except NotWrittenError as error:
        remedy = f"free some space, then write them with `tables {outcome.run.folder} --write` and `plots`"
        notices.warn(f"stopped: {error}; {remedy}")
        return replace(outcome, ending=Ending.NOT_WRITTEN), []


def hardware(facts: Mapping[str, Any]) -> str:
    return f"{words.device(facts)}, torch {facts['torch']}, diffusers {facts['diffusers']}"


def announce(
    what: str, folder: Path, settings: RunSettings, cases: Sequence[Case], facts: Mapping[str, Any], notices: Notices
) -> None:
    """Say what is starting, where the records go, and what might surprise a reader about measuring on this machine."""
    notices.say(f"{what}; writing to {folder}/")
    if measures_tiny(cases, settings):
        notices.say("Measuring tiny models: the same code at toy width. The figures say nothing about the full models.")
    if settings.memory_trace and not traces_memory(settings):
        notices.say(f"--memory-trace: torch keeps no history of memory on this device ({settings.device}).")
    if is_slice(facts):
        notices.say(cards.of_slice(str(facts["device_name"])))
    if facts["started_by"] == "spawn":
        reason = cards.SPAWNED_FOR_SLICE if is_slice(facts) else cards.SPAWNED
        notices.say(reason)
    if settings.weights == "auto" and settings.size == "full" and not settings.hub_reachable:
        notices.say("The hub is unreachable. What its cache lacks gets random weights (see the column 'weights').")


def fetch_missing(cases: Sequence[Case], settings: RunSettings, notices: Notices, client: WorkerClient) -> None:
    """Say what the hub's cache lacks and how much that is, and fetch it, before the first case."""
    if downloads := missing(cases, settings):
        notices.say(forecast.downloads(download_sizes(client, downloads)))
        fetch(downloads)


def download_sizes(client: WorkerClient, downloads: Sequence[Download]) -> Mapping[str, int | None]:
    """Return the bytes of downloads by their names; None if the hub does not say."""
    if not downloads:
        return {}
    request = {"op": "sizes", "downloads": [asdict(download) for download in downloads]}
    try:
        sizes: Mapping[str, int | None] = client.ask(request)
    except ServerError:
        return dict.fromkeys((download.name for download in downloads), None)
    return sizes
