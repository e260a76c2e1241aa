"""From a request to the settings of a run on this machine, and the machine's facts."""

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.errors import InputError
from bench.execute.client import ServerError, WorkerClient
from bench.pipelines import diffusers_api
from bench.pipelines.source import local_folder
from bench.pipelines.tiny import has_tiny_model, resolve
from bench.plan.case import Case
from bench.plan.check import COMPONENT, PIPELINE
from bench.plan.paths import folder_of
from bench.plan.settings import RunSettings
from bench.present import torch_builds
from bench.records.cards import hidden_by
from bench.records.torch_builds import wrong_build
from bench.session.devices import machine_cards
from bench.session.progress import Notices
from bench.session.request import AUTO, POLICIES, RunRequest, SizeChoice


def settings_for(
    client: WorkerClient, cases: Sequence[Case], request: RunRequest, notices: Notices | None
) -> tuple[RunSettings, dict[str, Any]]:
    """Return the settings that measure these cases as requested, and the machine's facts.

    Notices are warned of a GPU that is left unused; None leaves that to the caller.

    Raises:
        InputError: this machine cannot do what was requested, or two options contradict each other.
    """
    if request.processes > 1 and request.processes % 2:
        option = request.option("processes")
        raise InputError(f"{option}: passes alternate between forward and backward; give 1 or an even number")
    _check_weights(cases, request)
    machine = ask(client, request.option("device"), {"op": "probe", "device": request.device_kind})
    if notices is not None and request.device == AUTO and machine["device"] == "cpu":
        _warn_of_unused_gpu(machine, client.python, request, notices)
    settings = _settings(request, machine["device"])
    if settings.weights == "auto" and any(resolve(case, settings.size)[1] == SizeChoice.FULL for case in cases):
        settings = replace(settings, hub_reachable=ask(client, "the hub", {"op": "hub"}))
    return settings, machine


def ask(client: WorkerClient, subject: str, question: dict[str, Any]) -> Any:
    """Return a worker's answer; raise `InputError` with the subject and the reason if there is none."""
    try:
        return client.ask(question)
    except ServerError as error:
        raise InputError(f"{subject}: {error}") from error


def _warn_of_unused_gpu(machine: Mapping[str, Any], python: str, request: RunRequest, notices: Notices) -> None:
    cards = machine_cards()
    found = wrong_build(machine, cards, os.environ, platform.machine())
    hidden = hidden_by(cards.cards, os.environ, machine["torch_build"])
    if found is not None:
        notices.warn(torch_builds.unused_gpu(found, python, f"{request.option_prefix}device cpu"))
    elif hidden is not None:
        notices.say(torch_builds.hidden_gpu(hidden))


def measures_tiny(cases: Sequence[Case], settings: RunSettings) -> bool:
    """Return whether any of these cases is measured as its tiny model."""
    return any(resolve(case, settings.size)[1] == SizeChoice.TINY for case in cases)


def _check_weights(cases: Sequence[Case], request: RunRequest) -> None:
    """Refuse weights that contradict what the results would say of them."""
    weights, option = request.weights, request.option("weights")
    if weights in POLICIES and weights != "hub":
        return
    if request.size == SizeChoice.TINY:
        raise InputError(f"{request.option('size')} {option}: tiny models have random weights; drop one of the two")
    if weights == "hub":
        return
    folder = Path(weights).expanduser()
    if not folder.is_dir():
        raise InputError(f"{option}: is not a folder; give auto, hub, random, or a folder of saved pipelines")
    models = {case.model for case in cases if has_tiny_model(case.model) or folder_of(case.model) is None}
    if (folder / "model_index.json").is_file() and len(models) > 1:
        raise InputError(
            f"{option}: is one pipeline, but the plan has {len(models)} models ({', '.join(sorted(models))}); choose "
            "the cases of one model (--only, or -k in pytest), or give a folder with one subfolder per model"
        )
    for fault in _folder_faults(cases, weights):
        raise InputError(f"{option}: {fault}")


def _folder_faults(cases: Sequence[Case], weights: str) -> Iterator[str]:
    """Yield why what is in a folder of saved models cannot be loaded; a case whose model it lacks fails on its own."""
    for case in cases:
        folder = _in_folder(case.model, weights, PIPELINE)
        if folder is not None:
            saved, expected = diffusers_api.pipeline_class(str(folder)), diffusers_api.pipeline_class(case.model)
            fault = diffusers_api.model_fault(replace(case, model=str(folder)))
            if fault is not None:
                yield fault.message
            elif case.pipeline is None and expected is not None and saved != expected:
                yield f"'{folder}' is a {saved}, but {case.model} is a {expected}; give a folder of that class"
        for name in filter(None, (case.vae, *case.components.values())):
            component = _in_folder(name, weights, COMPONENT)
            if component is not None and (fault := diffusers_api.component_fault(component)) is not None:
                yield fault.message


def _in_folder(name: str, weights: str, marker: str) -> Path | None:
    """Return the folder that has a model in `--weights DIR`; None if that lacks it, or it is a folder itself."""
    try:
        found = local_folder(name, weights, marker)
    except FileNotFoundError:
        return None
    return None if found == folder_of(name) else found


def _settings(request: RunRequest, device: str) -> RunSettings:
    size, weights = request.size, request.weights
    if size == SizeChoice.AUTO:
        size = SizeChoice.TINY if device == "cpu" and weights in {"auto", "random"} else SizeChoice.FULL
    return RunSettings(
        device=device,
        size=str(size),
        weights=weights if weights in POLICIES else str(Path(weights).expanduser().absolute()),
        threads=request.threads,
        samples=request.samples,
        processes=request.processes,
        trace=request.trace,
        memory_trace=request.memory_trace,
        diagnose=request.diagnose,
        timeout_s=request.timeout_s,
    )
