"""What `list` and `run` share: from the scenarios named on the command line to a checked plan."""

from collections.abc import Callable, Sequence

import typer

from bench.pipelines.diffusers_api import vocabulary
from bench.plan import load
from bench.plan.case import Plan


def load_plan(scenarios: Sequence[str], compatible: Callable[[str], list[str]]) -> Plan:
    """Load and check the named scenarios, all of scenarios/ where none is named; raise `InputError`."""
    return load.load(load.find(scenarios), vocabulary(), compatible)


def choose_cases(plan: Plan, only: Sequence[str]) -> tuple[Plan, list[str]]:
    """Keep what `--only` names and say which baselines were added; raise `InputError` for a pattern without a match."""
    chosen, added = load.choose(plan, only)
    for baseline in added:
        typer.echo(f"--only: added the baseline {baseline}, speed-ups are against it", err=True)
    return chosen, added
