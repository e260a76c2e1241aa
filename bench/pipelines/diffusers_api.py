"""Read from the installed diffusers' source what it accepts, without importing it (which takes seconds).

Only text is read: the signature of a pipeline's `__call__`, the names that `from_pretrained` takes, the scheduler
classes there are. Each answer is None where the source cannot be found, and then nothing is checked against it.
"""

import ast
import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_SCHEDULER = re.compile(r"^class (\w+Scheduler)\(", re.MULTILINE)
_POPPED = re.compile(r"kwargs\.pop\(\s*\"(\w+)\"")


@cache
def root() -> Path | None:
    """Return the folder of the installed diffusers; None where there is none."""
    spec = find_spec("diffusers")
    return Path(spec.origin).parent if spec and spec.origin else None


@cache
def schedulers() -> frozenset[str] | None:
    """Return the class names of the schedulers that the installed diffusers has."""
    folder = root()
    if folder is None:
        return None
    sources = sorted((folder / "schedulers").rglob("scheduling_*.py"))
    return frozenset(name for source in sources for name in _SCHEDULER.findall(source.read_text(encoding="utf-8")))


@cache
def call_arguments(pipeline: str) -> frozenset[str] | None:
    """Return what `pipeline.__call__` reads, also what it pops from `**kwargs`; None where the class is not found.

    Stable Diffusion's `__call__` has a `**kwargs` that swallows every misspelt argument without a word.
    """
    found = _method(pipeline, "__call__")
    if found is None:
        return None
    definition, text = found
    return frozenset(_arguments(definition)) - {"self"} | frozenset(_POPPED.findall(text))


@cache
def load_arguments(pipeline: str | None) -> frozenset[str] | None:
    """Return the keyword arguments that `from_pretrained` reads, with the optional ones of the pipeline's own."""
    folder = root()
    if folder is None:
        return None
    text = (folder / "pipelines" / "pipeline_utils.py").read_text(encoding="utf-8")
    general = frozenset(
        name for method in ("from_pretrained", "download") for name in _POPPED.findall(_lines(text, method))
    )
    found = _method(pipeline, "__init__") if pipeline else None
    return general | frozenset(_arguments(found[0])[-len(found[0].args.defaults) :] if found else ())


@cache
def components(pipeline: str) -> frozenset[str] | None:
    """Return what a pipeline is made of, and its other settings: the arguments of `__init__`; None if not found."""
    found = _method(pipeline, "__init__")
    return frozenset(_arguments(found[0])) - {"self"} if found else None


def pipeline_of_folder(folder: Path) -> str | None:
    """Return the pipeline class that a saved folder names; None where it is no readable pipeline folder."""
    try:
        name = json.loads((folder / "model_index.json").read_text(encoding="utf-8")).get("_class_name")
    except (OSError, ValueError, AttributeError):
        return None
    return name if isinstance(name, str) else None


def _method(cls: str, name: str) -> tuple[ast.FunctionDef, str] | None:
    """Return a method of a pipeline class, parsed and as text."""
    folder = root()
    if folder is None:
        return None
    declaration = f"\nclass {cls}("
    for path in sorted((folder / "pipelines").rglob("pipeline_*.py")):
        text = path.read_text(encoding="utf-8")
        if declaration in text:
            definition = _definition(ast.parse(text), cls, name)
            return (definition, ast.get_source_segment(text, definition) or "") if definition else None
    return None


def _definition(tree: ast.Module, cls: str, name: str) -> ast.FunctionDef | None:
    bodies = (node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == cls)
    methods = (node for body in bodies for node in body if isinstance(node, ast.FunctionDef) and node.name == name)
    return next(methods, None)


def _arguments(definition: ast.FunctionDef) -> list[str]:
    return [argument.arg for argument in (*definition.args.args, *definition.args.kwonlyargs)]


def _lines(text: str, function: str) -> str:
    """Return the lines of a method, up to the next one at the same indentation."""
    start = text.find(f"    def {function}(")
    if start < 0:
        return ""
    end = text.find("\n    def ", start + 1)
    return text[start : end if end > 0 else None]
