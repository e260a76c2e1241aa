"""pytest: the cases of `scenarios/*.yaml` are benchmark items, as if each were a test that takes `benchmark`.

    pytest scenarios/ --benchmark-json=run.json
    pytest scenarios/sd15-precision.yaml::fp16 --benchmark-compare

Each item is measured in a worker process of its own, as `bench run` does it. `benchmark.pedantic` asks for one call per
round, and its timer is the worker's clock: synchronized around the call, in the other process.

Every pytest of an environment that has this module loads it, so it imports nothing heavy until there is a scenario.
"""

import argparse
import os
import warnings
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.session.request import RunRequest, SizeChoice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.execute.client import WorkerClient
    from bench.plan.case import Case
    from bench.plan.settings import RunSettings
    from bench.records.models import ProcessRecord
    from bench.session.devices import Choice

FOLDER = "scenarios"
OPTIONS = ("device", "size", "weights", "samples", "threads")
PREFIX = "--diffusion-bench-"
"""The prefix of the options' names, long enough that no other plugin or conftest uses the same."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that `bench run` has too, with the same meaning."""
    group = parser.getgroup("diffusion-bench", "benchmarks of diffusion pipelines (scenarios/*.yaml)")
    sizes = list(map(str, SizeChoice))
    group.addoption(f"{PREFIX}device", default="auto", help="auto, cpu, mps, cuda, cuda:1 ...; auto: the accelerator.")
    group.addoption(f"{PREFIX}size", choices=sizes, default="auto", help="auto: tiny models on a CPU.")
    group.addoption(f"{PREFIX}weights", default="auto", help="auto, hub, random, or a folder of saved pipelines.")
    group.addoption(f"{PREFIX}samples", type=_positive, metavar="N", help="A fixed number of rounds per case.")
    group.addoption(f"{PREFIX}threads", type=_positive, metavar="N", help="CPU threads (default: 1).")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ScenarioFile | None":
    """Collect scenarios in a folder named `scenarios`, or named on the command line, and no other YAML file."""
    if file_path.suffix not in {".yaml", ".yml"}:
        return None
    if file_path.parent.name != FOLDER and not parent.session.isinitpath(file_path):
        return None
    if not parent.config.pluginmanager.hasplugin("pytest-benchmark"):  # switched off by -p no:benchmark
        return None
    from bench.plan.recognize import is_scenario

    return ScenarioFile.from_parent(parent, path=file_path) if is_scenario(file_path) else None


class ScenarioFile(pytest.Module):
    """One scenario file. It is a module, like pytest's own DoctestTextfile, so that fixtures of module scope work."""

    obj = None  # there is nothing to import

    def collect(self) -> "Iterable[CaseItem]":
        """Yield one item per case; a fault in the file is a collection error that names its line."""
        from bench.errors import InputError
        from bench.pipelines.diffusers_api import vocabulary
        from bench.plan.load import load_file

        workers = Workers.of(self.config)
        try:
            info, cases = load_file(Path(os.path.relpath(self.path)), vocabulary(), workers.compatible)
        except InputError as error:
            raise self.CollectError(str(error)) from error
        for case, place in cases:
            yield CaseItem.of(self, case, place, info.source.get("device"))


