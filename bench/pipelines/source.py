"""Where a pipeline's weights come from: a local folder, the hub's cache, the hub, or random values.

Weights are read from safetensors only, and remote code is never run. `auto` tries the cache, then the hub, then random
weights, but random ones only if the hub cannot be reached: a gated or nonexistent model is an error.
"""

import gc
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.pipelines import architectures, weights
from bench.pipelines.architectures import Model
from bench.pipelines.errors import UnsupportedError, raised_in
from bench.plan.case import Case
from bench.plan.paths import folder_of
from bench.plan.reserved import RESERVED_LOAD
from bench.plan.settings import RunSettings

SAFE = {"use_safetensors": True, "trust_remote_code": False}
"""Arguments of `from_pretrained` that a case cannot change."""
WITHOUT_CHECKER = {"safety_checker": None, "requires_safety_checker": False}


@dataclass(frozen=True)
class Origin:
    """What a row says about its weights: `random`, `hub` or `folder`; the id or path; the revision on the hub."""

    weights: str
    name: str
    revision: str | None = None


def pipeline(case: Case, size: str, run: RunSettings, home: Any) -> tuple[Any, Origin]:
    """Load or make the pipeline of a case; components that are made here are made on `home`.

    Raises:
        UnsupportedError: random weights are needed for a model without published facts.
        OSError: the weights cannot be loaded (diffusers' own message).
    """
    facts = architectures.find_model(case.model)
    if size == "tiny" and facts is not None and facts.tiny is not None:
        return _random_pipeline(case, architectures.tiny_model(facts.tiny), run, home), Origin("random", facts.tiny)
    load, revision = partial(_load_pipeline, case), case.load.get("revision")
    saved = _saved(case.model, "model_index.json", run, load, revision)
    if saved is not None:
        return saved
    if facts is None:
        raise _no_facts(case.model)
    return _random_pipeline(case, facts, run, home), Origin("random", facts.name)


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
        saved = _saved(name, "config.json", run, partial(load_autoencoder, dtype=dtype))
        if saved is not None:
            return saved[0].to(home), saved[1]
    if facts is None:
        raise _no_facts(name)
    component, origin = (facts.tiny, facts.tiny) if size == "tiny" else (facts.component, facts.name)
    return weights.build(architectures.component(component), dtype, home, run.device), Origin("random", origin)


def _saved(
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


def _no_facts(name: str) -> UnsupportedError:
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


def cached_commit(name: str, revision: str | None = None) -> str | None:
    """Return the commit of the snapshot that is at least partly in the hub's cache; None if there is none."""
    from huggingface_hub import try_to_load_from_cache

    for marker in ("model_index.json", "config.json"):
        path = try_to_load_from_cache(name, marker, revision=revision)
        if isinstance(path, str):
            return Path(path).parent.name
    return None


def _load_pipeline(case: Case, name: str, **where: Any) -> Any:
    import diffusers
    import torch

    forbidden = sorted(set(case.load).intersection(RESERVED_LOAD))
    if forbidden:  # no plan has it, because each was checked; this process builds on nothing else
        raise ValueError(f"load: '{forbidden[0]}' cannot be set; {RESERVED_LOAD[forbidden[0]]}")
    checker = {} if case.safety_checker else without_safety_checker(name, **where)
    load = {**case.load, **checker, **where, **SAFE}
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


def load_autoencoder(name: str, dtype: Any, **where: Any) -> Any:
    """Load an autoencoder from a folder, the hub's cache or the hub; raise OSError if that is not possible."""
    from diffusers import AutoModel

    return AutoModel.from_pretrained(name, dtype=dtype, **SAFE, **where)


def _random_pipeline(case: Case, facts: Model, run: RunSettings, home: Any) -> Any:
    """Make a pipeline of random components; go through `from_pretrained` if the case has arguments for it."""
    import diffusers
    import torch

    if case.safety_checker:
        raise UnsupportedError("the safety checker needs trained weights; use --weights hub, or turn it off")
    dtype = getattr(torch, case.dtype)
    components = {name: architectures.component(of) for name, of in facts.components.items()}
    parts = {name: weights.build(component, dtype, home, run.device) for name, component in components.items()}
    cls = getattr(diffusers, case.pipeline or facts.pipeline)
    built = cls(**parts, **dict.fromkeys(facts.absent), **facts.init)
    if not case.load:
        return built
    # Only `from_pretrained` understands the arguments under `load:`.
    with tempfile.TemporaryDirectory(prefix="diffusion-bench-") as folder:
        built.save_pretrained(folder, safe_serialization=True, variant=case.load.get("variant"))
        del built, parts  # else the weights would be in memory twice
        gc.collect()
        return _load_pipeline(case, folder, local_files_only=True)
