"""Forecast how long a run takes: from the work of each case, the rates of the device, and the rules of sampling.

Large matrix products are the fastest that a device can do. A denoiser at batch size 1 reaches a fraction of that rate,
or waits for the host to launch its operators, so a forecast is a range. While the run goes on, what its processes took
corrects what is expected of the others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from bench.execute.client import ServerError, WorkerClient
from bench.measure.roofline import TF32
from bench.measure.sampling import Rules, rules_for
from bench.pipelines.rehearsal import Work
from bench.pipelines.tiny import resolve
from bench.plan.case import Case
from bench.plan.order import Job
from bench.plan.settings import RunSettings
from bench.records.environment import Forecasted, Span
from bench.records.models import ProcessRecord
from bench.session.request import SizeChoice
from bench.statistics import MIN_SAMPLES_FOR_INTERVAL

GPU_EFFICIENCY = (0.6, 0.45, 0.2)
"""Share of the matrix rate that whole calls reach, at best, typically and at worst. The published run of an H200 kept
its card busy at 0.18 of it in Stable Diffusion's denoiser at batch size 1, where the host is the limit, and at 0.31 at
batch size 4. Documented figures of an A100 come to 0.3 there and to 0.45 for SDXL."""
CPU_EFFICIENCY = (0.9, 0.7, 0.5)
"""The published figures of a CPU are 0.63 to 0.78."""
LAUNCH_S = (10e-6, 20e-6, 40e-6)
"""To launch one operator through diffusers' Python code; the published H200 took 23 microseconds."""
UNMEASURED_FLOPS = {"cpu": 20e9}
"""Of one core on the small matrices of a tiny model, for which no rates are measured."""
SLOW_ON_CPU = {"float16": 0.1}
"""float16 convolutions are emulated there."""
START_S = {"cpu": (0.2, 0.4, 1.0)}
"""To fork a process and to end it."""
ACCELERATOR_START_S = (1.0, 2.5, 8.0)
"""The same with a context on an accelerator; in the published run of an H200, 1 to 4 seconds."""
SPAWN_S = (5.0, 10.0, 25.0)
"""To import the libraries, where every process must."""
LOADED_BYTES_PER_S = (3e9, 1e9, 0.25e9)
"""Weights: drawn on the device, from a cached file, or from a slow disk."""
BUS_BYTES_PER_S, PINNED_BYTES_PER_S = (20e9, 8e9, 4e9), (24e9, 16e9, 6e9)
"""From the host to the device, for what offloading moves; pinned memory, on a stream of its own, while it computes."""
FIRST_CALL_S = (0.5, 1.0, 6.0)
"""What the first call on an accelerator takes beyond a call: loading kernels, choosing algorithms.
Published for an H200: 0.6 to 1.2, and 5 in the very first process."""
COMPILE_S = {
    "compile": (20.0, 60.0, 180.0),
    "compile_regional": (8.0, 20.0, 60.0),
    "compile_max_autotune": (60.0, 240.0, 900.0),
}
WARMUP_CALLS, SAMPLES = (6, 8, 15), (10, 12, 30)
"""Where rules leave the number open: at least, usually (published for an H200: 6 to 9), and of a noisy case."""
PROFILED_CALLS = 1.5
"""A profiled call, and reading what the profiler saw, in calls."""
BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}


@dataclass(frozen=True)
class Forecast:
    """How long one process of each case takes; without what a case's first process does once.

    Attributes:
        processes: case key -> one process; None if the work of the case is unknown.
        diagnoses: case key -> what the first process of the case takes beyond that.
    """

    processes: Mapping[str, Span | None]
    diagnoses: Mapping[str, Span] = field(default_factory=dict)

    def of(self, job: Job) -> Span | None:
        """Return the expected time of a process; None if it is unknown."""
        found = self.processes.get(job.case.key)
        return None if found is None else found + self.diagnoses.get(job.case.key, Span()).times(not job.process)

    def total(self, jobs: Sequence[Job]) -> Span | None:
        """Return the expected time of processes; unknown ones take as long as the others. None if all are unknown."""
        known = [span for job in jobs if (span := self.of(job)) is not None]
        return sum(known, Span()).times(len(jobs) / len(known)) if known else None

    def unknown(self, jobs: Sequence[Job]) -> int:
        """Return the number of cases whose work is unknown."""
        return len({job.case.key for job in jobs if self.of(job) is None})


