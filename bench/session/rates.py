"""What the device of a run can do at best: measured once, before the first case that will be compared with it."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.execute.client import ServerError, WorkerClient
from bench.pipelines.tiny import resolve
from bench.plan.case import Case
from bench.plan.settings import RunSettings
from bench.records.environment import RATES
from bench.session.live import LiveRun
from bench.session.progress import Notices
from bench.session.request import SizeChoice


def measure_rates(client: WorkerClient, live: LiveRun, cases: Sequence[Case], notices: Notices) -> None:
    """Measure the rates of the device and keep them in the run's environment, unless no case needs them.

    A run goes on without them, for example where another program left too little memory.
    """
    if RATES in live.environment:
        return
    try:
        rates = rates_for(client, cases, live.settings)
    except ServerError as error:
        notices.warn(f"there will be no roofline, because the rates of this device are unknown: {error}")
    else:
        if rates is not None:
            live.describe(**{RATES: rates})


def rates_for(client: WorkerClient, cases: Sequence[Case], settings: RunSettings) -> Mapping[str, Any] | None:
    """Measure the rates of the device; None if no case needs them. Raises `ServerError` if that is not possible."""
    if not any(_is_diagnosed(case, settings) for case in cases):
        return None
    types = _matrix_types(cases, settings.device)
    rates: Mapping[str, Any] = client.ask({"op": "rates", "run": settings.to_json(), "types": types})
    return rates


def _is_diagnosed(case: Case, settings: RunSettings) -> bool:
    if settings.diagnose is None:  # of a tiny model it says nothing
        return resolve(case, settings.size)[1] == SizeChoice.FULL
    return settings.diagnose


def _matrix_types(cases: Sequence[Case], device: str) -> list[str]:
    autocast = {"float16"} if any("autocast" in case.optimizations for case in cases) else set()
    tf32 = {"tf32"} if device == "cuda" else set()
    return sorted({"float32", *(case.dtype for case in cases), *autocast, *tf32})
