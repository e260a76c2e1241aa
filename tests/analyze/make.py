"""Build the folder of a run from a few words, through the store and without torch: milliseconds, not seconds.

    folder = make_folder(tmp_path, [case("baseline"), case("fp16")], [measured("baseline", 2.0), measured("fp16", 1.0)])

Tests import it as `analyze.make`: pytest puts the folder of tests/conftest.py on the path.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.analyze.results import results
from bench.analyze.run import Run, open_run
from bench.analyze.side import Side, of_run
from bench.plan.case import Case, Plan, ScenarioInfo
from bench.plan.settings import RunSettings
from bench.records.case_result import CaseResult
from bench.records.columns import from_flat
from bench.records.models import ProcessRecord, Sample
from bench.records.store import Store

SCENARIO, BASELINE = "sd", "baseline"
A100 = "NVIDIA A100-SXM4-80GB"
H200 = "NVIDIA H200"
SOURCE = {"document": "diffusers docs, optimization/fp16", "device": "NVIDIA A100"}
FACTS = {
    "device": "cuda", "device_name": A100, "driver": "580.65.06", "cuda": "12.8", "torch": "2.9.0",
    "diffusers": "0.42.0", "transformers": "5.10.0", "accelerate": "1.10.0", "python": "3.11.7",
}  # fmt: skip


def case(name: str = BASELINE, *, scenario: str = SCENARIO, baseline: str | None = BASELINE, **settings: Any) -> Case:
    """Return a case; its baseline is named within its scenario."""
    base = f"{scenario}/{baseline}" if baseline else None
    return Case(scenario=scenario, name=name, model="stable-diffusion-v1-5", baseline=base, **settings)


def measured(
    name: str, latency_s: float | Sequence[float], *, device_time_s: float | None = None, **columns: Any
) -> ProcessRecord:
    """Return the record of a process that measured a case; one latency stands for six equal samples."""
    latencies = [latency_s] * 6 if isinstance(latency_s, (int, float)) else latency_s
    samples = tuple(Sample(latency, device_time_s) for latency in latencies)
    return _record(name, {"status": "ok", "weights": "random", "steady": True, **columns}, samples)


def in_passes(name: str, medians_s: Iterable[float], **columns: Any) -> list[ProcessRecord]:
    """Return one record for each median, as the passes of `--processes` leave them."""
    return [measured(name, seconds, process=number, **columns) for number, seconds in enumerate(medians_s)]


def ended(name: str, status: str, reason: str = "", **columns: Any) -> ProcessRecord:
    """Return the record of a process without samples."""
    return _record(name, {"status": status, "reason": reason, **columns}, ())


def result(name: str = BASELINE, **columns: Any) -> CaseResult:
    """Return the result of a case that was measured on an A100 unless the columns say otherwise."""
    known = {"scenario": SCENARIO, "case": name, "status": "ok", "size": "full", "device_name": A100}
    return from_flat(CaseResult, {**known, **columns})


def make_folder(
    folder: Path,
    cases: Iterable[Case],
    records: Iterable[ProcessRecord] = (),
    *,
    device_name: str | None = A100,
    source: Mapping[str, Any] = SOURCE,
    title: str = "Speed up inference",
    **facts: Any,
) -> Path:
    """Write what a run with these records leaves behind, and return its folder."""
    cases = tuple(cases)
    scenarios = dict.fromkeys(case.scenario for case in cases)
    plan = Plan(tuple(ScenarioInfo(scenario, title, dict(source)) for scenario in scenarios), cases)
    store = Store(folder)
    stored = {**plan.to_json(), "run": RunSettings("cuda", "full").to_json()}
    store.open(stored, {**FACTS, "device_name": device_name, **facts}, resume=False)
    for record in records:
        store.append(record)
    store.close()
    return folder


def make_run(folder: Path, cases: Iterable[Case], records: Iterable[ProcessRecord] = (), **options: Any) -> Run:
    """Write a run and open it again."""
    return open_run(make_folder(folder, cases, records, **options))


def make_run_in_memory(
    folder: Path, cases: Iterable[Case], records: Iterable[ProcessRecord] = (), *,
    device_name: str | None = A100, source: Mapping[str, Any] = SOURCE, title: str = "Speed up inference",
) -> Run:  # fmt: skip
    """Return a run that was never stored, for names that a plan on file may not have, such as those of a result CSV."""
    cases = tuple(cases)
    infos = (ScenarioInfo(scenario, title, dict(source)) for scenario in dict.fromkeys(case.scenario for case in cases))
    return Run(folder, Plan(tuple(infos), cases), {**FACTS, "device_name": device_name}, tuple(records))


def make_results(
    folder: Path, cases: Iterable[Case], records: Iterable[ProcessRecord] = (), **options: Any
) -> dict[str, CaseResult]:
    """Write a run and return the results that are derived from it, by the case's name."""
    return {result.case: result for result in results(make_run(folder, cases, records, **options))}


def make_side(folder: Path, records: Sequence[ProcessRecord], **options: Any) -> Side:
    """Write a run of the cases that the records are of, and open it as a side of a comparison."""
    names = dict.fromkeys(record.case for record in records)
    return of_run(make_run(folder, [case(name) for name in names], records, **options))


def _record(name: str, columns: Mapping[str, Any], samples: tuple[Sample, ...]) -> ProcessRecord:
    known = {"scenario": SCENARIO, "case": name, "process": 0, "size": "full", "images": 1}
    return from_flat(ProcessRecord, {**known, **columns}, samples=samples)
