"""Whether the weights of an adapter can be loaded: by its file's name and its header, before anything is built."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import files
from bench.plan.adapters import SUFFIX
from bench.plan.paths import is_folder
from bench.plan.vocabulary import FolderFault

USUAL_NAME = f"pytorch_lora_weights{SUFFIX}"
"""What diffusers calls the file of a LoRA that it saves."""
_MARKS = {"lora": ("lora",), "ip_adapter": ("image_proj.", "ip_adapter.")}
"""Parts of the names of an adapter's tensors, without which diffusers does not load it."""
_KINDS = {"lora": "a LoRA", "ip_adapter": "an IP-Adapter"}


def fault(path: Path, kind: str, adapter: Mapping[str, Any]) -> FolderFault | None:
    """Return why an adapter cannot be loaded; None if nothing is known against it.

    Args:
        path: its file, or the folder that contains it.
        kind: `lora` or `ip_adapter`.
        adapter: its settings.
    """
    if is_folder(path):
        file = file_in(path, adapter)
        if file is None:
            found = sorted(each.name for each in inside(path, adapter).glob(f"*{SUFFIX}"))
            what = f"has {len(found)} {SUFFIX} files" if found else f"has no {SUFFIX} file"
            remedy = "name one as 'weight_name'" if found else "complete the folder"
            return FolderFault(f"'{inside(path, adapter)}' {what}; {remedy}")
    else:
        file = path
        if adapter.get("weight_name") or adapter.get("subfolder"):
            return FolderFault(f"'{path}' is a file already; remove 'weight_name' and 'subfolder'")
        if path.suffix != SUFFIX:
            return FolderFault(f"'{path}' is not a {SUFFIX} file, the only kind that is read; convert it")
    return _file_fault(file, kind)


def inside(folder: Path, adapter: Mapping[str, Any]) -> Path:
    return folder / str(adapter.get("subfolder") or "")


def file_in(folder: Path, adapter: Mapping[str, Any]) -> Path | None:
    """Return the file of an adapter in a folder: the one that is named, the usual one, or the only one; else None."""
    if adapter.get("weight_name"):
        return inside(folder, adapter) / str(adapter["weight_name"])
    found = sorted(inside(folder, adapter).glob(f"*{SUFFIX}"))
    usual = [each for each in found if each.name == USUAL_NAME]
    return next(iter(usual or found), None) if usual or len(found) == 1 else None


def _file_fault(file: Path, kind: str) -> FolderFault | None:
    from safetensors import SafetensorError, safe_open

    if not files.is_file(file):
        return FolderFault(f"'{file}' does not exist; correct 'weight_name' or 'subfolder'")
    try:
        with safe_open(file, framework="np") as opened:
            names = list(opened.keys())
    except (OSError, SafetensorError) as error:
        return FolderFault(f"'{file}' cannot be read as safetensors ({error}); fetch it again")
    if not any(mark in name for name in names for mark in _MARKS[kind]):
        return FolderFault(f"'{file}' has no weights of {_KINDS[kind]}; give another file")
    return None
