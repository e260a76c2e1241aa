#!/usr/bin/env python3
"""Measure how often `trend` finds a change: `make validate-trend`. It searches with the code of `bench trend`.

First in level series whose nights resemble the nights before them (AR(1)), where every change is a false alarm. Then in
series with a step, after so many good nights. Prints Markdown; each rate has its exact 95 % interval.
"""

import argparse
import random
from math import exp, sqrt

from scipy.stats import binomtest

from bench.analyze.trend import change_points

CORRELATIONS = (0.0, 0.3, 0.6, 0.9)
LEVEL = ((20, 0.01), (60, 0.01), (20, 0.02), (60, 0.02))
STEPS = ((20, 3, 0.05, 0.005), (20, 3, 0.03, 0.01), (20, 6, 0.03, 0.01), (12, 8, 0.06, 0.01), (20, 20, 0.03, 0.01))
"""Nights before and after, the step, and the spread of a night."""


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=1000, help="series per figure")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)  # noqa: S311 - noise, not a secret
    print(f"Level series in which a change was found; {arguments.series} per figure:\n")
    print(f"| nights | spread | {' | '.join(f'correlation {each}' for each in CORRELATIONS)} |")
    print(f"| ---: | ---: |{' ---: |' * len(CORRELATIONS)}")
    for count, spread in LEVEL:
        shares = [level(count, each, spread, arguments.series, chance) for each in CORRELATIONS]
        print(f"| {count} | {spread:.0%} | {' | '.join(shares)} |", flush=True)
    print("\nSeries with a step that was found:\n\n| good nights | then | slower by | spread | found |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for before, after, step, spread in STEPS:
        found = stepped(before, after, step, spread, arguments.series, chance)
        print(f"| {before} | {after} | {step:.0%} | {spread:.1%} | {found} |", flush=True)


def level(count: int, correlation: float, spread: float, series: int, chance: random.Random) -> str:
    """Return the share of level series in which there is a change."""
    found = sum(bool(change_points(nights(count, correlation, spread, chance))) for _ in range(series))
    return rate(found, series)


def stepped(before: int, after: int, step: float, spread: float, series: int, chance: random.Random) -> str:
    """Return the share of series in which a step is found, at most two nights from where it is."""
    hits = 0
    for _ in range(series):
        values = nights(before + after, 0.0, spread, chance)
        slower = [value * (1 + step * (night >= before)) for night, value in enumerate(values)]
        hits += any(abs(change.at - before) <= 2 for change in change_points(slower))  # noqa: PLR2004 - nights
    return rate(hits, series)


def nights(count: int, correlation: float, spread: float, chance: random.Random) -> list[float]:
    """Return latencies around 1 s, each like the one before by this correlation."""
    deviation, values = chance.gauss(0, spread), []
    for _ in range(count):
        values.append(exp(deviation))
        deviation = correlation * deviation + chance.gauss(0, spread) * sqrt(1 - correlation**2)
    return values


def rate(hits: int, of: int) -> str:
    """Return a share in percent with its exact 95 % interval."""
    interval = binomtest(hits, of).proportion_ci(method="exact")
    return f"{100 * hits / of:.3g} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


if __name__ == "__main__":
    main()
