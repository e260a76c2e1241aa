"""Where a pipeline's weights come from: a local folder, the hub's cache, the hub, or random values.

Weights are read from safetensors only, and remote code is never run. `auto` tries the cache, then the hub, then random
weights, but random ones only if the hub cannot be reached: a gated or nonexistent model is an error.
"""

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench import scratch
from bench.pipelines import architectures, weights
from bench.pipelines.architectures import Component, Model
from bench.pipelines.errors import UnsupportedError, raised_in
from bench.plan.case import Case
from bench.plan.paths import folder_of
from bench.plan.reserved import RESERVED_LOAD
from bench.plan.settings import RunSettings
from bench.units import memory

ONLY_SAFETENSORS = {"use_safetensors": True}
"""Files of this kind cannot execute anything."""
SAFE = {**ONLY_SAFETENSORS, "trust_remote_code": False}
"""Arguments of `from_pretrained` that a case cannot change."""
WITHOUT_CHECKER = {"safety_checker": None, "requires_safety_checker": False}


@dataclass(frozen=True)
class Origin:
    """What a row says about its weights: `random`, `hub` or `folder`; the id or path; the revision on the hub."""

    weights: str
    name: str
    revision: str | None = None


def check(case: Case, size: str, run: RunSettings) -> None:
    """Check that weights can be had, as far as that is known before they are loaded or made.

    Raises:
        UnsupportedError: random weights are needed, but cannot be made.
        FileNotFoundError: the folder of saved pipelines lacks the model or its autoencoder.
    """
    facts = architectures.find_model(case.model)
    tiny = size == "tiny" and facts is not None and facts.tiny is not None
    if tiny or will_be_random(case.model, "model_index.json", run, case.load.get("revision")):
        if facts is None:
            raise no_facts(case.model)
        _refuse_safety_checker(case)
    if case.vae is None:
        return
    made_here = architectures.find_autoencoder(case.vae) is not None
    if not (size == "tiny" and made_here) and will_be_random(case.vae, "config.json", run) and not made_here:
        raise no_facts(case.vae)


def will_be_random(name: str, marker: str, run: RunSettings, revision: str | None = None) -> bool:
    """Return whether there is nothing to load weights from."""
    if local_folder(name, run.weights, marker) is not None:
        return False
    if run.weights == "random":
        return True
    return not run.hub_reachable and run.weights != "hub" and cached_commit(hub_id(name), revision) is None


def _refuse_safety_checker(case: Case) -> None:
    if case.safety_checker:
        raise UnsupportedError("the safety checker needs trained weights; use --weights hub, or turn it off")


def pipeline(
    case: Case, size: str, run: RunSettings, home: Any, given: Mapping[str, Any] | None = None
) -> tuple[Any, Origin]:
    """Load or make the pipeline of a case; components that are made here are made on `home`.

    Args:
        case: as `tiny.resolve` returns it.
        size: `full` or `tiny`.
        run: the settings of the run.
        home: the torch device of what is made here.
        given: components that are loaded already, by role.

    Raises:
        UnsupportedError: random weights are needed for a model without published facts.
        OSError: the weights cannot be loaded (diffusers' own message).
    """
    facts = architectures.find_model(case.model)
    if size == "tiny" and facts is not None and facts.tiny is not None:
        return _random_pipeline(case, architectures.tiny_model(facts.tiny), run, home, {}), Origin("random", facts.tiny)
    given = given or {}
    load, revision = partial(_load_pipeline, case, given), case.load.get("revision")
    found = saved(case.model, "model_index.json", run, load, revision)
    if found is not None:
        return found
    if facts is None:
        raise no_facts(case.model)
    return _random_pipeline(case, facts, run, home, given), Origin("random", facts.name)


def autoencoder(case: Case, size: str, run: RunSettings, home: Any) -> tuple[Any, Origin]:
    """Load or make the autoencoder that a case names, on `home`.

    Raises:
        UnsupportedError: random weights are needed for an autoencoder without published facts.
        OSError: the weights cannot be loaded (diffusers' own message).
    """
    import torch

    dtype, name = getattr(torch, case.dtype), str(case.vae)
    facts = architectures.find_autoencoder(name)
    if size == "full" or facts is None:
        found = saved(name, "config.json", run, partial(load_component, dtype=dtype))
        if found is not None:
            return found[0].to(home), found[1]
    if facts is None:
        raise no_facts(name)
    component, origin = (facts.tiny, facts.tiny) if size == "tiny" else (facts.component, facts.name)
    return weights.build(architectures.component(component), dtype, home, run.device), Origin("random", origin)


def saved(
    name: str, marker: str, run: RunSettings, load: Callable[..., Any], revision: str | None = None
) -> tuple[Any, Origin] | None:
    """Load from a folder, the hub's cache or the hub; return None if random weights must be made instead."""
    folder = local_folder(name, run.weights, marker)
    if folder is not None:
        return load(str(folder), local_files_only=True), Origin("folder", str(folder))
    if run.weights == "random":
        return None
    hub, loaded = hub_id(name), None
    if cached_commit(hub) is not None:
        try:
            loaded = load(hub, local_files_only=True)
        except OSError as error:
            print(f"the copy of {hub} in the hub's cache cannot be loaded: {error}")  # noqa: T201 - to the case's log
    if loaded is None and (run.hub_reachable or run.weights == "hub"):
        loaded = load(hub, local_files_only=False)
    return None if loaded is None else (loaded, Origin("hub", hub, revision or cached_commit(hub)))


def no_facts(name: str) -> UnsupportedError:
    remedy = "use --weights hub, or a folder that contains it"
    return UnsupportedError(f"there are no published facts about '{name}' to make random weights from; {remedy}")


