"""What the hub must provide, fetched before anything is measured: no case's time includes a download."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from bench.pipelines import adapters, architectures, source
from bench.pipelines.tiny import resolve
from bench.plan.case import Case
from bench.plan.settings import RunSettings


@dataclass(frozen=True)
class Download:
    """A repository of the hub that a case needs: a whole pipeline, an autoencoder alone, or the file of an adapter."""

    name: str
    autoencoder: bool = False
    safety_checker: bool = False
    file: str | None = None
    load: dict[str, Any] = field(default_factory=dict)


HUB_TIMEOUT_S = 5.0
"""For the list of a repository's files."""


def size_bytes(wanted: Download) -> int | None:
    """Return what `fetch` will download, by the hub's list of files; None if the hub does not answer in time."""
    from huggingface_hub import HfApi

    try:
        info = HfApi().model_info(
            wanted.name, revision=wanted.load.get("revision"), files_metadata=True, timeout=HUB_TIMEOUT_S
        )
    except Exception:  # noqa: BLE001 - no network, no such model, a gate; `fetch` repeats the error
        return None
    sizes = {PurePosixPath(file.rfilename): file.size for file in info.siblings or ()}
    if wanted.file is not None:
        return sizes.get(PurePosixPath(wanted.file))
    loaded = [sizes[file] for file in _loaded([file for file in sizes if _is_part(file, wanted)], wanted)]
    return None if not loaded or None in loaded else sum(loaded)


def _is_part(file: PurePosixPath, wanted: Download) -> bool:
    """Return whether a file is in the folder of a component that is loaded; an autoencoder is all of its repository."""
    folder = file.parent.name
    unused = folder == "safety_checker" and not wanted.safety_checker
    return (
        file.suffix in {".json", ".txt", ".model", ".safetensors"} and wanted.autoencoder != bool(folder) and not unused
    )


def _loaded(files: list[PurePosixPath], wanted: Download) -> list[PurePosixPath]:
    """Return the files without the weights of other variants: those of the one that is asked for, where it exists."""
    variants = {file: file.name.partition("-0")[0].removesuffix(".safetensors").partition(".")[2] for file in files}
    weights = [file for file in files if file.suffix == ".safetensors"]
    asked = wanted.load.get("variant") or ""
    own = {file.parent for file in weights if variants[file] == asked}
    chosen = [file for file in weights if variants[file] == (asked if file.parent in own else "")]
    return [file for file in files if file not in weights] + chosen


def missing(cases: Iterable[Case], run: RunSettings) -> list[Download]:
    """Return what the hub's cache lacks of what these cases will load from the hub, each repository once.

    A repository that is partly in the cache does not count as missing; the rest is fetched when its case is built.
    """
    if run.weights != "hub" and not (run.weights == "auto" and run.hub_reachable):
        return []
    found: list[Download] = []
    for case in cases:
        found += [download for download in _of(case, run) if download not in found]
    return [
        wanted
        for wanted in found
        if source.cached_commit(wanted.name, wanted.load.get("revision"), wanted.file) is None
    ]


def _of(case: Case, run: RunSettings) -> list[Download]:
    """Return what a case loads from the hub: nothing of a tiny model, and nothing that is in a folder."""
    size = resolve(case, run.size)[1]
    wanted = []
    if size == "full" and source.local_folder(case.model, run.weights, "model_index.json") is None:
        name = source.hub_id(case.model)
        wanted.append(Download(name, safety_checker=case.safety_checker, load=dict(case.load)))
    made_here = size == "tiny" and architectures.find_autoencoder(case.vae or "") is not None
    if case.vae is not None and not made_here and source.local_folder(case.vae, run.weights, "config.json") is None:
        wanted.append(Download(source.hub_id(case.vae), autoencoder=True))
    if size == "full":
        folders = {name: source.local_folder(name, run.weights, "config.json") for name in case.components.values()}
        wanted += [Download(name, autoencoder=True) for name, folder in folders.items() if folder is None]
        wanted += [Download(name, file=file, load=revision) for name, file, revision in adapters.on_the_hub(case)]
    return wanted


def fetch(wanted: Download) -> None:
    """Download the files that a case will load into the hub's cache, with the hub's own progress bars.

    Raises:
        OSError, ValueError: the hub does not provide them (its client's or diffusers' own message).
    """
    import torch
    from diffusers import DiffusionPipeline
    from huggingface_hub import hf_hub_download

    if wanted.file is not None:
        hf_hub_download(wanted.name, wanted.file, revision=wanted.load.get("revision"))
        return
    if wanted.autoencoder:
        source.load_component(wanted.name, torch.float32)
        return
    checker = {} if wanted.safety_checker else source.without_safety_checker(wanted.name)
    DiffusionPipeline.download(wanted.name, **{**source.SAFE, **wanted.load, **checker})
