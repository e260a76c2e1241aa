"""pytest: the cases of `scenarios/*.yaml` are benchmark items, as if each were a test that takes `benchmark`.

    pytest scenarios/ --benchmark-json=run.json
    pytest scenarios/sd15-precision.yaml::fp16 --benchmark-compare

Each item is measured in a worker of its own, forked as `bench run` forks it. `benchmark.pedantic` asks for one call a
round, and its timer is the worker's own clock: synchronized around the call, in the other process.

This module is loaded by every pytest of an environment that has it, so it imports nothing until there is a scenario.
"""

import argparse
import math
import os
import warnings
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.session.settings import DeviceChoice, SizeChoice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.execute.attempt import Outcome
    from bench.execute.client import WorkerClient
    from bench.plan.case import Case
    from bench.plan.settings import RunSettings

FOLDER = "scenarios"
PREFIX = "--diffusion-bench-"
"""Of the options' names: long, so that no other plugin or conftest has the same."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `bench run` takes too, and means the same."""
    group = parser.getgroup("diffusion-bench", "benchmarks of diffusion pipelines (scenarios/*.yaml)")
    devices, sizes = list(map(str, DeviceChoice)), list(map(str, SizeChoice))
    group.addoption(f"{PREFIX}device", choices=devices, default="auto", help="auto takes the accelerator, or the CPU.")
    group.addoption(f"{PREFIX}size", choices=sizes, default="auto", help="auto measures toy twins on a CPU.")
    group.addoption(f"{PREFIX}weights", default="auto", help="auto, hub, random, or a folder of saved pipelines.")
    group.addoption(f"{PREFIX}samples", type=_positive, metavar="N", help="A fixed number of rounds a case.")
    group.addoption(f"{PREFIX}threads", type=_positive, metavar="N", help="Threads of the CPU; one if not given.")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ScenarioFile | None":
    """Take a scenario that lies in a folder `scenarios` or is named on the command line, and no other YAML file."""
    if file_path.suffix not in {".yaml", ".yml"}:
        return None
    if file_path.parent.name != FOLDER and not parent.session.isinitpath(file_path):
        return None
    if not parent.config.pluginmanager.hasplugin("pytest-benchmark"):  # switched off, with -p no:benchmark
        return None
    from bench.plan.recognize import is_scenario

    return ScenarioFile.from_parent(parent, path=file_path) if is_scenario(file_path) else None


class ScenarioFile(pytest.Module):
    """One scenario file. A module, as pytest's own DoctestTextfile is, so that fixtures of a module's scope work."""

    obj = None  # there is nothing to import

    def collect(self) -> "Iterable[CaseItem]":
        """Yield an item a case; a fault in the file is a collection error that names its line."""
        from bench.errors import InputError
        from bench.pipelines.diffusers_api import vocabulary
        from bench.plan.load import load_file

        workers = Workers.of(self.config)
        try:
            table, cases = load_file(Path(os.path.relpath(self.path)), vocabulary(), workers.compatible)
        except InputError as error:
            raise self.CollectError(str(error)) from error
        for case, place in cases:
            yield CaseItem.of(self, case, place, table.source.get("device"))


