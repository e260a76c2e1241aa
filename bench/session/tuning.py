"""Tune a model: screen configurations as the search proposes them, then measure the best few carefully.

Each of the two stages is an ordinary run, in a folder of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

from bench.analyze.candidates import ExclusionKind, tasks
from bench.analyze.constraints import Constraints, Goal
from bench.analyze.results import results
from bench.analyze.run import Run
from bench.errors import InputError
from bench.execute.client import WorkerClient
from bench.pipelines import architectures
from bench.pipelines.diffusers_api import vocabulary
from bench.pipelines.optimizations import conflicts_of, names
from bench.plan import order
from bench.plan.case import Case, Plan, ScenarioInfo
from bench.plan.check import PIPELINE, problems
from bench.plan.order import Job
from bench.plan.paths import MissingFolderError, located_model
from bench.plan.settings import RunSettings
from bench.plan.vocabulary import suggestion
from bench.present import cards
from bench.records.cards import is_slice
from bench.records.models import ProcessRecord
from bench.records.outcomes import Status
from bench.records.store import PLAN, PROCESSES
from bench.session.budget import CAREFUL_SAMPLES, SCREENING_SAMPLES, SHORTEST_S, Search, Spent
from bench.session.devices import Choice, pick
from bench.session.files import NotWrittenError, write_data, writing
from bench.session.live import LiveRun, Machine
from bench.session.measure import announce, fetch_missing, hardware
from bench.session.plan import new_folder
from bench.session.progress import Notices
from bench.session.request import Ending, RunOutcome, TuneOutcome, TuneRequest
from bench.session.search import Config, Score, Space, reference
from bench.session.settings import settings_for
from bench.statistics import median
from bench.units import listed

SCENARIO, SCREENING, FINAL = "tune", "screening", "final"
BFLOAT16_CAPABILITY = (8, 0)
"""Ampere, the first architecture with bfloat16 (NVIDIA A100 white paper); torch emulates it on older ones."""


def tune(request: TuneRequest, notices: Notices) -> TuneOutcome:
    """Search the optimization table for the best combination on this device.

    Raises:
        InputError: the request cannot be fulfilled; nothing was measured.
        KeyboardInterrupt: somebody stopped it before the first case.
    """
    began_s = monotonic()
    folder = request.run.output or new_folder("tune", Path(request.model).name)
    _refuse_results(folder)
    try:
        choice = pick(request.run, notices)
        with WorkerClient(variables=choice.variables) as client:
            tuning = _prepare(client, choice, request, folder, began_s, notices)
            screening = tuning.screen(client, notices)
        if screening.ending is Ending.INTERRUPTED:
            return TuneOutcome(screening.ending, screening)
        if tuning.search.out_of_time():
            budget = f"{request.budget_s / 60:g} min"
            notices.warn(f"The reference did not finish within the budget of {budget}; give it more time (--budget).")
            return TuneOutcome(Ending.OUT_OF_TIME, screening)
        final = measure_best(tuning, notices)
        return TuneOutcome(final.ending if final else screening.ending, screening, final)
    except NotWrittenError as error:
        notices.warn(f"stopped: {error}; free some space, then start again")
        return TuneOutcome(Ending.NOT_WRITTEN)


def _refuse_results(folder: Path) -> None:
    """Refuse a folder with results of either stage: a search always starts over."""
    if any((folder / part / name).exists() for part in ("", SCREENING, FINAL) for name in (PLAN, PROCESSES)):
        raise InputError(f"--output {folder}: already has results; choose another --output, or remove the folder")


def _prepare(
    client: WorkerClient, choice: Choice, request: TuneRequest, folder: Path, began_s: float, notices: Notices
) -> "Tuning":
    """Check the request against this machine, and fetch what is missing outside of the budget."""
    template, allowed = _template(request), _allowed(request.skip)
    settings, facts = settings_for(client, [template], replace(request.run, diagnose=False), notices)
    if request.constraints.goal == Goal.ENERGY and settings.device != "cuda":
        raise InputError(
            f"--objective energy needs an NVIDIA GPU, but this run is on {settings.device}; choose another objective"
        )
    choice = choice.confirmed(facts, notices)
    if request.constraints.goal == Goal.ENERGY and is_slice(choice.describe(facts)):
        raise InputError(cards.no_energy(str(facts["device_name"])))
    announce(hardware(choice.describe(facts)), folder, settings, [template], facts, notices)
    paused_s = monotonic()
    fetch_missing([template], settings, notices, client)
    search = Search(Space(_dtypes(facts), allowed), request.budget_s, monotonic, began_s + monotonic() - paused_s)
    return Tuning(folder, template, settings, facts, choice, request.constraints, search)


def _template(request: TuneRequest) -> Case:
    """Return the case that every configuration changes; raise `InputError` if it cannot be measured."""
    facts, words = architectures.find_model(request.model), vocabulary()
    own = {"num_inference_steps": facts.steps, "height": facts.height, "width": facts.width} if facts else {}
    try:
        model = located_model(request.model, Path(), PIPELINE, known=request.model in words.models)
    except MissingFolderError as error:
        raise InputError(f"model: {error}") from error
    case = Case(SCENARIO, "template", model, call={**own, **request.call})
    for path, message in problems(case, words):
        raise InputError(f"{path[-1]}: {message}")
    return case


def _allowed(skipped: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return the optimizations to try, each with its conflicts; raise `InputError` for an unknown name."""
    for name in skipped:
        if name not in names():
            raise InputError(f"--skip {name}: there is no such optimization; {suggestion(name, names())}")
    return {name: conflicts_of(name) for name in names() if name not in skipped}


