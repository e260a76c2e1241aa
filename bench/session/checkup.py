"""Look at the machine, and at what a run would do on it, without measuring: what `doctor` does.

Nothing found here is an error. A look goes on as far as it can, so that a report names everything that is wrong.
"""

import errno
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from bench.errors import InputError
from bench.execute.client import ServerError, WorkerClient, ask_compatible
from bench.pipelines.fetching import missing
from bench.pipelines.tiny import resolve
from bench.plan.case import Case
from bench.plan.order import Job, passes
from bench.plan.settings import RunSettings
from bench.records import environment
from bench.records.cards import Cards
from bench.records.checkup import CaseOutlook, Checkup, Hub, Place, RunOutlook
from bench.records.environment import Span
from bench.records.outcomes import Status, Tiny
from bench.session.devices import DEVICE, Choice, choose, machine_cards
from bench.session.fitting import ENDING_S, Fitted, fit
from bench.session.forecast import Forecast, foresee, works
from bench.session.measure import download_sizes
from bench.session.plan import RESULTS, plan_for
from bench.session.progress import Notices
from bench.session.rates import rates_for
from bench.session.request import RunRequest, SizeChoice
from bench.session.settings import ask, settings_for

DRIVER = Path("/proc/driver/nvidia")
"""Where the kernel's part of NVIDIA's driver says what it is."""
NEEDED = ("torch", "diffusers", "transformers", "accelerate")
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - it is only looked at
TRIED_BYTES = 1024**2
"""A full disk may still have room for an empty file."""
BUSY_FOR_S = 0.3
"""How long other programs are watched: several times the scheduler's slices."""


def check_up(request: RunRequest, notices: Notices, cards: Callable[[], Cards] = machine_cards) -> Checkup:
    """Return what is here, and what a run of this request would do.

    Args:
        request: of the run.
        notices: hear which baselines would be added.
        cards: returns the machine's.

    Raises:
        InputError: a scenario has a fault, or two options contradict each other.
    """
    found = _machine(request, cards())
    if found.temporary is None or found.temporary.refusal is not None:  # a worker needs one
        return found
    choice, refusal = _choice(request, found.cards)
    with WorkerClient(variables=choice.variables) as client:
        probed = _probe(client, replace(found, device_failure=refusal))
        if probed.device is not None:
            used = choice.confirmed(probed.facts, notices)
            probed = replace(probed, card=used.card, idle=used.idle)
        return probed if probed.device is None else _with_outlook(client, request, notices, probed)


def _choice(request: RunRequest, cards: Cards) -> tuple[Choice, str | None]:
    """Return the device that was asked for; or one that is left to torch, and why it is not here."""
    try:
        return choose(request.device, request.option("device"), cards), None
    except InputError as error:
        if DEVICE.fullmatch(request.device) is None:
            raise
        return Choice(), str(error)


def look_at(path: Path) -> Place:
    """Return whether files can be written into a folder, by trying; of one that does not exist yet, the one above."""
    there = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
    refusal = None
    try:
        if not there.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(bytes(TRIED_BYTES))
    except OSError as error:
        refusal = error.strerror or str(error)
    return Place(str(path), there == path.absolute(), shutil.disk_usage(there).free, refusal)


def _machine(request: RunRequest, cards: Cards) -> Checkup:
    """Return what is known without a worker."""
    busy_cores = psutil.cpu_percent(BUSY_FOR_S) / 100 * (psutil.cpu_count() or 1)
    temporary, ignored = _temporary_folders()
    return Checkup(
        facts=environment.describe({}),
        processor=platform.machine(),
        requested=str(request.device),
        cards=cards,
        driver_loaded=DRIVER.exists(),
        missing_libraries=tuple(name for name in NEEDED if find_spec(name) is None),
        nvml_installed=find_spec("pynvml") is not None,
        busy_cores=busy_cores,
        temporary=temporary,
        ignored_tmpdir=ignored,
        results=look_at(request.output or RESULTS),
        shared_memory=look_at(SHARED_MEMORY) if SHARED_MEMORY.exists() else None,
    )


def _temporary_folders() -> tuple[Place | None, str | None]:
    """Return the folder that Python uses for temporary files, and the one that the environment names instead."""
    named = next((value for name in ("TMPDIR", "TEMP", "TMP") if (value := os.environ.get(name))), None)
    try:
        used = tempfile.gettempdir()
    except FileNotFoundError:
        return None, named
    return look_at(Path(used)), None if named is None or Path(named).absolute() == Path(used) else named