class CaseItem(pytest.Function):
    """One case: a test function that takes `benchmark`."""

    case: "Case"
    place: tuple[Path, int]
    claim_device: str | None
    clock: "Clock"

    @classmethod
    def of(cls, file: ScenarioFile, case: "Case", place: tuple[Path, int], claim_device: str | None) -> "CaseItem":
        """Make the item of a case that was written at this place, with figures that are documented for this GPU."""

        def measure(benchmark: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
            item.measure(benchmark, tmp_path_factory.getbasetemp() / "diffusion-bench")

        item: CaseItem = cls.from_parent(file, name=case.name, callobj=measure)
        path, line = place
        item.case, item.place, item.claim_device, item.clock = case, (path.absolute(), line), claim_device, Clock()
        item.add_marker(pytest.mark.benchmark(group=case.scenario, timer=item.clock))
        return item

    def setup(self) -> None:
        """Ask the machine before anything else, so that a wrong option ends the session at once."""
        _ = Workers.of(self.config).settled
        super().setup()

    def measure(self, benchmark: Any, logs: Path) -> None:
        """Measure the case, a call a round, where `benchmark` is enabled; else let it make one call.

        Args:
            benchmark: pytest-benchmark's fixture.
            logs: the folder for what workers print.
        """
        from bench.execute.on_demand import stepped
        from bench.execute.worker.on_demand import EndedError

        workers = Workers.of(self.config)
        settings, facts = workers.settings_of(self.case), workers.settled[1]
        log = logs / self.case.scenario / f"{self.case.name}.log"
        with stepped(workers.server, self.case, settings, log, warm_up=benchmark.enabled) as calls:
            benchmark.cprofile = False  # this process only waits; a profile of it would take a call that is not there
            with suppress(EndedError):  # its outcome says why
                benchmark.pedantic(
                    self.clock.advance, setup=self.clock.reset, args=(calls.call,), rounds=settings.samples
                )
            outcome = calls.finish()
        benchmark.extra_info.update(extra_info(outcome, facts))
        self._judge(outcome, log, facts["device_name"], complete=not benchmark.has_error)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the case is written; pytest counts lines from 0."""
        path, line = self.place
        return path, line - 1, self.case.key

    def _judge(self, outcome: "Outcome", log: Path, device_name: str, *, complete: bool) -> None:
        """Skip or fail as the worker's outcome says, in few lines: where it was raised is in the log."""
        from bench.analyze.claims import same_device
        from bench.records.schema import MEASURED, Status

        status, reason = outcome.process["status"], outcome.process["reason"]
        if status == Status.SKIPPED:
            pytest.skip(f"{self.case.key}: {reason}")
        if status == self.case.claim.get("status") and same_device(self.claim_device, device_name):
            pytest.xfail(f"{status}, as documented: {reason}")
        if not complete or status not in MEASURED:
            path = os.path.relpath(self.place[0], self.config.invocation_params.dir)
            reason = reason or f"too many samples were rejected by {outcome.process['rejected_by']}"
            pytest.fail(f"{status}: {reason}\n{path}:{self.place[1]}\nlog: {log}", pytrace=False)
        if status == Status.UNSTABLE:
            warnings.warn(pytest.PytestWarning(f"{self.case.key}: {status}: {reason}"), stacklevel=1)


def extra_info(outcome: "Outcome", facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of a measurement beside its latencies: the columns of its row, and the versions."""
    from bench.records import schema

    columns = {name: facts.get(name) for name in schema.names(schema.VERSIONS)} | outcome.process
    device_times = [sample["device_time_s"] for sample in outcome.samples]
    if None not in device_times:
        columns["device_time_s"] = device_times
    return {name: value for name, value in columns.items() if _is_known(value)}


def _is_known(value: Any) -> bool:
    return value not in (None, "") and not (isinstance(value, float) and not math.isfinite(value))


class Clock:
    """pytest-benchmark's timer. It stands still, but for the latency of each call that a worker tells.

    It begins at 0 in every round, so that the difference of two readings is that latency to the last digit.
    """

    __name__ = "worker's clock"  # as which it is recorded

    def __init__(self) -> None:
        self._now_s = 0.0

    def __call__(self) -> float:
        """Return the reading, in seconds."""
        return self._now_s

    def reset(self) -> None:
        """Begin at 0."""
        self._now_s = 0.0

    def advance(self, call: "Callable[[], float]") -> None:
        """Make a call that returns its latency in seconds, and go on by it."""
        self._now_s += call()


class Workers:
    """What the items of one pytest session share: the fork server and the settings, each when first asked for."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._server: WorkerClient | None = None
        self._spawn = False
        self._compatible: dict[str, list[str]] = {}
        self.cases: Sequence[Case] = ()

    @classmethod
    def of(cls, config: pytest.Config) -> "Workers":
        """Return the session's, which are gone when it ends."""
        if _WORKERS not in config.stash:
            config.stash[_WORKERS] = cls(config)
            config.add_cleanup(config.stash[_WORKERS].close)
        return config.stash[_WORKERS]

    @property
    def server(self) -> "WorkerClient":
        """A server that runs; another where the last one died."""
        from bench.execute.client import WorkerClient

        if self._server is not None and not self._server.running:
            self.close()
        if self._server is None:
            self._server = WorkerClient(spawn=self._spawn)
        return self._server

    @cached_property
    def settled(self) -> "tuple[RunSettings, dict[str, Any]]":
        """The settings as the command line has them, and the machine's facts; ends pytest where they make no sense."""
        from dataclasses import replace

        from bench.errors import InputError
        from bench.records import environment
        from bench.session.measure import fetch_missing
        from bench.session.settings import settle

        device, size, weights, samples, threads = map(self._option, ("device", "size", "weights", "samples", "threads"))
        try:
            settings, machine = settle(self.server, self.cases, device, size, weights, prefix=PREFIX)
        except InputError as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
        self._spawn = machine["started_by"] == "spawn"
        fetch_missing(self.cases, settings)
        return replace(settings, samples=samples, threads=threads), environment.describe(machine)

    def settings_of(self, case: "Case") -> "RunSettings":
        """Return the settings for a case, with its number of samples, which pytest-benchmark must know beforehand."""
        from dataclasses import replace

        from bench.measure.sampling import rules_for
        from bench.pipelines.tiny import resolve

        settings, _ = self.settled
        _, size = resolve(case, settings.size)
        return replace(settings, samples=rules_for(size, settings.samples or case.samples).min_samples)

    def compatible(self, model: str) -> list[str]:
        """Return the schedulers that a model lists as compatible."""
        from bench.execute.questions import ask_compatible

        if model not in self._compatible:
            self._compatible[model] = ask_compatible(self.server, model)
        return self._compatible[model]

    def close(self) -> None:
        """End the server and whatever it still runs."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _option(self, name: str) -> Any:
        return self._config.getoption(f"{PREFIX}{name}")


_WORKERS = pytest.StashKey[Workers]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell the workers which cases are asked for: whether the hub is needed depends on them."""
    if cases := [item.case for item in session.items if isinstance(item, CaseItem)]:
        Workers.of(session.config).cases = cases


def _positive(text: str) -> int:
    """Return the number that an option gives."""
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"is {text!r}; give a whole number of at least 1")
    return int(text)