def local_folder(name: str, policy: str, marker: str) -> Path | None:
    """Return the folder that a model is loaded from: the model itself, or one in `--weights DIR`; else None.

    In `DIR`, a model is at its hub id, at the last part of that id, or the folder itself.

    Raises:
        FileNotFoundError: `DIR` was given and does not contain the model.
    """
    own = folder_of(name)
    if own is not None and (own / marker).is_file():
        return own
    if policy in {"auto", "hub", "random"}:
        return None
    root = Path(policy).expanduser()
    facts = architectures.find(name)
    names = [name, *(facts.hub if facts else ()), *([facts.name] if facts else ())]
    candidates: list[Path] = [root / part for known in names for part in (known, known.rsplit("/", 1)[-1])]
    if marker == "model_index.json":
        candidates.append(root)
    for candidate in candidates:
        if (candidate / marker).is_file():
            return candidate
    tried = ", ".join(map(str, candidates))
    raise FileNotFoundError(f"{root} does not contain '{name}': there is no {marker} in any of {tried}")


def hub_id(name: str) -> str:
    """Return the hub id of a model or an autoencoder; without published facts its name is the id."""
    facts = architectures.find(name)
    return facts.hub[0] if facts else name


def cached_commit(name: str, revision: str | None = None, file: str | None = None) -> str | None:
    """Return the commit of the snapshot that is at least partly in the hub's cache; None if there is none.

    Args:
        name: a hub id.
        revision: a commit, branch or tag; None is the main branch.
        file: the one that must be there; None is the description of a pipeline or a component.
    """
    from huggingface_hub import try_to_load_from_cache

    for marker in (file,) if file else ("model_index.json", "config.json"):
        path = try_to_load_from_cache(name, marker, revision=revision)
        if isinstance(path, str):
            return Path(path).parts[Path(path).parts.index("snapshots") + 1]
    return None


def _load_pipeline(case: Case, given: Mapping[str, Any], name: str, **where: Any) -> Any:
    import diffusers
    import torch

    forbidden = sorted(set(case.load).intersection(RESERVED_LOAD))
    if forbidden:  # no plan has it, because each was checked; this process builds on nothing else
        raise ValueError(f"load: '{forbidden[0]}' cannot be set; {RESERVED_LOAD[forbidden[0]]}")
    checker = {} if case.safety_checker else without_safety_checker(name, **where)
    load = {**case.load, **given, **checker, **where, **SAFE}
    try:
        cls = getattr(diffusers, case.pipeline or "DiffusionPipeline")
        return cls.from_pretrained(name, dtype=getattr(torch, case.dtype), **load)
    except NotImplementedError as error:
        if "device_map" not in case.load or not raised_in(error, "diffusers"):
            raise
        raise UnsupportedError(f"load: rejected by diffusers: {error}") from error


def without_safety_checker(name: str, **where: Any) -> dict[str, Any]:
    """Return the arguments that leave the safety checker out: it would run a second model in every call."""
    from diffusers import DiffusionPipeline

    config = DiffusionPipeline.load_config(name, **where)
    return WITHOUT_CHECKER if "safety_checker" in config else {}


def load_component(name: str, dtype: Any, **where: Any) -> Any:
    """Load a component from a folder, the hub's cache or the hub; raise OSError if that is not possible."""
    from diffusers import AutoModel

    return AutoModel.from_pretrained(name, dtype=dtype, **SAFE, **where)


def _random_pipeline(case: Case, facts: Model, run: RunSettings, home: Any, given: Mapping[str, Any]) -> Any:
    """Make a pipeline of random components; go through `from_pretrained` if the case has arguments for it."""
    _refuse_safety_checker(case)
    if not case.load:
        return _made(case, facts, run, home, given)
    # Only `from_pretrained` understands the arguments under `load:`.
    scratch.remove_abandoned()
    with scratch.temporary_folder() as folder:
        _require_room(folder, _weights_bytes(case, facts))
        _made(case, facts, run, home, given).save_pretrained(
            folder, safe_serialization=True, variant=case.load.get("variant")
        )
        gc.collect()  # else the weights would be in memory twice
        return _load_pipeline(case, {}, str(folder), local_files_only=True)


def _made(case: Case, facts: Model, run: RunSettings, home: Any, given: Mapping[str, Any]) -> Any:
    import diffusers
    import torch

    dtype = getattr(torch, case.dtype)
    made = {name: component for name, component in _components(facts).items() if name not in given}
    parts = {name: weights.build(component, dtype, home, run.device) for name, component in made.items()}
    cls = getattr(diffusers, case.pipeline or facts.pipeline)
    return cls(**parts, **given, **dict.fromkeys(facts.absent), **facts.init)


def _components(facts: Model) -> dict[str, Component]:
    return {name: architectures.component(of) for name, of in facts.components.items()}


def _weights_bytes(case: Case, facts: Model) -> int:
    import torch

    parameters = sum(component.parameters or 0 for component in _components(facts).values())
    return parameters * int(getattr(torch, case.dtype).itemsize)


def _require_room(folder: Path, needed_bytes: int) -> None:
    """Raise `UnsupportedError` if weights do not fit below a folder; one in memory has to leave room to load them."""
    in_memory = scratch.is_in_memory(folder)
    room = scratch.room_bytes(folder) - (needed_bytes if in_memory else 0)
    if room >= needed_bytes:
        return
    why = ", which is in memory and must leave room to load them," if in_memory else ""
    raise UnsupportedError(
        f"load: random weights of {memory(needed_bytes)} pass through {folder.parent}{why} where "
        f"{memory(needed_bytes - room)} are missing; set TMPDIR to a folder with more room"
    )