def _dtypes(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the dtypes that a device computes in natively, the reference's first."""
    if facts["device"] == "cpu":
        return "float32", "bfloat16"  # float16 convolutions are emulated there, tens of times slower
    capability = tuple(map(int, facts.get("compute_capability", "99.0").split(".")))
    return ("float32", "float16", "bfloat16") if capability >= BFLOAT16_CAPABILITY else ("float32", "float16")


def measure_best(tuning: "Tuning", notices: Notices) -> RunOutcome | None:
    """Measure the best few carefully, and say what there was no time for; None if there is nothing to measure."""
    configs, passes = tuning.search.final()
    for line in screening_summary(tuning.search, [config.name for config in configs], passes):
        notices.say(line)
    if not configs:
        return None
    with WorkerClient(variables=tuning.choice.variables) as client:
        final = tuning.measure_best(client, configs, passes, notices)
    done = tuning.search.passes_done
    if done < passes and final.ending is not Ending.INTERRUPTED:
        notices.say(f"Finished {done} of {passes} passes; there was no time for more.")
    return final


def screening_summary(search: Search, finals: list[str], passes: int) -> Iterator[str]:
    """Yield what screening found, what it had no time for, and what follows."""
    yield f"Screened {len(search.scores)} configurations; {search.left_s() / 60:.1f} min are left."
    if left_out := search.left_out():
        yield f"Not tried for lack of time: {listed(left_out)}."
    if single := search.uncombined():
        yield (
            f"There was no time to combine the {len(single)} optimizations that help alone ({listed(single)}); "
            "give it more time (--budget)."
        )
    if finals:
        yield f"Measuring carefully, in {passes} {'passes' if passes > 1 else 'pass'}: {', '.join(finals)}."
    elif search.ties():
        yield "There is no time left to measure carefully, so the result rests on the screening alone."
    else:
        yield "There is nothing to compare carefully, so the result rests on the screening alone."


@dataclass(frozen=True)
class Tuning:
    """A search in progress.

    Attributes:
        folder: of both runs.
        template: the case that every configuration changes.
        settings: of both runs, except for the number of passes.
        facts: of the machine, from a worker.
        choice: the device, and what makes workers use it.
        constraints: what a case must satisfy.
        search: decides what to try next, and for how long.
    """

    folder: Path
    template: Case
    settings: RunSettings
    facts: Mapping[str, Any]
    choice: Choice
    constraints: Constraints
    search: Search

    def screen(self, client: WorkerClient, notices: Notices) -> RunOutcome:
        with self._open(SCREENING, (), self.settings, client) as live:
            stage = _Screening(self, live)
            interrupted = live.measure_all(stage.jobs(), None, notices, stage.take)
            return _ended(live, interrupted=interrupted)

    def measure_best(self, client: WorkerClient, configs: list[Config], passes: int, notices: Notices) -> RunOutcome:
        cases = [self.case(config, configs[0], CAREFUL_SAMPLES) for config in configs]
        with self._open(FINAL, cases, replace(self.settings, processes=passes), client) as live:
            jobs = self._careful_jobs(configs, cases, passes)
            interrupted = live.measure_all(jobs, passes * len(cases), notices)
            return _ended(live, interrupted=interrupted)

    def plan(self, cases: Sequence[Case]) -> Plan:
        title = f"Tuning {self.template.model} for {self.constraints.goal}"
        return Plan((ScenarioInfo(SCENARIO, title),), tuple(cases))

    def case(self, config: Config, baseline: Config, samples: int) -> Case:
        return replace(
            self.template, name=config.name, dtype=config.dtype, optimizations=config.optimizations,
            baseline=f"{SCENARIO}/{baseline.name}", samples=samples,
        )  # fmt: skip

    def _open(self, stage: str, cases: Sequence[Case], settings: RunSettings, client: WorkerClient) -> LiveRun:
        return LiveRun(self.folder / stage, self.plan(cases), settings, Machine(client, self.facts, choice=self.choice))

    def _careful_jobs(self, configs: list[Config], cases: list[Case], passes: int) -> Iterator[Job]:
        """Yield whole passes while they fit; a process may take twice its time, because killing it loses its case."""
        allowed = {config.name: 2 * self.search.spent[config].careful_s() for config in configs}
        for number in self.search.careful_passes(configs, passes):
            for job in order.passes(cases, [number]):
                limit = min(job.case.timeout_s, max(self.search.left_s(), allowed[job.case.name], SHORTEST_S))
                yield Job(replace(job.case, timeout_s=limit), number)


class _Screening:
    """The first stage: hands out jobs, and reports their records to the search."""

    def __init__(self, tuning: Tuning, live: LiveRun) -> None:
        self._tuning, self._search, self._live = tuning, tuning.search, live
        self._tried: dict[str, Config] = {}
        self._began_s = 0.0
        self._hurried = False

    def jobs(self) -> Iterator[Job]:
        """Yield the next case while there is one and time for it; one that takes longer than that is killed."""
        for config in self._search.screening():
            case = self._tuning.case(config, self._search.space.plain()[0], SCREENING_SAMPLES)
            self._live.grow(self._tuning.plan([*self._live.plan.cases, case]))
            self._tried[case.name] = config
            self._began_s = self._search.clock()
            limit = self._search.try_limit_s()
            self._hurried = limit < case.timeout_s
            yield Job(replace(case, timeout_s=min(case.timeout_s, limit)), 0)

    def take(self, record: ProcessRecord) -> None:
        config = self._tried[record.case]
        if self._hurried and record.status == Status.TIMEOUT:
            self._search.drop(config)
            return
        spent = None
        if record.status.measured:
            latency_s = median([sample.latency_s for sample in record.samples])
            spent = Spent(self._search.clock() - self._began_s, latency_s)
        self._search.record(config, self._score(config), spent)

    def _score(self, config: Config) -> Score | None:
        """Compare a case with the reference alone, which takes the same time for every case."""
        kept = reference(self._search.space, self._search.scores)
        pair = {config.name, kept.name if kept is not None else config.name}
        run = Run(
            self._live.folder,
            self._tuning.plan([case for case in self._live.plan.cases if case.name in pair]),
            self._live.environment,
            tuple(record for record in self._live.records if record.case in pair),
        )
        (task,) = tasks(run, results(run), self._tuning.constraints)
        found = next(candidate for candidate in task.candidates if candidate.case.name == config.name)
        reason = found.exclusion_reason
        too_big = reason is not None and reason.kind is ExclusionKind.TOO_MUCH_MEMORY
        return None if (reason and not too_big) or found.cost is None else (found.excess_bytes, found.cost)


def _ended(live: LiveRun, *, interrupted: bool) -> RunOutcome:
    run, found = live.results()
    with writing():
        write_data(run, found)
    return RunOutcome(run, found, Ending.INTERRUPTED if interrupted else Ending.COMPLETE)
