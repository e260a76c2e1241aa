#!/usr/bin/env python3
"""Measure how often the 95 % interval of one process holds the true median: `make validate-intervals`.

Each line simulates processes whose calls follow one model of noise and are sampled by the harness's own rules: warm-up,
optional stopping, comparison of the halves. Textbooks assume independent calls. In an AR(1) process calls resemble
their neighbors, as measured calls do (rank correlations of 0.27 to 0.82 on a busy CPU). Clock states persist: a process
can spend all of its samples in a state that is not its usual one, and nothing in them shows it.

Prints Markdown: the share of the intervals shown that hold the true median, with its exact 95 % interval (Clopper and
Pearson 1934), the share of processes that have an interval, its median half-width, and the mean number of samples. The
second table says how often a stationary process is called never warm, and a process that still changes is.
"""

import argparse
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from math import exp, sqrt
from statistics import NormalDist, fmean

from scipy.stats import binomtest

from bench.measure.clock import Timing
from bench.measure.sampling import Rules, Sampled, take_samples, warm_up
from bench.statistics import median, median_interval

Calls = Callable[[random.Random], Iterator[float]]
"""Makes the latencies of one process, without end."""

JITTER, STATES_APART = 0.004, 0.03


def gauss(spread: float) -> Calls:
    return lambda chance: (1 + chance.gauss(0, spread) for _ in count())


def skewed(chance: random.Random) -> Iterator[float]:
    """Lognormal, with a long tail of slow calls."""
    return (1 + 0.01 * (chance.lognormvariate(0, 0.8) - 1) for _ in count())


def heavy_tails(chance: random.Random) -> Iterator[float]:
    """Student's t with two degrees of freedom, whose variance is infinite, on the logarithmic scale."""
    return (exp(JITTER * chance.gauss(0, 1) / sqrt(chance.expovariate(1))) for _ in count())


def states(slow: float, stay: float) -> Calls:
    """Return calls of two clock states, of which the slow one is drawn this often; `stay` keeps the last state."""

    def calls(chance: random.Random) -> Iterator[float]:
        state = chance.random() < slow
        while True:
            yield 1 + STATES_APART * state + chance.gauss(0, JITTER)
            if chance.random() >= stay:
                state = chance.random() < slow

    return calls


def median_of_states(slow: float) -> float:
    """Return the median of two clock states, by bisection."""
    below = NormalDist(0, JITTER).cdf
    low, high = 0.9, 1.1
    for _ in range(60):
        middle = (low + high) / 2
        share = (1 - slow) * below(middle - 1) + slow * below(middle - 1 - STATES_APART)
        low, high = (middle, high) if share < 0.5 else (low, middle)  # noqa: PLR2004 - a median
    return low


def autoregressive(correlation: float, spread: float) -> Calls:
    """Return calls of a stationary AR(1) process with this standard deviation."""

    def calls(chance: random.Random) -> Iterator[float]:
        value = chance.gauss(0, spread)
        while True:
            yield 1 + value
            value = correlation * value + chance.gauss(0, spread * sqrt(1 - correlation**2))

    return calls


def changing(noise: float, change: Callable[[int], float]) -> Calls:
    """Return noisy calls whose latency depends on their number."""
    return lambda chance: (1 + change(number) + chance.gauss(0, noise) for number in count())


MODELS: dict[str, tuple[Calls, float]] = {
    **{f"Gauss, sd {100 * sd:g} %": (gauss(sd), 1.0) for sd in (0.002, 0.004, 0.01, 0.02, 0.05)},
    "lognormal, sigma 0.8": (skewed, 1.0),
    "Student's t, 2 degrees of freedom": (heavy_tails, 1.0),
    **{
        f"two states 3 % apart, {100 * slow:g} % slow, {what}": (states(slow, stay), median_of_states(slow))
        for slow, stay, what in (
            (0.45, 0.0, "independent"),
            (0.30, 0.0, "independent"),
            (0.30, 0.5, "kept with 0.5"),
            (0.30, 0.9, "kept with 0.9"),
        )
    },
    **{
        f"AR(1) {correlation}, sd {100 * sd:g} %": (autoregressive(correlation, sd), 1.0)
        for correlation in (0.3, 0.5, 0.8, 0.95)
        for sd in (0.004, 0.01, 0.03)
    },
}
"""What the calls do -> how to make them, and their true median."""

STATIONARY = {f"Gauss, sd {100 * sd:g} %": gauss(sd) for sd in (0.01, 0.02, 0.05)}
CHANGING = {
    "3 % faster in every triple, noise 0.4 %": changing(0.004, lambda number: -0.01 * number),
    "3 % faster after every triple, noise 0.4 %": changing(0.004, lambda number: -0.03 * (number // 3)),
    "at first 20 % slower, halved by every 10 calls, noise 0.4 %": changing(
        0.004, lambda number: 0.2 / 2 ** (number / 10)
    ),
}


@dataclass(frozen=True)
class Coverage:
    """How often the interval of one model's processes is right, and what it costs."""

    held: int
    shown: int
    processes: int
    half_width: float
    samples: float

    def __str__(self) -> str:
        exact = binomtest(self.held, self.shown).proportion_ci(method="exact")
        return (
            f"{self.held / self.shown:.1%} [{exact.low:.1%}, {exact.high:.1%}] | {self.shown / self.processes:.1%} | "
            f"{self.half_width:.2%} | {self.samples:.0f}"
        )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=4000, help="simulated per line")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)  # noqa: S311 - noise, not a secret
    print(f"{arguments.processes} processes per line, seed {arguments.seed}\n")
    print("| calls | holds the median | has an interval | half-width | samples |\n| --- | ---: | ---: | ---: | ---: |")
    for name, (calls, truth) in MODELS.items():
        print(f"| {name} | {coverage(calls, truth, arguments.processes, chance)} |", flush=True)
    print("\n| calls | never warm, calls of 9 s | of 7 s | of 1 s |\n| --- | ---: | ---: | ---: |")
    for name, calls in (STATIONARY | CHANGING).items():
        shares = [never_warm(calls, arguments.processes, chance, seconds) for seconds in (9.0, 7.0, 1.0)]
        print(f"| {name} | {' | '.join(f'{share:.1%}' for share in shares)} |", flush=True)


def coverage(calls: Calls, truth: float, processes: int, chance: random.Random) -> Coverage:
    """Sample processes and compare their intervals with the true median."""
    sampled = [sample(calls(chance)) for _ in range(processes)]
    shown = [interval for each in sampled if (interval := median_interval(each.latencies)) is not None]
    return Coverage(
        held=sum(interval.low <= truth <= interval.high for interval in shown),
        shown=len(shown),
        processes=processes,
        half_width=median([(interval.high - interval.low) / 2 for interval in shown]),
        samples=fmean(len(each.samples) for each in sampled),
    )


def sample(latencies: Iterator[float]) -> Sampled:
    """Warm up and take samples as a worker does."""
    return take_samples(lambda: Timing(next(latencies), None), Rules())


def never_warm(calls: Calls, processes: int, chance: random.Random, call_s: float) -> float:
    """Return the share of processes that reach a limit of warm-up, with calls of about so many seconds."""
    return 1 - fmean(warms_up(calls(chance), call_s) for _ in range(processes))


def warms_up(latencies: Iterator[float], call_s: float) -> bool:
    """Return whether warm-up ends before a limit."""
    return warm_up(lambda: Timing(call_s * next(latencies), None), Rules())[1]


if __name__ == "__main__":
    main()
