#!/usr/bin/env python3
"""Show that the gate's verdicts hold: `make validate-gate`. The same code judges as in `bench gate`.

Simulated processes: medians of six calls with 0.4 % noise and 2 % of them outliers, a spread from process to process,
and a drift of 2 % over the gate. The same thing on both sides gives the rate of false alarms; a slow-down of 1 to 10 %
and 64 MiB more give the rate of detection. Then the real thing, on tiny pipelines: two interpreters, one of them this
very environment with the pipeline's call made longer, or with a tensor that it holds on to.

Rates have their exact 95 % interval (Clopper and Pearson 1934). Prints Markdown.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from bench.analyze.comparison import pair_up
from bench.analyze.gate import EXTENDED, THRESHOLD, Judged, Verdict, judge, settle
from bench.analyze.run import open_run
from bench.analyze.side import Side, of_run
from bench.records import schema
from bench.statistics import median
from bench.units import GIB, MIB

SLOW_DOWNS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.10)
SPREADS = (0.005, 0.010)
NOISE, OUTLIERS, OUTLIER = 0.004, 0.02, 0.10
DRIFT = 0.02
CALLS = 6
LEAKED_BYTES = 64 * MIB
KEY = "simulated/case"
VERDICTS = (Verdict.PASSED, Verdict.REGRESSED, Verdict.INCONCLUSIVE)
MEAN_LIMIT = 1.05
"""pytest-benchmark's `--benchmark-compare-fail=mean:5%`: one process a side, its mean."""


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulated", type=int, default=400, help="gates a row")
    parser.add_argument("--real", type=int, default=20, help="gated cases of the same thing; half as many a slow-down")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    simulated(arguments.simulated, random.Random(arguments.seed))  # noqa: S311 - noise, no secret
    if arguments.real:
        real(arguments.real)


def simulated(gates: int, chance: random.Random) -> None:
    """Gate simulated processes and print how often which verdict came out."""
    print(f"### Simulated: {gates} gates a row, up to {EXTENDED} blocks of pairs, threshold {THRESHOLD:.0%}\n")
    head("spread between processes")
    for spread in SPREADS:
        for slower in SLOW_DOWNS:
            verdicts = [simulate(slower, spread, 0, chance) for _ in range(gates)]
            row(f"{spread:.1%}", f"{slower:+.0%}", verdicts)
        row(f"{spread:.1%}", "+64 MiB", [simulate(0, spread, LEAKED_BYTES, chance) for _ in range(gates)])
    print()


def simulate(slower: float, spread: float, leaked: float, chance: random.Random) -> Verdict:
    """Return the verdict on one simulated gate."""
    base: dict[int, float] = {}
    new: dict[int, float] = {}

    def measure(_keys: Collection[str] | None, numbers: range) -> list[Judged]:
        for number in numbers:
            for turn, medians in enumerate((base, new) if number % 2 == 0 else (new, base)):
                drift = 1 + DRIFT * (2 * number + turn) / (2 * EXTENDED)
                medians[number] = drift * (1 + slower if medians is new else 1) * process_median(spread, chance)
        sides = side("base", base, 10 * GIB), side("new", new, 10 * GIB + leaked)
        return judge(pair_up(*sides, rounds_are_pairs=True))

    return settle(measure)[0].verdict


def process_median(spread: float, chance: random.Random) -> float:
    """Return the median latency of one process whose true latency is 1 s."""
    level = exp(chance.gauss(0, spread))
    calls = [level * exp(chance.gauss(0, NOISE)) * (1 + OUTLIER * (chance.random() < OUTLIERS)) for _ in range(CALLS)]
    return median(calls)


def side(name: str, medians: dict[int, float], peak: float) -> Side:
    """Return a side with one case, as a run of its own would have it."""
    told = {"status": "ok", "device_name": "simulated", "process_medians_s": json.dumps(medians)}
    row: dict[str, Any] = {**dict.fromkeys(schema.names(schema.RESULTS)), **told, "peak_allocated_bytes": peak}
    return Side(name, Path(name), {KEY: row})


SLOWER = '''\
"""Make the pipeline's call longer by a share of itself, and let it hold on to memory."""
import os
import functools, importlib.abc, importlib.machinery, sys, time

MODULE = "diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion"
SHARE, BYTES, HELD = float(os.environ["INJECT_SHARE"]), int(os.environ["INJECT_BYTES"]), []


def slower(call):
    @functools.wraps(call)
    def longer(*args, **kwargs):
        if BYTES and not HELD:
            HELD.append(bytearray(os.urandom(4096)) * (BYTES // 4096))
        start = time.perf_counter()
        result = call(*args, **kwargs)
        until = time.perf_counter() + SHARE * (time.perf_counter() - start)
        while time.perf_counter() < until:
            pass
        return result
    return longer


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            module.StableDiffusionPipeline.__call__ = slower(module.StableDiffusionPipeline.__call__)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Finder())
'''