def _probe(client: WorkerClient, found: Checkup) -> Checkup:
    """Add the facts that only torch knows; if the device fails, or is known not to be here, those of the CPU."""
    failure = found.device_failure
    if failure is None:
        question = {"op": "probe", "device": found.requested.partition(":")[0]}
        try:
            return replace(found, facts=environment.describe(client.ask(question)))
        except ServerError as error:
            failure = str(error)
    try:
        facts = environment.describe(client.ask({"op": "probe", "device": "cpu"}))
    except ServerError as error:
        return replace(found, device_failure=None, worker_failure=str(error) if found.device_failure else failure)
    return replace(found, facts=facts, device_failure=failure)


def _with_outlook(client: WorkerClient, request: RunRequest, notices: Notices, found: Checkup) -> Checkup:
    """Add what a run would do."""
    plan = plan_for(request, lambda model: ask_compatible(client, model), notices)
    settings, facts = settings_for(client, plan.cases, request, None)
    hub = _hub(client, plan.cases, settings)
    spawned = facts["started_by"] == "spawn"
    outlook = _outlook(client, plan.cases, settings, request.budget_s, spawned=spawned)
    return replace(found, hub=hub, cache=_cache(), outlook=outlook)


def _hub(client: WorkerClient, cases: Sequence[Case], settings: RunSettings) -> Hub:
    from huggingface_hub import constants

    full = any(resolve(case, settings.size)[1] == SizeChoice.FULL for case in cases)
    if settings.weights not in {"auto", "hub"} or not full:
        return Hub.UNUSED
    if constants.HF_HUB_OFFLINE:
        return Hub.OFFLINE
    reachable = settings.hub_reachable or (settings.weights == "hub" and ask(client, "the hub", {"op": "hub"}))
    return Hub.REACHABLE if reachable else Hub.UNREACHABLE


def _cache() -> Place:
    from huggingface_hub import constants

    return look_at(Path(constants.HF_HUB_CACHE))


def _outlook(
    client: WorkerClient, cases: Sequence[Case], settings: RunSettings, budget_s: float | None, *, spawned: bool
) -> RunOutlook:
    question = {"op": "obstacles", "run": settings.to_json(), "cases": [case.to_json() for case in cases]}
    obstacles = ask(client, "what will be skipped", question)
    begun = [case for case in cases if obstacles[case.key] is None]
    fitted, forecast = _forecast(client, cases, settings, budget_s, spawned=spawned)
    chosen = {job.case.key for job in fitted.jobs}
    wanted = missing([case for case in begun if case.key in chosen], replace(settings, hub_reachable=True))
    fetched = missing([case for case in begun if case.key in chosen], settings)
    return RunOutlook(
        cases=tuple(_of(case, obstacles[case.key], fitted.jobs, forecast) for case in cases),
        tiny=Tiny.among(resolve(case, settings.size)[1] == SizeChoice.TINY for case in cases),
        weights=settings.weights,
        processes=len(fitted.jobs),
        samples=fitted.settings.samples,
        time=forecast.total(fitted.jobs),
        unknown=forecast.unknown(fitted.jobs),
        uncached=tuple(each.name for each in wanted),
        downloads=download_sizes(client, fetched),
    )


def _forecast(
    client: WorkerClient, cases: Sequence[Case], settings: RunSettings, budget_s: float | None, *, spawned: bool
) -> tuple[Fitted, Forecast]:
    """Return what would be measured within a budget, if there is one, and how long that takes."""
    found = works(client, cases, settings)
    rates = _rates(client, cases, settings)

    def foresee_with(chosen: RunSettings) -> Forecast:
        return foresee(cases, chosen, found, rates, spawned=spawned)

    if budget_s is None:
        fitted = Fitted(settings, passes(cases, range(settings.processes)))
    else:
        fitted = fit(cases, settings, foresee_with, budget_s - ENDING_S)
    return fitted, foresee_with(fitted.settings)


def _rates(client: WorkerClient, cases: Sequence[Case], settings: RunSettings) -> Mapping[str, Any] | None:
    try:
        return rates_for(client, cases, settings)
    except ServerError:  # the time is unknown then
        return None


def _of(case: Case, obstacle: Mapping[str, str] | None, jobs: Sequence[Job], forecast: Forecast) -> CaseOutlook:
    spans = [forecast.of(job) for job in jobs if job.case.key == case.key]
    return CaseOutlook(
        case.scenario,
        case.name,
        None if obstacle is None else Status(obstacle["status"]),
        None if obstacle is None else obstacle["reason"],
        sum((span for span in spans if span is not None), Span()) if spans and None not in spans else None,
        left_out=not spans,
    )
