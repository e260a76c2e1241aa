"""The two stages of `tune`: screen configurations as the search proposes them, then measure the few best with care.

Each stage is an ordinary run with a folder of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.plan.case import Case, Plan, ScenarioInfo
from bench.plan.order import Job, passes
from bench.plan.settings import RunSettings
from bench.records.schema import MEASURED, Status
from bench.session.budget import CAREFUL_SAMPLES, SCREENING_SAMPLES, SHORTEST_S, Search, Spent
from bench.session.measure import run_jobs
from bench.session.search import Config, Score, reference
from bench.statistics import median

if TYPE_CHECKING:
    from bench.analyze.constraints import Constraints
    from bench.execute.attempt import Outcome
    from bench.execute.client import WorkerClient
    from bench.execute.runner import Runner
    from bench.records.store import Store

SCENARIO, SCREENING, FINAL = "tune", "screening", "final"


@dataclass
class Tuning:
    """A search under way.

    Attributes:
        folder: of both runs.
        template: the case that every configuration is laid over.
        settings: of both runs, but for the rounds; nothing is diagnosed, for no estimate of a process's time has it.
        machine: facts of the machine, from the probe.
        constraints: what is asked of a case.
        search: what to try next, and for how long.
        interrupted: whether somebody stopped it.
    """

    folder: Path
    template: Case
    settings: RunSettings
    machine: Mapping[str, Any]
    constraints: "Constraints"
    search: Search
    interrupted: bool = False
    _begun: float = field(default=0.0, init=False)
    _hurried: bool = field(default=False, init=False)

    def screen(self, server: "WorkerClient") -> Path:
        """Try configurations with few samples, one process each; return the run's folder."""
        folder = self.folder / SCREENING
        store, runner = self._open(folder, (), self.settings, server)
        tried: dict[str, Config] = {}
        try:
            jobs = self._screening_jobs(store, tried)
            self.interrupted = run_jobs(jobs, None, runner, store, partial(self._take, folder, tried))
        finally:
            runner.close()
            store.close()
        return folder

    def measure_best(self, server: "WorkerClient", configs: list[Config], number: int) -> Path:
        """Measure configurations, the reference first, in fresh processes by turns; return the run's folder."""
        from bench.analyze.results import write_results

        folder = self.folder / FINAL
        cases = [self._case(config, configs[0], CAREFUL_SAMPLES) for config in configs]
        settings = replace(self.settings, processes=number)
        store, runner = self._open(folder, cases, settings, server)
        try:
            jobs = self._careful_jobs(configs, cases, number)
            self.interrupted = run_jobs(
                jobs, number * len(cases), runner, store, lambda _: write_results(folder, pictures=False)
            )
        finally:
            runner.close()
            store.close()
        return folder

    def _open(
        self, folder: Path, cases: "list[Case] | tuple[()]", settings: RunSettings, server: "WorkerClient"
    ) -> "tuple[Store, Runner]":
        from bench.execute.client import WorkerClient
        from bench.execute.runner import Runner
        from bench.records import environment
        from bench.records.store import Store

        store = Store(folder)
        store.open(self._plan(cases, settings), environment.describe(dict(self.machine)), resume=False)
        return store, Runner(
            folder, settings, server, partial(WorkerClient, spawn=self.machine["started_by"] == "spawn")
        )

    def _plan(self, cases: "list[Case] | tuple[()]", settings: RunSettings) -> dict[str, Any]:
        title = f"Tuning {self.template.model} for {self.constraints.goal}"
        return {**Plan((ScenarioInfo(SCENARIO, title),), tuple(cases)).to_json(), "run": settings.to_json()}

    def _case(self, config: Config, kept: Config, samples: int) -> Case:
        return replace(
            self.template,
            name=config.name,
            dtype=config.dtype,
            optimizations=config.optimizations,
            baseline=f"{SCENARIO}/{kept.name}",
            samples=samples,
        )

    def _screening_jobs(self, store: "Store", tried: dict[str, Config]) -> Iterator[Job]:
        """Yield the next case while there is one and time for it; one that takes longer than that is killed."""
        cases: list[Case] = []
        for config in self.search.screening():
            case = self._case(config, self.search.space.plain()[0], SCREENING_SAMPLES)
            cases.append(case)
            store.grow(self._plan(cases, self.settings))
            tried[case.name] = config
            self._begun = self.search.clock()
            limit = self.search.try_limit_s()
            self._hurried = limit < case.timeout_s
            yield Job(replace(case, timeout_s=min(case.timeout_s, limit)), 0)

    def _careful_jobs(self, configs: list[Config], cases: list[Case], number: int) -> Iterator[Job]:
        """Yield whole rounds while they fit; a process has twice its time, for killing it would lose its case."""
        allowed = {
            case.key: 2 * self.search.spent[config].careful_s() for case, config in zip(cases, configs, strict=True)
        }
        for process in self.search.careful_rounds(configs, number):
            for job in passes(cases, [process]):
                limit = min(job.case.timeout_s, max(self.search.left_s(), allowed[job.case.key], SHORTEST_S))
                yield Job(replace(job.case, timeout_s=limit), process)

    def _take(self, folder: Path, tried: Mapping[str, Config], outcome: "Outcome") -> None:
        """Tell the search what came of a case."""
        from bench.analyze.results import write_results

        write_results(folder, pictures=False)
        config = tried[outcome.process["case"]]
        if self._hurried and outcome.process["status"] == Status.TIMEOUT:
            self.search.pass_over(config)
            return
        score = self._score(folder, config)
        latencies = [sample["latency_s"] for sample in outcome.samples]
        measured = outcome.process["status"] in MEASURED and latencies
        spent = Spent(self.search.clock() - self._begun, median(latencies)) if measured else None
        self.search.take(config, score, spent)

    def _score(self, folder: Path, config: Config) -> Score | None:
        """Weigh a case beside the reference; the others' pictures need not be read again."""
        from bench.analyze.candidates import tasks
        from bench.analyze.results import results
        from bench.analyze.run import open_run

        run = open_run(folder)
        kept = reference(self.search.space, self.search.scores)
        names = {config.name, kept.name if kept is not None else config.name}
        cases = tuple(case for case in run.plan.cases if case.name in names)
        pair = replace(run, plan=Plan(run.plan.scenarios, cases))
        (task,) = tasks(pair, results(pair), self.constraints)
        found = next(candidate for candidate in task.candidates if candidate.case.name == config.name)
        return None if found.exclusion_reason or found.cost is None else (found.too_big, found.cost)
