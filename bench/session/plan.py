"""From the scenarios of a request to a checked plan, and the folder that its run goes to by default."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.plan.case import Plan

if TYPE_CHECKING:
    from bench.session.progress import Notices
    from bench.session.request import RunRequest

RESULTS = Path("results")


def plan_for(
    request: "RunRequest", compatible: Callable[[str], list[str]], notices: "Notices", *, baselines: bool = True
) -> Plan:
    """Return the plan of a request.

    Args:
        request: whose plan, or scenarios and patterns, are taken.
        compatible: returns the schedulers that are compatible with a model.
        notices: hear which baselines were added.
        baselines: whether to add the baselines that the speed-ups of the chosen cases need.

    Raises:
        InputError: a scenario has a fault, or a pattern matches nothing.
    """
    from bench.pipelines.diffusers_api import vocabulary
    from bench.plan.load import choose, find, load

    if request.plan is not None:
        return request.plan
    plan, added = choose(load(find(request.scenarios), vocabulary(), compatible), request.only)
    if not baselines:
        return replace(plan, cases=tuple(case for case in plan.cases if case.key not in added))
    for baseline in added:
        notices.warn(f"--only: also running {baseline}, the baseline for speed-ups")
    return plan


def new_folder(*words: str) -> Path:
    """Return a folder in `results/` that is named after the time and these words."""
    return RESULTS / "-".join([f"{datetime.now(UTC):%Y%m%d-%H%M%S}", *words])
