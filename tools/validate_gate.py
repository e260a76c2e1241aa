#!/usr/bin/env python3
"""Measure how often the gate's verdicts are right: `make validate-gate`. It judges with the code of `bench gate`.

First with simulated processes: medians of six calls with 0.4 % noise, of which 2 % are outliers, a spread between
processes, a drift of 2 % over the gate, and in some rows one process that is 20 % slower. Equal sides give the rate of
false alarms, slow-downs of 1 to 10 % the rate of detection. Then with peaks of memory that vary between processes: in
gates of 86 cases without a change, and in cases with 64 MiB more. Then with real tiny pipelines and two interpreters,
of which one makes the pipeline's call longer, or holds on to memory.

Prints Markdown; each rate has its exact 95 % interval (Clopper and Pearson 1934).
"""

import argparse
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from math import exp, log
from pathlib import Path
from statistics import fmean

from scipy.stats import binomtest

from bench.analyze.comparison import EXTENDED, pair_up
from bench.analyze.gate import THRESHOLD, GateVerdict, Judged, judge, judge_in_two_looks
from bench.analyze.run import open_run
from bench.analyze.side import Side, of_run
from bench.records.case_result import CaseResult, Statistics, Versions
from bench.records.models import ProcessRecord, Settings
from bench.records.outcomes import PeakKind, Status
from bench.statistics import median
from bench.units import GIB, MIB

SLOW_DOWNS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.10)
SPREADS = (0.005, 0.010)
NOISE, OUTLIERS, OUTLIER = 0.004, 0.02, 0.10
DRIFT = 0.02
CALLS = 6
BAD, BAD_SLOW_DOWNS = 0.20, (0.0, 0.02, 0.03, 0.05)
FIRST_PROCESSES = 24
"""The bad process is one of the first 24, those of twelve blocks; it may be on either side."""
CASES = 86
LEAKED_BYTES, WORKSPACE = 64 * MIB, 256 * MIB
KEY = "simulated/case"
VERDICTS = (GateVerdict.PASSED, GateVerdict.REGRESSED, GateVerdict.INCONCLUSIVE)
MEAN_LIMIT = 1.05
"""pytest-benchmark's `--benchmark-compare-fail=mean:5%`, applied to one process per side."""


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulated", type=int, default=1000, help="gates per row")
    parser.add_argument("--real", type=int, default=20, help="gated cases with equal sides; half as many per slow-down")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    simulated(arguments.simulated, random.Random(arguments.seed))  # noqa: S311 - noise, not a secret
    if arguments.real:
        real(arguments.real)


@dataclass(frozen=True)
class Peaks:
    """How the peak memory of a process varies."""

    name: str
    kind: PeakKind
    draw: Callable[[random.Random], float]  # bytes


def workspace(share: float) -> Peaks:
    """Return exact peaks of tensors, to which this share of the processes adds the workspace of an algorithm."""
    name = f"tensors, and {WORKSPACE // MIB} MiB of workspace in {share:.0%} of processes"
    return Peaks(name, PeakKind.ALLOCATED, lambda chance: 10 * GIB + WORKSPACE * (chance.random() < share))


EXACT = Peaks("tensors, the same in every process", PeakKind.ALLOCATED, lambda _: 10 * GIB)
RESIDENT = Peaks(
    "resident size, 2.5 % apart", PeakKind.RSS_GROWTH, lambda chance: 4 * GIB * exp(chance.gauss(0, 0.025))
)
TWO_SIZES = Peaks("resident size, one of two 80 MiB apart", PeakKind.RSS_GROWTH,
                  lambda chance: 4 * GIB + 80 * MIB * chance.getrandbits(1))  # fmt: skip
PEAKS = (EXACT, workspace(0.02), workspace(0.05), workspace(0.20), RESIDENT, TWO_SIZES)


def simulated(gates: int, chance: random.Random) -> None:
    """Gate simulated processes and print the rate of each verdict."""
    print(f"### Simulated: {gates} gates per row, up to {EXTENDED} blocks of pairs, threshold {THRESHOLD:.0%}\n")
    head("spread between processes")
    for spread in SPREADS:
        for slower in SLOW_DOWNS:
            verdicts = [simulate(slower, spread, chance) for _ in range(gates)]
            row(f"{spread:.1%}", f"{slower:+.0%}", verdicts)
        for slower in BAD_SLOW_DOWNS:
            bad = [simulate(slower, spread, chance, bad=chance.randrange(FIRST_PROCESSES)) for _ in range(gates)]
            row(f"{spread:.1%}, one bad process", f"{slower:+.0%}", bad)
    print()
    memory(gates, chance)


def memory(gates: int, chance: random.Random) -> None:
    """Print how often memory that only varies is a regression, in gates of many cases, and memory that grew in one."""
    print(f"### Simulated memory: {gates} gates of {CASES} cases per row; {LEAKED_BYTES // MIB} MiB more in one case\n")
    print("| peaks | unchanged: any case regressed | grown case: regressed |\n| --- | ---: | ---: |")
    for peaks in PEAKS:
        grown = [simulate(0, SPREADS[0], chance, peaks, LEAKED_BYTES) for _ in range(gates)]
        alarms = sum(
            any(simulate(0, SPREADS[0], chance, peaks) is GateVerdict.REGRESSED for _ in range(CASES))
            for _ in range(gates)
        )
        found = rate(grown.count(GateVerdict.REGRESSED), gates)
        print(f"| {peaks.name} | {rate(alarms, gates)} | {found} |", flush=True)
    print()