@dataclass(frozen=True)
class Gated:
    """What came out of one real gate: the verdicts, and every pair of single processes of its samples' means."""

    verdicts: list[Verdict]
    mean_ratios: list[float]


def real(cases: int) -> None:
    """Gate real tiny pipelines and print how often which verdict came out, and what one process's mean would say."""
    print(f"### Real: tiny pipelines on this CPU, up to {EXTENDED} blocks of pairs, threshold {THRESHOLD:.0%}\n")
    head("what")
    alarms: list[tuple[str, Sequence[float]]] = []
    for share, leaked, number in [(0.0, 0, cases), *((share, 0, cases // 2) for share in (0.05, 0.10)),
                                  (0.0, LEAKED_BYTES, cases // 2)]:  # fmt: skip
        gated = gate(share, leaked, number)
        told = "+64 MiB" if leaked else f"{share:+.0%}"
        row("tiny pipeline", told, gated.verdicts)
        alarms.append((told, gated.mean_ratios))
    print("\nThe same processes, one a side, by `mean:5%` (pytest-benchmark's rule):\n")
    for told, ratios in alarms[:-1]:
        print(f"- {told}: {rate(sum(ratio > MEAN_LIMIT for ratio in ratios), len(ratios))} called a regression")


def gate(share: float, leaked: int, cases: int) -> Gated:
    """Gate this environment against itself, its call longer by `share` and holding `leaked` bytes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scenario = folder / "same.yaml"
        seeds = ", ".join(map(str, range(cases)))
        scenario.write_text(
            "title: the same on both sides\nmodel: stable-diffusion-v1-5\nscheduler: DDIMScheduler\n"
            f"call: {{prompt: a cat, num_inference_steps: 50}}\nmatrix: {{seed: [{seeds}]}}\n",
            encoding="utf-8",
        )
        pythons = ["--base-python", sys.executable, "--head-python", str(slower_python(folder, share, leaked))]
        command = [sys.executable, "-m", "bench", "gate", *pythons, str(scenario), "--output", str(folder / "gate")]
        done = subprocess.run(
            [*command, "--device", "cpu", "--size", "tiny"], capture_output=True, text=True, check=False
        )
        if done.returncode not in {0, 1, 3, 4}:
            sys.exit(done.stderr)
        sides = [folder / "gate" / which for which in ("base", "head")]
        base, head_side = (of_run(open_run(path)) for path in sides)
        judged = judge(pair_up(base, head_side, rounds_are_pairs=True))
        return Gated([each.verdict for each in judged], mean_ratios(*sides))


def slower_python(folder: Path, share: float, leaked: int) -> Path:
    """Write an interpreter that is this one, with a pipeline that takes longer and holds on to memory."""
    injected = folder / "injected"
    injected.mkdir()
    (injected / "sitecustomize.py").write_text(SLOWER, encoding="utf-8")
    script = folder / "python"
    script.write_text(
        f"#!/bin/sh\nexport INJECT_SHARE={share} INJECT_BYTES={leaked} PYTHONPATH='{injected}':\"$PYTHONPATH\"\n"
        f"exec '{sys.executable}' \"$@\"\n",
        encoding="utf-8",
    )
    script.chmod(0o755)
    return script


def mean_ratios(base: Path, new: Path) -> list[float]:
    """Return the ratio of the means of every pair of processes, round by round."""
    sides = [open_run(path).samples.groupby(["case", "process"])["latency_s"].mean() for path in (base, new)]
    return [float(ratio) for ratio in (sides[1] / sides[0]).dropna()]


def head(first: str) -> None:
    """Print the head of a table of verdicts."""
    print(f"| {first} | injected | n | {' | '.join(VERDICTS)} |\n| --- | ---: | ---: | ---: | ---: | ---: |")


def row(what: str, injected: str, verdicts: Iterable[Verdict]) -> None:
    """Print how often which verdict came out."""
    counts = Counter(verdicts)
    total = counts.total()
    told = " | ".join(rate(counts[verdict], total) for verdict in VERDICTS)
    print(f"| {what} | {injected} | {total} | {told} |", flush=True)


def rate(hits: int, of: int) -> str:
    """Return a share in per cent with its exact 95 % interval."""
    interval = binomtest(hits, of).proportion_ci(method="exact")
    return f"{hits / of:.1%} [{interval.low:.1%}, {interval.high:.1%}]"


if __name__ == "__main__":
    main()
