"""Whether a saved pipeline or autoencoder can be loaded: by the names of its files, before anything is built."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from bench import files
from bench.pipelines import source_text
from bench.plan.case import Case
from bench.plan.paths import is_folder
from bench.plan.vocabulary import FolderFault

LIBRARY_AND_CLASS = 2
"""Entries of a component in a model_index.json."""
_NOT_A_MODEL = re.compile(r"Tokenizer|Processor|Extractor|Scheduler")
_OTHER_WEIGHTS = {".bin", ".ckpt", ".pt", ".pth", ".msgpack", ".h5", ".onnx"}
_CONFIGURATIONS = ("config.json", "scheduler_config.json")
_EXPORTED = re.compile(r'"(\w+)"')
_NO_CODE = "code that comes with a model is never run"
_CONVERT = "load it once with diffusers, if you trust it, and write it with save_pretrained"


def pipeline_fault(case: Case, index: Mapping[str, Any], taken: frozenset[str] | None) -> FolderFault | None:
    """Return why the folder of a case's model cannot be loaded; None if nothing is known against it.

    Args:
        case: whose model is a folder.
        index: its model_index.json.
        taken: the components that the pipeline takes; None if they are not known.
    """
    return next(_pipeline_faults(case, index, taken), None)


def _pipeline_faults(case: Case, index: Mapping[str, Any], taken: frozenset[str] | None) -> Iterator[FolderFault]:
    folder, name = Path(case.model), index.get("_class_name")
    if isinstance(name, list):
        yield FolderFault(
            f"'{folder}' is a pipeline with code of its own ({name[0]}.py), but {_NO_CODE}; choose another"
        )
    elif not isinstance(name, str):
        yield FolderFault(f"'{folder}/model_index.json' does not name the pipeline's class; save the pipeline again")
    elif case.pipeline is None and _lacks(name):
        yield FolderFault(f"the installed diffusers has no {name}, as which '{folder}' was saved; {_newer('pipeline')}")
    components = dict(_components(case, index, taken))
    for component, (library, cls) in components.items():
        yield from _class_faults(folder, component, library, cls)
    models = [component for component, (_, cls) in components.items() if not _NOT_A_MODEL.search(cls)]
    for component in models:
        yield from _weight_faults(folder / component, str(case.load.get("variant") or ""))


def _components(
    case: Case, index: Mapping[str, Any], taken: frozenset[str] | None
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the components that are loaded: name, library and class."""
    absent = {name for name, value in case.load.items() if value is None}
    if not case.safety_checker:
        absent.add("safety_checker")
    for name, value in index.items():
        known = isinstance(value, list) and len(value) == LIBRARY_AND_CLASS and all(isinstance(x, str) for x in value)
        if known and not name.startswith("_") and name not in absent and (taken is None or name in taken):
            yield name, (value[0], value[1])


def _newer(setting: str) -> str:
    return f"install a newer diffusers, or name another class with '{setting}:'"


@cache
def _exported() -> frozenset[str]:
    installed = source_text.folder()
    return (
        frozenset(_EXPORTED.findall((installed / "__init__.py").read_text(encoding="utf-8")))
        if installed
        else frozenset()
    )


def _lacks(name: str) -> bool:
    return bool(_exported()) and name not in _exported()


def _class_faults(folder: Path, component: str, library: str, cls: str) -> Iterator[FolderFault]:
    of = f"the component '{component}' of '{folder}'"
    if files.is_file(folder / component / f"{library}.py"):
        yield FolderFault(f"{of} has code of its own ({library}.py), but {_NO_CODE}; choose another model")
    elif library == "diffusers" and _lacks(cls):
        yield FolderFault(f"the installed diffusers has no {cls}, the class of {of}; install a newer diffusers")
    elif library not in {"diffusers", "transformers"} and not _is_pipeline_module(library):
        yield FolderFault(f"{of} needs the module '{library}', but {_NO_CODE}; choose another model")


def _is_pipeline_module(library: str) -> bool:
    installed = source_text.folder()
    if installed is None:
        return True
    folders = installed / "pipelines", installed / "pipelines" / "deprecated"
    return library.isidentifier() and any(is_folder(folder / library) for folder in folders)


def component_fault(folder: Path, config: Mapping[str, Any]) -> FolderFault | None:
    """Return why the folder of a component cannot be loaded; None if nothing is known against it."""
    name = config.get("_class_name")
    if "auto_map" in config:
        return FolderFault(f"'{folder}' has code of its own, but {_NO_CODE}; choose another one")
    if isinstance(name, str) and _lacks(name):
        return FolderFault(f"the installed diffusers has no {name}, the class of '{folder}'; install a newer diffusers")
    found = next(_weight_faults(folder, ""), None)
    if found is not None and found.variant is not None:
        remedy = f"remove '.{found.variant}' from the name of its file"
        return FolderFault(f"'{folder}' has weights of the variant '{found.variant}' only; {remedy}")
    return found


def _weight_faults(folder: Path, wanted: str) -> Iterator[FolderFault]:
    """Yield why a model has no weights that are read: safetensors, of the variant that is wanted or of none."""
    if not is_folder(folder):
        if not any(files.is_file(folder.parent / name) for name in _CONFIGURATIONS):  # where diffusers would look next
            yield FolderFault(f"'{folder.parent}' has no folder for its component '{folder.name}'; save it again")
        return
    suffixes = {path.suffix for path in folder.iterdir()}
    variants = {_variant(path.name) for path in folder.glob("*.safetensors")}
    if variants and not variants.intersection({"", wanted}):
        one = min(variants)
        have = f"'{folder}' has weights of the variant {' and '.join(map(repr, sorted(variants)))} only"
        yield FolderFault(f"{have}; write 'load: {{variant: {one}}}'", one, wanted != "")
    elif not variants and suffixes.intersection(_OTHER_WEIGHTS):
        kinds = " and ".join(sorted(suffixes.intersection(_OTHER_WEIGHTS)))
        yield FolderFault(f"'{folder}' has {kinds} weights only, and none but safetensors are read; {_CONVERT}")
    elif not variants:
        yield FolderFault(f"'{folder}' has no weights (*.safetensors); complete the folder")


def _variant(name: str) -> str:
    """Return the variant in a file's name, such as fp16 in `model.fp16-00001-of-00002.safetensors`."""
    return name.removesuffix(".safetensors").partition(".")[2].partition("-0")[0]
