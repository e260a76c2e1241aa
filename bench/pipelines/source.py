"""Where a pipeline's weights come from: a local folder, the hub's cache, the hub, or random values.

Weights are read from safetensors only and no remote code is run. `auto` takes the cache, then the hub, then random
weights, but random ones only where the hub cannot be reached: a model that is gated or does not exist is an error.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.pipelines import architectures, weights
from bench.pipelines.architectures import Autoencoder, Model
from bench.pipelines.errors import UnsupportedError, raised_in
from bench.plan.case import Case
from bench.plan.settings import RunSettings

SAFE = {"use_safetensors": True, "trust_remote_code": False}


@dataclass(frozen=True)
class Origin:
    """What a row says of its weights: `random`, `hub` or `folder`, the id or path, and the revision on the hub."""

    weights: str
    name: str
    revision: str | None = None


def pipeline(case: Case, size: str, run: RunSettings, home: Any) -> tuple[Any, Origin]:
    """Load or make the pipeline of a case, its components on `home` where they are made here.

    Raises:
        UnsupportedError: random weights were asked for a model without published facts.
        OSError: the weights are not to be had (diffusers' own message).
    """
    facts = architectures.find_model(case.model)
    if size == "tiny" and facts is not None and facts.twin is not None:
        return _random_pipeline(case, architectures.twin(facts.twin), run, home), Origin("random", facts.twin)
    folder = local_folder(case.model, run.weights, "model_index.json")
    if folder is not None:
        return _load_pipeline(case, str(folder), local_files_only=True), Origin("folder", str(folder))
    name = hub_id(facts, case.model)
    loaded = _from_hub(run, name, lambda **kwargs: _load_pipeline(case, name, **kwargs))
    if loaded is not None:
        return loaded, Origin("hub", name, case.load.get("revision") or cached_commit(name))
    if facts is None:
        raise UnsupportedError(
            f"no published facts of '{name}' to build random weights from; the hub or a folder has it"
        )
    return _random_pipeline(case, facts, run, home), Origin("random", facts.name)


def autoencoder(case: Case, size: str, run: RunSettings, home: Any) -> tuple[Any, Origin]:
    """Load or make the autoencoder that a case names, on `home`.

    Raises:
        UnsupportedError: random weights were asked for an autoencoder without published facts.
        OSError: the weights are not to be had (diffusers' own message).
    """
    import torch

    dtype = getattr(torch, case.dtype)
    wanted = str(case.vae)
    facts = architectures.find_autoencoder(wanted)
    if size == "tiny" and facts is not None:
        twin = architectures.component(facts.twin)
        return weights.build(twin, dtype, home, run.device), Origin("random", facts.twin)
    folder = local_folder(wanted, run.weights, "config.json")
    if folder is not None:
        loaded = load_autoencoder(str(folder), dtype, local_files_only=True)
        return loaded.to(home), Origin("folder", str(folder))
    name = hub_id(facts, wanted)
    loaded = _from_hub(run, name, lambda **kwargs: load_autoencoder(name, dtype, **kwargs))
    if loaded is not None:
        return loaded.to(home), Origin("hub", name, cached_commit(name))
    if facts is None:
        raise UnsupportedError(
            f"no published facts of '{name}' to build random weights from; the hub or a folder has it"
        )
    return weights.build(architectures.component(facts.component), dtype, home, run.device), Origin(
        "random", facts.name
    )


def local_folder(name: str, policy: str, marker: str) -> Path | None:
    """Return the folder a model is loaded from, if it is one itself or `--weights DIR` holds it; None otherwise.

    In `DIR` a model lies under its hub id, under the id's last part, or is the folder itself.

    Raises:
        FileNotFoundError: `DIR` was given and has not got the model.
    """
    if (Path(name).expanduser() / marker).is_file():
        return Path(name).expanduser()
    if policy in {"auto", "hub", "random"}:
        return None
    root = Path(policy).expanduser()
    facts = architectures.find_model(name) or architectures.find_autoencoder(name)
    names = [name, *(facts.hub if facts else ()), *([facts.name] if facts else ())]
    candidates: list[Path] = [root / part for known in names for part in (known, known.rsplit("/", 1)[-1])]
    if marker == "model_index.json":
        candidates.append(root)
    for candidate in candidates:
        if (candidate / marker).is_file():
            return candidate
    raise FileNotFoundError(f"{root} holds no '{name}': looked for {marker} in {', '.join(map(str, candidates))}")


def _from_hub(run: RunSettings, name: str, load: Callable[..., Any]) -> Any:
    """Load from the hub's cache, then from the hub; None where random weights are to be made instead."""
    if run.weights == "random":
        return None
    online = run.hub_reachable or run.weights == "hub"
    if cached_commit(name) is not None:
        try:
            return load(local_files_only=True)
        except OSError as error:
            print(f"the copy of {name} in the hub's cache cannot be loaded: {error}")  # noqa: T201 - to the case's log
    return load(local_files_only=False) if online else None


def hub_id(facts: Model | Autoencoder | None, name: str) -> str:
    """Return the hub id of a model or an autoencoder; what has no published facts is named by its own."""
    return facts.hub[0] if facts else name


def cached_commit(name: str, revision: str | None = None) -> str | None:
    """Return the commit of the hub's snapshot that the cache holds at least a part of; None where there is none."""
    from huggingface_hub import try_to_load_from_cache

    for marker in ("model_index.json", "config.json"):
        path = try_to_load_from_cache(name, marker, revision=revision)
        if isinstance(path, str):
            return Path(path).parent.name
    return None


def _load_pipeline(case: Case, name: str, **where: Any) -> Any:
    import torch
    from diffusers import DiffusionPipeline

    checker = {} if case.safety_checker else without_safety_checker(name, **where)
    load = {**SAFE, **case.load, **checker, **where}
    try:
        return DiffusionPipeline.from_pretrained(name, dtype=getattr(torch, case.dtype), **load)
    except NotImplementedError as error:
        if "device_map" not in case.load or not raised_in(error, "diffusers"):
            raise
        raise UnsupportedError(f"load: diffusers refuses: {error}") from error


def without_safety_checker(name: str, **where: Any) -> dict[str, Any]:
    """Leave the safety checker out of those pipelines that have one: it would run a second model in every call."""
    from diffusers import DiffusionPipeline

    config = DiffusionPipeline.load_config(name, **where)
    return {"safety_checker": None, "requires_safety_checker": False} if "safety_checker" in config else {}


def load_autoencoder(name: str, dtype: Any, **where: Any) -> Any:
    """Load an autoencoder from a folder, the hub's cache or the hub; raise OSError where it is not to be had."""
    from diffusers import AutoModel

    return AutoModel.from_pretrained(name, dtype=dtype, **SAFE, **where)


def _random_pipeline(case: Case, facts: Model, run: RunSettings, home: Any) -> Any:
    """Make a pipeline of random components; go through `from_pretrained` where the case has arguments for it."""
    import diffusers
    import torch

    if case.safety_checker:
        raise UnsupportedError("the safety checker needs its own weights; use --weights hub, or leave it off")
    dtype = getattr(torch, case.dtype)
    components = {name: architectures.component(of) for name, of in facts.components.items()}
    parts = {name: weights.build(component, dtype, home, run.device) for name, component in components.items()}
    built = getattr(diffusers, facts.pipeline)(**parts, **dict.fromkeys(facts.absent), **facts.init)
    return _reload(case, built) if case.load else built


def _reload(case: Case, built: Any) -> Any:
    """Save and load: `load:` means something to `from_pretrained` only, so that is what it goes through."""
    variant = case.load.get("variant")
    with tempfile.TemporaryDirectory(prefix="diffusion-bench-") as folder:
        built.save_pretrained(folder, safe_serialization=True, variant=variant)
        return _load_pipeline(case, folder, local_files_only=True)