def simulate(
    slower: float, spread: float, chance: random.Random, peaks: Peaks = EXACT, leaked: float = 0, bad: int = -1
) -> GateVerdict:
    """Return the verdict of one simulated gate of one case; `bad` is the place in time of a slow process."""
    medians: tuple[dict[int, float], dict[int, float]] = ({}, {})
    memory: tuple[dict[int, float], dict[int, float]] = ({}, {})

    def measure(_keys: Collection[str] | None, numbers: range) -> list[Judged]:
        for number in numbers:
            for turn, new in enumerate((False, True) if number % 2 == 0 else (True, False)):
                place = 2 * number + turn
                level = (1 + DRIFT * place / (2 * EXTENDED)) * (1 + slower * new) * (1 + BAD * (place == bad))
                medians[new][number] = level * process_median(spread, chance)
                memory[new][number] = peaks.draw(chance) + leaked * new
        sides = [side(*each) for each in zip(("base", "new"), medians, memory, repeat(peaks.kind))]
        return judge(pair_up(*sides, passes_are_pairs=True))

    return judge_in_two_looks(measure)[0].verdict


def process_median(spread: float, chance: random.Random) -> float:
    """Return the median latency of one process whose true latency is 1 s."""
    level = exp(chance.gauss(0, spread))
    calls = [level * exp(chance.gauss(0, NOISE)) * (1 + OUTLIER * (chance.random() < OUTLIERS)) for _ in range(CALLS)]
    return median(calls)


def side(name: str, medians: dict[int, float], peaks: dict[int, float], kind: PeakKind) -> Side:
    """Return a side with one case, as a run would have it."""
    scenario, case = KEY.split("/")
    figures = Statistics(
        processes=len(medians),
        latency_median_s=geometric_mean(medians),
        process_medians_s=medians,
        process_peaks_bytes=peaks,
        process_peaks_kind=kind,
    )
    versions, settings = Versions(device_name="simulated"), Settings(size="full")
    result = CaseResult(scenario, case, Status.OK, settings=settings, versions=versions, statistics=figures)
    return Side(name, Path(name), {KEY: result})


def geometric_mean(medians: dict[int, float]) -> float:
    """Return the center that a result with these process medians has."""
    return exp(fmean(log(each) for each in medians.values()))


SLOWER = '''\
"""Make the pipeline's call longer by a share of itself, and hold on to memory."""
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
    """The verdicts of one real gate, and for each pair of its processes the ratio of their mean latencies."""

    verdicts: list[GateVerdict]
    mean_ratios: list[float]


def real(cases: int) -> None:
    """Gate real tiny pipelines; print the rate of each verdict, and that of a rule that compares single means."""
    print(f"### Real: tiny pipelines on this CPU, up to {EXTENDED} blocks of pairs, threshold {THRESHOLD:.0%}\n")
    head("what")
    alarms: list[tuple[str, Sequence[float]]] = []
    for share, leaked, number in [(0.0, 0, cases), *((share, 0, cases // 2) for share in (0.05, 0.10)),
                                  (0.0, LEAKED_BYTES, cases // 2)]:  # fmt: skip
        gated = gate(share, leaked, number)
        injected = "+64 MiB" if leaked else f"{share:+.0%}"
        row("tiny pipeline", injected, gated.verdicts)
        alarms.append((injected, gated.mean_ratios))
    print("\nThe same processes, one per side, judged by `mean:5%` (pytest-benchmark's rule):\n")
    for injected, ratios in alarms[:-1]:
        print(f"- {injected}: {rate(sum(ratio > MEAN_LIMIT for ratio in ratios), len(ratios))} called a regression")


def gate(share: float, leaked: int, cases: int) -> Gated:
    """Gate this environment against itself, with a call that is longer by `share` and holds `leaked` bytes."""
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
        judged = judge(pair_up(base, head_side, passes_are_pairs=True))
        return Gated([each.verdict for each in judged], mean_ratios(*sides))


def slower_python(folder: Path, share: float, leaked: int) -> Path:
    """Write a script that runs this interpreter with a slower pipeline that holds on to memory."""
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
    """Return the ratio of the mean latencies of every pair of processes."""
    sides = [
        {(each.key, each.process): each for each in open_run(path).processes if each.samples} for path in (base, new)
    ]
    return [mean(sides[1][pair]) / mean(sides[0][pair]) for pair in sides[0].keys() & sides[1].keys()]


def mean(process: ProcessRecord) -> float:
    """Return the mean latency of a process in seconds."""
    return fmean(sample.latency_s for sample in process.samples)


def head(first: str) -> None:
    """Print the head of a table of verdicts."""
    print(f"| {first} | injected | n | {' | '.join(VERDICTS)} |\n| --- | ---: | ---: | ---: | ---: | ---: |")


def row(what: str, injected: str, verdicts: Iterable[GateVerdict]) -> None:
    """Print one row: the rate of each verdict."""
    counts = Counter(verdicts)
    total = counts.total()
    rates = " | ".join(rate(counts[verdict], total) for verdict in VERDICTS)
    print(f"| {what} | {injected} | {total} | {rates} |", flush=True)


def rate(hits: int, of: int) -> str:
    """Return a share in percent with its exact 95 % interval."""
    interval = binomtest(hits, of).proportion_ci(method="exact")
    return f"{hits / of:.1%} [{interval.low:.1%}, {interval.high:.1%}]"


if __name__ == "__main__":
    main()
