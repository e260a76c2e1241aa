"""Build the folder of a run from few words, through the store and without torch: milliseconds, not seconds.

    folder = make_folder(tmp_path, [case("baseline"), case("fp16")], [measured("baseline", 2.0), measured("fp16", 1.0)])

Tests import it as `analyze.make`: pytest puts the folder of tests/conftest.py on the path.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.analyze.results import results
from bench.analyze.run import Run, open_run
from bench.analyze.side import Side, open_side
from bench.plan.case import Case, Plan, ScenarioInfo
from bench.records.store import Store

SCENARIO, BASELINE = "sd", "baseline"
A100 = "NVIDIA A100-SXM4-80GB"
H200 = "NVIDIA H200"
SOURCE = {"document": "diffusers docs, optimization/fp16", "device": "NVIDIA A100"}
FACTS = {
    "device": "cuda", "device_name": A100, "driver": "580.65.06", "cuda": "12.8", "torch": "2.9.0",
    "diffusers": "0.42.0", "transformers": "5.10.0", "accelerate": "1.10.0", "python": "3.11.7",
}  # fmt: skip

Outcome = tuple[dict[str, Any], list[dict[str, Any]]]


def case(name: str = BASELINE, *, scenario: str = SCENARIO, baseline: str | None = BASELINE, **settings: Any) -> Case:
    """Return a case; its baseline is named within its scenario."""
    base = f"{scenario}/{baseline}" if baseline else None
    return Case(scenario=scenario, name=name, model="stable-diffusion-v1-5", baseline=base, **settings)


def measured(
    name: str, latency_s: float | Sequence[float], *, device_time_s: float | None = None, **facts: Any
) -> Outcome:
    """Return the row and samples of a case that was measured; one latency stands for six equal samples."""
    latencies = [latency_s] * 6 if isinstance(latency_s, (int, float)) else latency_s
    row = _row(name, {"status": "ok", "size": "full", "weights": "random", "images": 1, **facts})
    key = {column: row[column] for column in ("scenario", "case", "process")}
    timings = [{"latency_s": latency, "device_time_s": device_time_s} for latency in latencies]
    return row, [{**key, "index": index, **timing} for index, timing in enumerate(timings)]


def replicated(name: str, medians_s: Iterable[float], **facts: Any) -> list[Outcome]:
    """Return a process for each median, as rounds of `--processes` leave them."""
    return [measured(name, seconds, process=number, **facts) for number, seconds in enumerate(medians_s)]


def ended(name: str, status: str, reason: str = "", **facts: Any) -> Outcome:
    """Return the row of a case that has no samples."""
    return _row(name, {"status": status, "reason": reason, "size": "full", "images": 1, **facts}), []


def make_folder(
    folder: Path,
    cases: Iterable[Case],
    outcomes: Iterable[Outcome] = (),
    *,
    device_name: str = A100,
    source: Mapping[str, Any] = SOURCE,
    title: str = "Speed up inference",
    **facts: str | None,
) -> Path:
    """Write what a run with these outcomes leaves behind, and return its folder."""
    cases = tuple(cases)
    scenarios = dict.fromkeys(case.scenario for case in cases)
    plan = Plan(tuple(ScenarioInfo(scenario, title, dict(source)) for scenario in scenarios), cases)
    store = Store(folder)
    store.open(plan.to_json(), {**FACTS, "device_name": device_name, **facts}, resume=False)
    for process, samples in outcomes:
        store.append(process, samples)
    store.close()
    return folder


def make_side(folder: Path, outcomes: Sequence[Outcome], **options: Any) -> Side:
    """Write a run of the cases that the outcomes are of, and open it as a side of a comparison."""
    names = dict.fromkeys(row["case"] for row, _ in outcomes)
    return open_side(make_folder(folder, [case(name) for name in names], outcomes, **options))


def make_run(folder: Path, cases: Iterable[Case], outcomes: Iterable[Outcome] = (), **options: Any) -> Run:
    """Write a run and open it again."""
    return open_run(make_folder(folder, cases, outcomes, **options))


def make_rows(folder: Path, cases: Iterable[Case], outcomes: Iterable[Outcome] = (), **options: Any) -> dict[str, Any]:
    """Write a run and return the rows that are derived from it, by the case's name."""
    table = results(make_run(folder, cases, outcomes, **options))
    return {row["case"]: row for _, row in table.iterrows()}


def _row(name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {"scenario": SCENARIO, "case": name, "process": 0, **facts}