class CaseItem(pytest.Function):
    """One case: a test function that takes `benchmark`."""

    case: "Case"
    place: tuple[Path, int]
    claim_device: str | None
    clock: "Clock"

    @classmethod
    def of(cls, file: ScenarioFile, case: "Case", place: tuple[Path, int], claim_device: str | None) -> "CaseItem":
        """Return the item of a case that is written at this place, with figures that are documented for this GPU."""

        def measure(benchmark: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
            item.measure(benchmark, tmp_path_factory.getbasetemp() / "diffusion-bench")

        item: CaseItem = cls.from_parent(file, name=case.name, callobj=measure)
        path, line = place
        item.case, item.place, item.claim_device, item.clock = case, (path.absolute(), line), claim_device, Clock()
        item.add_marker(pytest.mark.benchmark(group=case.scenario, timer=item.clock))
        return item

    def setup(self) -> None:
        """Check the options against the machine before anything else, so that a wrong one ends the session at once."""
        _ = Workers.of(self.config).machine
        super().setup()

    def measure(self, benchmark: Any, logs: Path) -> None:
        """Measure the case, one call per round if `benchmark` is enabled, and otherwise one call.

        Args:
            benchmark: pytest-benchmark's fixture.
            logs: the folder for what workers print.
        """
        from bench.execute.on_demand import open_on_demand
        from bench.execute.worker.on_demand import EndedError

        workers = Workers.of(self.config)
        settings, facts = workers.settings_of(self.case), workers.machine[1]
        log = logs / self.case.scenario / f"{self.case.name}.log"
        with open_on_demand(workers.server, self.case, settings, log, warm_up=benchmark.enabled) as calls:
            benchmark.cprofile = False  # this process only waits, so there is nothing to profile
            with suppress(EndedError):  # the record says why
                benchmark.pedantic(
                    self.clock.advance, setup=self.clock.reset, args=(calls.call,), rounds=settings.samples
                )
            record = calls.finish()
        benchmark.extra_info.update(extra_info(record, facts))
        self._judge(record, log, facts["device_name"], complete=not benchmark.has_error)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the case is written, with lines counted from 0 as pytest does."""
        path, line = self.place
        return path, line - 1, self.case.key

    def _judge(self, record: "ProcessRecord", log: Path, device_name: str, *, complete: bool) -> None:
        """Skip or fail as the record says, in few lines: the traceback is in the log."""
        from bench.analyze.claims import same_device
        from bench.records.outcomes import Status

        status, reason = record.status, record.reason
        if status == Status.SKIPPED:
            pytest.skip(f"{self.case.key}: {reason}")
        if status == self.case.claim.get("status") and same_device(self.claim_device, device_name):
            pytest.xfail(f"{status}, as documented: {reason}")
        if not complete or not status.measured:
            path = os.path.relpath(self.place[0], self.config.invocation_params.dir)
            reason = reason or f"too many samples were rejected: {'+'.join(record.telemetry.rejected_by)}"
            pytest.fail(f"{status}: {reason}\n{path}:{self.place[1]}\nlog: {log}", pytrace=False)
        if status == Status.UNSTABLE:
            warnings.warn(pytest.PytestWarning(f"{self.case.key}: {status}: {reason}"), stacklevel=1)


def extra_info(record: "ProcessRecord", facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of a measurement besides its latencies: the columns of its record, and the versions."""
    from bench.records.case_result import Versions
    from bench.records.columns import cell, columns, flatten

    known = {column.name: facts.get(column.name) for column in columns(Versions)} | flatten(record)
    texts = {name: cell(value) if isinstance(value, dict | tuple) else value for name, value in known.items()}
    device_times = [sample.device_time_s for sample in record.samples]
    if None not in device_times:
        texts["device_time_s"] = device_times
    return {name: value for name, value in texts.items() if value not in (None, "")}


class Clock:
    """pytest-benchmark's timer: each call advances it by the latency that a worker reports, and nothing else does.

    It starts at 0 in every round, so that the difference of two readings is that latency to the last digit.
    """

    __name__ = "worker's clock"  # which is how it is recorded

    def __init__(self) -> None:
        self._now_s = 0.0

    def __call__(self) -> float:
        """Return the reading, in seconds."""
        return self._now_s

    def reset(self) -> None:
        """Start at 0."""
        self._now_s = 0.0

    def advance(self, call: "Callable[[], float]") -> None:
        """Make a call that returns its latency in seconds, and advance by it."""
        self._now_s += call()


class Workers:
    """What the items of one pytest session share: the fork server and the settings, made when first needed."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._server: WorkerClient | None = None
        self._spawn = False
        self._compatible: dict[str, list[str]] = {}
        self.cases: Sequence[Case] = ()

    @classmethod
    def of(cls, config: pytest.Config) -> "Workers":
        """Return the workers of a session, which end with it."""
        if _WORKERS not in config.stash:
            config.stash[_WORKERS] = cls(config)
            config.add_cleanup(config.stash[_WORKERS].close)
        return config.stash[_WORKERS]

    @property
    def server(self) -> "WorkerClient":
        """A server that runs; a new one if the last one died."""
        from bench.execute.client import WorkerClient

        if self._server is not None and not self._server.running:
            self.close()
        if self._server is None:
            self._server = WorkerClient(spawn=self._spawn, variables=self.choice.variables)
        return self._server

    @cached_property
    def choice(self) -> "Choice":
        """The device of the command line; ends pytest if there is none."""
        from bench.errors import InputError
        from bench.session.devices import pick
        from bench.session.progress import Notices

        try:
            return pick(RunRequest(device=self._config.getoption(f"{PREFIX}device"), option_prefix=PREFIX), Notices())
        except InputError as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)

    @cached_property
    def machine(self) -> "tuple[RunSettings, dict[str, Any]]":
        """The settings of the command line, and the machine's facts; ends pytest if the options make no sense."""
        from bench.errors import InputError
        from bench.records import environment
        from bench.session.measure import fetch_missing
        from bench.session.progress import Notices
        from bench.session.settings import settings_for

        given = {name: self._config.getoption(f"{PREFIX}{name}") for name in OPTIONS}
        try:
            request = RunRequest(option_prefix=PREFIX, **given)
            settings, facts = settings_for(self.server, self.cases, request, Notices())
        except InputError as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
        self._spawn = facts["started_by"] == "spawn"
        fetch_missing(self.cases, settings, Notices(), self.server)
        return settings, environment.describe(self.choice.confirmed(facts, Notices()).describe(facts))

    def settings_of(self, case: "Case") -> "RunSettings":
        """Return the settings for a case, with its number of samples, which pytest-benchmark must know beforehand."""
        from dataclasses import replace

        from bench.measure.sampling import rules_for
        from bench.pipelines.tiny import resolve

        settings, _ = self.machine
        _, size = resolve(case, settings.size)
        return replace(settings, samples=rules_for(size, settings.samples or case.samples).min_samples)

    def compatible(self, model: str) -> list[str]:
        """Return the schedulers that are compatible with a model."""
        from bench.execute.client import ask_compatible

        if model not in self._compatible:
            self._compatible[model] = ask_compatible(self.server, model)
        return self._compatible[model]

    def close(self) -> None:
        """End the server and whatever it still runs."""
        if self._server is not None:
            self._server.close()
            self._server = None


_WORKERS = pytest.StashKey[Workers]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell the workers which cases were selected, because whether the hub is needed depends on them."""
    if cases := [item.case for item in session.items if isinstance(item, CaseItem)]:
        Workers.of(session.config).cases = cases


def _positive(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"is {text!r}; give a whole number of at least 1")
    return int(text)