def works(client: WorkerClient, cases: Sequence[Case], settings: RunSettings) -> dict[str, Work | None]:
    """Ask a worker for the work of one call of each case, by key; it is unknown if there is no answer."""
    request = {"op": "work", "run": settings.to_json(), "cases": [case.to_json() for case in cases]}
    try:
        answer = client.ask(request)
    except ServerError:
        return {}
    return {key: None if found is None else Work(**found) for key, found in answer.items()}


def foresee(
    cases: Sequence[Case], settings: RunSettings, works: Mapping[str, Work | None], rates: Mapping[str, Any] | None, *,
    spawned: bool = False,
) -> Forecast:  # fmt: skip
    """Return the forecast of cases.

    Args:
        cases: to be measured.
        settings: of the run.
        works: of one call of each case, by key.
        rates: of the device, as `records.environment.Rates` has them; None if they were not measured.
        spawned: whether every process imports the libraries.
    """
    flops = (rates or {}).get("matrix_flops", {})
    processes: dict[str, Span | None] = {}
    diagnoses = {}
    for case in cases:
        work = works.get(case.key)
        call = None if work is None else _call(case, work, settings.device, flops)
        processes[case.key] = None
        if work is not None and call is not None:
            once = _once(case, work, call, settings.device, spawned=spawned)
            processes[case.key] = once + _calls(call, _rules(case, settings))
            diagnoses[case.key] = _diagnosis(case, call, settings)
    return Forecast(processes, diagnoses)


def _call(case: Case, work: Work, device: str, flops: Mapping[str, float]) -> Span | None:
    """Return the time of one call; None if the rates of an accelerator are unknown.

    A GPU computes while the host launches what follows; a CPU does one after the other.
    """
    convolutions, products = _rate(case, device, flops, "conv"), _rate(case, device, flops, "product")
    if convolutions is None or products is None:
        return None
    compute_s = work.convolutions / convolutions + work.products / products
    shares = CPU_EFFICIENCY if device == "cpu" else GPU_EFFICIENCY
    computing = [compute_s / share for share in shares]
    launching = [work.launches * each for each in LAUNCH_S]
    if device == "cpu":
        return Span(*map(sum, zip(computing, launching, strict=True)))
    streamed, moved = _moved_bytes(case, work)
    streaming = [streamed / rate for rate in PINNED_BYTES_PER_S]
    found = Span(*map(max, zip(computing, launching, streaming, strict=True)))
    return found + Span(*(moved / rate for rate in BUS_BYTES_PER_S))


def _rate(case: Case, device: str, flops: Mapping[str, float], of: str) -> float | None:
    """Return the operations per second of convolutions or matrix products in the types that a case uses."""
    if not flops:
        known = UNMEASURED_FLOPS.get(device)
        return None if known is None else known * SLOW_ON_CPU.get(case.dtype, 1.0)
    wanted = "float16" if "autocast" in case.optimizations else case.dtype
    if wanted == "float32" and (of == "conv" or "tf32" in case.optimizations) and TF32 in flops:
        wanted = "float32" if "ieee_fp32" in case.optimizations else TF32
    return flops.get(wanted, min(flops.values()))


def _moved_bytes(case: Case, work: Work) -> tuple[int, int]:
    """Return the bytes of weights that offloading moves during a call, on a stream of its own and otherwise."""
    in_each_call = work.denoiser_parameters * BYTES[case.dtype] * work.denoiser_calls
    if "group_offload" in case.optimizations:
        return in_each_call, 0
    if "sequential_cpu_offload" in case.optimizations:
        return 0, in_each_call
    return 0, work.parameters * BYTES[case.dtype] * ("model_cpu_offload" in case.optimizations)


def _once(case: Case, work: Work, call: Span, device: str, *, spawned: bool) -> Span:
    """Return the time of a process without warm-up and samples: its start, loading the weights, the first call."""
    if not work.parameters:  # it will be skipped
        return Span(*START_S["cpu"])
    loaded = Span(*(work.parameters * BYTES[case.dtype] / rate for rate in LOADED_BYTES_PER_S))
    found = Span(*START_S.get(device, ACCELERATOR_START_S)) + loaded + call
    found += sum((Span(*seconds) for name, seconds in COMPILE_S.items() if name in case.optimizations), Span())
    found += Span(*SPAWN_S) if spawned else Span()
    return found if device == "cpu" else found + Span(*FIRST_CALL_S)


