"""What `run` and the pytest plugin share: from what was asked for to the settings of a run on this machine."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.execute.client import WorkerClient
    from bench.plan.case import Case
    from bench.plan.settings import RunSettings

POLICIES = ("auto", "hub", "random")


class DeviceChoice(StrEnum):
    """What `--device` takes."""

    AUTO = "auto"
    CUDA = "cuda"
    CPU = "cpu"
    MPS = "mps"
    XPU = "xpu"


class SizeChoice(StrEnum):
    """What `--size` takes."""

    AUTO = "auto"
    FULL = "full"
    TINY = "tiny"


def settle(
    server: "WorkerClient", cases: "Sequence[Case]", device: str, size: str, weights: str, *, prefix: str = "--"
) -> tuple["RunSettings", dict[str, Any]]:
    """Return the settings that measure these cases as was asked, and the machine's facts.

    Args:
        server: to ask what only torch can tell.
        cases: of the plan.
        device: a `DeviceChoice`.
        size: a `SizeChoice`.
        weights: one of `POLICIES`, or a folder.
        prefix: of the options' names, for errors.

    Raises:
        InputError: what was asked for cannot be had here, or makes no sense.
    """
    from bench.pipelines.tiny import resolve

    _check_weights(cases, size, weights, prefix)
    machine = ask(server, f"{prefix}device {device}", {"op": "probe", "device": device})
    settings = _settings(machine, size, weights)
    if weights == "auto" and any(resolve(case, settings.size)[1] == SizeChoice.FULL for case in cases):
        settings = replace(settings, hub_reachable=ask(server, "the hub", {"op": "hub"}))
    return settings, machine


def ask(server: "WorkerClient", subject: str, question: dict[str, Any]) -> Any:
    """Return the server's answer; raise `InputError` with the subject and the reason where there is none."""
    from bench.execute.client import ServerError

    try:
        return server.ask(question)
    except ServerError as error:
        raise InputError(f"{subject}: {error}") from error


def _check_weights(cases: "Sequence[Case]", size: str, weights: str, prefix: str) -> None:
    """Refuse weights that cannot be what the rows would say."""
    from bench.pipelines.tiny import has_tiny_model

    if weights in POLICIES and weights != "hub":
        return
    asked = f"{prefix}weights {weights}"
    if size == SizeChoice.TINY:
        raise InputError(f"{prefix}size tiny {asked}: toy twins have random weights; leave one of the two out")
    if weights == "hub":
        return
    folder = Path(weights).expanduser()
    if not folder.is_dir():
        raise InputError(f"{asked}: is no folder; give auto, hub, random, or a folder of saved pipelines")
    models = {case.model for case in cases if has_tiny_model(case.model) or not Path(case.model).is_dir()}
    if (folder / "model_index.json").is_file() and len(models) > 1:
        raise InputError(
            f"{asked}: is one pipeline, the plan has {len(models)} models ({', '.join(sorted(models))}); "
            "choose cases of one (--only, in pytest -k), or put each model in a folder of its own below one"
        )


def _settings(machine: dict[str, Any], size: str, weights: str) -> "RunSettings":
    from bench.plan.settings import RunSettings

    if size == SizeChoice.AUTO:
        toy = machine["device"] == "cpu" and weights in {"auto", "random"}
        size = SizeChoice.TINY if toy else SizeChoice.FULL
    kept = weights if weights in POLICIES else str(Path(weights).expanduser().absolute())
    return RunSettings(device=machine["device"], size=str(size), weights=kept)
