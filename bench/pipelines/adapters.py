"""Adapters that a case adds to its pipeline: LoRAs and an IP-Adapter, loaded or random, and seen to be in effect."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.pipelines import roles, source
from bench.pipelines.component_names import pipeline_class
from bench.pipelines.errors import NotInEffectError, UnsupportedError
from bench.pipelines.first_call import FirstCall
from bench.pipelines.roles import Role
from bench.pipelines.saved_adapters import USUAL_NAME, file_in
from bench.pipelines.source import ONLY_SAFETENSORS, Origin
from bench.plan.adapters import SUFFIX
from bench.plan.case import Case, JsonObject
from bench.plan.paths import folder_of
from bench.plan.settings import RunSettings

METHODS = {"lora": "load_lora_weights", "ip_adapter": "load_ip_adapter"}
TARGETS = ("to_q", "to_k", "to_v", "to_out.0")
"""The attention's projections, to which diffusers' training scripts add a LoRA."""
ALPHA_SHARE = 8
"""Random weights are applied with an eighth of their strength, because they are larger than trained ones."""


def check(case: Case, size: str, run: RunSettings) -> None:
    """Check the adapters of a case, as far as that is known before anything is loaded.

    Raises:
        UnsupportedError: the pipeline takes none, the model is a tiny one, or the weights cannot be had.
    """
    import diffusers

    wanted = _wanted(case)
    name = pipeline_class(case)
    for kind in {kind for kind, _ in wanted}:
        if name is not None and not hasattr(getattr(diffusers, name), METHODS[kind]):
            raise _no_such(kind, name)
    for kind, adapter in wanted:
        if kind == "ip_adapter" and size == "tiny":
            raise UnsupportedError("the tiny models take no IP-Adapter; use --size full")
        _origin(adapter, size, run)


def add(case: Case, size: str, run: RunSettings, pipeline: Any) -> dict[str, Any]:
    """Add the adapters of a case to a pipeline that is not placed yet; return what a row says about them.

    Raises:
        UnsupportedError: the pipeline takes no such adapter, or has no module to which it could be added.
        NotInEffectError: a LoRA was loaded or fused, and nothing of the pipeline has changed.
        OSError, ValueError: the weights cannot be loaded (diffusers' own message).
    """
    for kind in dict.fromkeys(kind for kind, _ in _wanted(case)):
        if not hasattr(pipeline, METHODS[kind]):
            raise _no_such(kind, type(pipeline).__name__)
    said: dict[str, Any] = {}
    if case.ip_adapter:
        origin, encoder = _add_ip_adapter(case, run, pipeline)
        said["ip_adapter"] = {**_said(case.ip_adapter, origin), **({"image_encoder_class": encoder} if encoder else {})}
    if case.lora:
        origins = [_add_lora(each, name_of(index), size, run, pipeline) for index, each in enumerate(case.lora)]
        _apply_loras(case, pipeline)
        said["lora"] = [_said(each, origin) for each, origin in zip(case.lora, origins, strict=True)]
    return said


def name_of(index: int) -> str:
    """Return what a pipeline calls the LoRA of a case at an index."""
    return f"lora_{index}"


def file_of(adapter: JsonObject) -> tuple[str, dict[str, str]]:
    """Return the hub id or folder of an adapter, and the keywords that name its file there."""
    path = str(adapter["path"])
    folder = folder_of(path)
    found = None if folder is None else folder if folder.suffix == SUFFIX else file_in(folder, adapter)
    if found is not None:
        return str(found.parent), {"weight_name": found.name}
    subfolder = {"subfolder": str(adapter["subfolder"])} if adapter.get("subfolder") else {}
    return path, {"weight_name": str(adapter.get("weight_name") or USUAL_NAME), **subfolder}


def revision_of(adapter: JsonObject) -> dict[str, str]:
    return {"revision": str(adapter["revision"])} if adapter.get("revision") else {}


def are_fused(case: Case) -> bool:
    """Return whether the LoRAs of a case are merged into the weights: all of them, or none."""
    return any(each["fused"] for each in case.lora)


def random_lora(adapter: JsonObject) -> dict[str, Any]:
    """Return the arguments of peft's `LoraConfig` for random weights."""
    rank = int(adapter["rank"])
    return {
        "r": rank,
        "lora_alpha": rank / ALPHA_SHARE,
        "init_lora_weights": False,
        "target_modules": list(adapter.get("targets") or TARGETS),
    }


def verify(case: Case, pipeline: Any, first_call: FirstCall) -> None:
    """Raise `NotInEffectError` if an adapter of the case has no effect."""
    if not are_fused(case):
        for index, adapter in enumerate(case.lora):
            if (found := _without_effect(pipeline, name_of(index), adapter)) is not None:
                raise NotInEffectError(_called("lora", adapter), found)
    if case.ip_adapter:
        processors = [type(each).__name__ for each in _processors(pipeline)]
        if not any("IPAdapter" in name for name in processors):
            raise NotInEffectError(_called("ip_adapter", case.ip_adapter), "attention that does not see it")
        if Role.IMAGE_ENCODER not in first_call.roles.values():
            raise NotInEffectError(_called("ip_adapter", case.ip_adapter), "no call of an image encoder")


def _wanted(case: Case) -> list[tuple[str, JsonObject]]:
    return [*(("lora", each) for each in case.lora), *([("ip_adapter", case.ip_adapter)] if case.ip_adapter else [])]


def _no_such(kind: str, pipeline: str) -> UnsupportedError:
    return UnsupportedError(f"{kind}: {pipeline} has no {METHODS[kind]}, so it takes none")


def _called(kind: str, adapter: JsonObject) -> str:
    return f"{kind} {adapter.get('path') or 'of rank'} {adapter.get('rank', '')}".rstrip()


def _said(adapter: JsonObject, origin: Origin) -> dict[str, Any]:
    found = {"weights": origin.weights, "name": origin.name, "revision": origin.revision}
    return {**adapter, **{key: value for key, value in found.items() if value is not None}}


def _origin(adapter: JsonObject, size: str, run: RunSettings) -> Origin:
    """Return where the weights of an adapter will come from; the revision is that in the cache, if it is there."""
    random = Origin("random", f"rank {adapter['rank']}") if adapter.get("rank") else None
    if adapter.get("path") is None or size == "tiny":
        if random is None:
            raise UnsupportedError(
                f"lora: {adapter['path']} does not fit a tiny model; use --size full, or add 'rank:'"
            )
        return random
    if folder_of(str(adapter["path"])) is not None:
        folder, name = file_of(adapter)
        return Origin("folder", str(Path(folder) / name["weight_name"]))
    commit = _cached(adapter) if run.weights in {"auto", "hub"} else None
    if commit is not None or run.weights == "hub" or (run.weights == "auto" and run.hub_reachable):
        return Origin("hub", str(adapter["path"]), commit)
    if random is None:
        raise UnsupportedError(
            f"the weights of {adapter['path']} cannot be had here; use --weights hub, or add 'rank:' for random ones"
        )
    return random


def _cached(adapter: JsonObject) -> str | None:
    """Return the commit of the copy of an adapter's file in the hub's cache; None if there is none."""
    name, where = file_of(adapter)
    return source.cached_commit(name, adapter.get("revision"), _path_of(where))


def _path_of(where: Mapping[str, str]) -> str:
    return "/".join(filter(None, [where.get("subfolder"), where["weight_name"]]))


def on_the_hub(case: Case) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield the files of a case's adapters on the hub, an image encoder's too: hub id, file and revision."""
    for kind, adapter in _wanted(case):
        if adapter.get("path") is not None and folder_of(str(adapter["path"])) is None:
            name, where = file_of(adapter)
            encoder = kind == "ip_adapter" and "image_encoder" not in case.components
            folder = image_encoder_of(case) if encoder else ""
            encoder_files = [f"{folder}/{file}" for file in ("config.json", "model.safetensors")] if encoder else []
            yield from ((name, file, revision_of(adapter)) for file in (_path_of(where), *encoder_files))


def _source(adapter: JsonObject, origin: Origin) -> dict[str, Any]:
    """Return the arguments that load an adapter from where it is; from the cache, if the hub's copy is there."""
    return {**revision_of(adapter), "local_files_only": origin.weights == "folder" or origin.revision is not None}


def _loaded(adapter: JsonObject, origin: Origin) -> Origin:
    """Return the origin of an adapter that was loaded, with the commit of what came from the hub."""
    return replace(origin, revision=_cached(adapter)) if origin.weights == "hub" else origin


def _add_lora(adapter: JsonObject, name: str, size: str, run: RunSettings, pipeline: Any) -> Origin:
    origin = _origin(adapter, size, run)
    if origin.weights == "random":
        _add_random(adapter, name, pipeline)
        return origin
    path, where = file_of(adapter)
    pipeline.load_lora_weights(path, adapter_name=name, **ONLY_SAFETENSORS, **where, **_source(adapter, origin))
    if not any(name in found for found in pipeline.get_list_adapters().values()):
        raise NotInEffectError(_called("lora", adapter), "none of its weights in the pipeline")
    return _loaded(adapter, origin)


def _add_random(adapter: JsonObject, name: str, pipeline: Any) -> None:
    import torch
    from peft import LoraConfig

    arguments = random_lora(adapter)
    denoisers = {role: part for role, part in roles.of(pipeline, Role.DENOISER).items() if hasattr(part, "add_adapter")}
    if not denoisers:
        raise UnsupportedError(f"lora: no denoiser of {type(pipeline).__name__} takes one")
    for role, denoiser in denoisers.items():
        suffixes = tuple(f".{target}" for target in arguments["target_modules"])
        if not any(f".{path}".endswith(suffixes) for path, _ in denoiser.named_modules()):
            wanted = ", ".join(arguments["target_modules"])
            raise UnsupportedError(f"lora: no module of the {role} is called {wanted}; name others as 'targets'")
        torch.manual_seed(0)
        denoiser.add_adapter(LoraConfig(**arguments), name)


def _apply_loras(case: Case, pipeline: Any) -> None:
    names = [name_of(index) for index in range(len(case.lora))]
    pipeline.set_adapters(names, adapter_weights=[each["weight"] for each in case.lora])
    if not are_fused(case):
        return
    before = _sums(pipeline)
    pipeline.fuse_lora(adapter_names=names)
    pipeline.unload_lora_weights()
    if _sums(pipeline) == before:
        raise NotInEffectError("lora, fused", "the weights as they were")


def _layers(pipeline: Any) -> Iterator[Any]:
    """Yield the layers of all components that have a LoRA beside them."""
    for part in roles.modules(pipeline).values():
        yield from (module for module in part.modules() if hasattr(module, "lora_A") and hasattr(module, "base_layer"))


def _sums(pipeline: Any) -> list[float]:
    """Return a number for each weight that a LoRA may change, in which nearly any change shows."""
    parts = roles.modules(pipeline).values()
    weights = [(name, value) for part in parts for name, value in part.named_parameters() if "lora_" not in name]
    return [float(value.detach().double().abs().sum()) for name, value in weights if name.endswith("weight")]


def _without_effect(pipeline: Any, name: str, adapter: JsonObject) -> str | None:
    """Return why a LoRA that is not fused changes nothing; None if it does."""
    own = [layer for layer in _layers(pipeline) if name in layer.lora_A]
    if not own:
        return "no layer with it"
    if not any(name in layer.active_adapters and not layer.disable_adapters for layer in own):
        return "no layer in which it is active"
    if adapter["weight"] and not any(layer.lora_B[name].weight.any() for layer in own):
        return "weights of zero"
    modules = (module for part in roles.modules(pipeline).values() for module in part.modules())
    fused = any(getattr(module, "fused_projections", False) for module in modules)
    return "fused projections, which leave it out" if fused else None


def _processors(pipeline: Any) -> Iterator[Any]:
    for denoiser in roles.of(pipeline, Role.DENOISER).values():
        yield from getattr(denoiser, "attn_processors", {}).values()


def image_encoder_of(case: Case) -> str:
    """Return the folder of an IP-Adapter's image encoder, within the folder or the repository of the adapter."""
    own = case.ip_adapter.get("image_encoder")
    return str(own) if own else "/".join(filter(None, [case.ip_adapter.get("subfolder"), "image_encoder"]))


def root_of(case: Case) -> str:
    """Return the folder or hub id in which an IP-Adapter and its image encoder are."""
    folder = folder_of(str(case.ip_adapter["path"]))
    return str(case.ip_adapter["path"] if folder is None else folder.parent if folder.suffix == SUFFIX else folder)


def _add_ip_adapter(case: Case, run: RunSettings, pipeline: Any) -> tuple[Origin, str | None]:
    """Load an IP-Adapter, and the encoder of its pictures where the pipeline lacks one; return that encoder's class."""
    import torch
    import transformers

    adapter, encoder = case.ip_adapter, None
    origin = _origin(adapter, "full", run)
    where_from = _source(adapter, origin)
    if hasattr(pipeline, "image_encoder") and pipeline.image_encoder is None:
        place = {"subfolder": image_encoder_of(case), **where_from}
        (encoder,) = transformers.AutoConfig.from_pretrained(root_of(case), **place).architectures
        loaded = getattr(transformers, encoder).from_pretrained(
            root_of(case), dtype=getattr(torch, case.dtype), **ONLY_SAFETENSORS, **place
        )
        pipeline.register_modules(image_encoder=loaded)
    path, where = file_of(adapter)
    pipeline.load_ip_adapter(path, **{"subfolder": "", **where}, **where_from)
    pipeline.set_ip_adapter_scale(adapter["weight"])
    if getattr(pipeline, "feature_extractor", None) is None:
        raise UnsupportedError(f"ip_adapter: {type(pipeline).__name__} lacks a feature_extractor; save it with one")
    return _loaded(adapter, origin), encoder