def _rules(case: Case, settings: RunSettings) -> Rules:
    return rules_for(resolve(case, settings.size)[1], settings.samples or case.samples)


def _calls(call: Span, rules: Rules) -> Span:
    """Return the time of warm-up and samples by the rules, at each of the three speeds."""
    speeds = (call.low_s, call.likely_s, call.high_s)
    return Span(*(_calls_s(*each, rules) for each in zip(speeds, WARMUP_CALLS, SAMPLES, strict=True)))


def _calls_s(call_s: float, warmup: int, samples: int, rules: Rules) -> float:
    warmup = min(max(warmup, rules.min_warmup), rules.max_warmup)
    samples = rules.min_samples if rules.is_fixed else samples
    if call_s:
        warmup = min(warmup, int(rules.max_warmup_s / call_s) + 1)
        allowed = rules.max_samples_s / call_s
        samples = min(samples, max(MIN_SAMPLES_FOR_INTERVAL, int(min(allowed, samples)) + 1))
    return call_s * (warmup + samples)


def _diagnosis(case: Case, call: Span, settings: RunSettings) -> Span:
    """Return the time of the further calls in a case's first process: the breakdown's, and the profiler's."""
    full = resolve(case, settings.size)[1] == SizeChoice.FULL
    broken_down = full if settings.diagnose is None else settings.diagnose
    profiled = settings.trace or (settings.device == "cuda" and settings.diagnose is not False)
    return call.times(broken_down + PROFILED_CALLS * profiled)


class Pace:
    """How a run keeps to its forecast. Tell it what begins and what ends.

    Args:
        forecast: of the run.
        jobs: that are to be measured.
        clock: returns seconds since any fixed moment.
    """

    def __init__(self, forecast: Forecast, jobs: Sequence[Job], clock: Callable[[], float] = monotonic) -> None:
        self.forecast = forecast
        self.left = list(jobs)
        self._clock = clock
        self._took: list[tuple[Job, float]] = []
        self._running = False
        self._began_s = clock()

    def begin(self) -> None:
        """Note that a process begins."""
        self._began_s, self._running = self._clock(), True

    def end(self, job: Job, record: ProcessRecord) -> None:
        """Note what a process took; one that was not measured says nothing about the others."""
        self._running = False
        self.left.remove(job)
        if record.status.measured:
            self._took.append((job, self._clock() - self._began_s))

    def drop(self, job: Job) -> None:
        """Note that a process will not be measured."""
        self.left.remove(job)

    def expected_s(self, job: Job) -> float | None:
        """Return the seconds that a process takes, corrected by the most similar ones that were measured."""
        same = [seconds for done, seconds in self._took if done.case.key == job.case.key]
        if same:
            return same[-1]
        span = self.forecast.of(job)
        return None if span is None else span.likely_s * self._correction(job.case)

    def left_s(self) -> float | None:
        """Return the seconds until all processes are measured; None if nothing is known."""
        known = [seconds for job in self.left if (seconds := self.expected_s(job)) is not None]
        if not known:
            return None
        spent = self._clock() - self._began_s if self._running else 0.0
        return max(0.0, sum(known) * len(self.left) / len(known) - spent)

    def outcome(self) -> Forecasted | None:
        """Return the forecast of what was measured beside what it took; None if there was no forecast."""
        measured = [(job, span, took) for job, took in self._took if (span := self.forecast.of(job)) is not None]
        if not measured:
            return None
        total = sum((span for _, span, _ in measured), Span())
        return Forecasted(len(measured), total, sum(took for *_, took in measured))

    def _correction(self, case: Case) -> float:
        """Return how many times longer than expected the processes took, those of the same model and dtype first."""
        pairs = [(job, took, span.likely_s) for job, took in self._took if (span := self.forecast.of(job))]
        alike = [pair for pair in pairs if (pair[0].case.model, pair[0].case.dtype) == (case.model, case.dtype)]
        chosen = alike or pairs
        return sum(took for _, took, _ in chosen) / sum(expected for *_, expected in chosen) if chosen else 1.0
