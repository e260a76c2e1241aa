"""The source of the installed diffusers, which takes seconds to import: parsed classes and their methods."""

import ast
import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

PIPELINES, SCHEDULERS = "pipelines/**/pipeline_*.py", "schedulers/**/scheduling_*.py"
Methods = Mapping[str, ast.FunctionDef]
_CLASS = re.compile(rb"^class (\w+)[(:]", re.MULTILINE)


def folder() -> Path | None:
    """Return the folder of the installed diffusers."""
    spec = find_spec("diffusers")
    return Path(spec.origin).parent if spec and spec.origin else None


@cache
def classes(pattern: str) -> Mapping[str, Path]:
    """Return the files of the classes that are declared in the files that match a pattern."""
    installed = folder()
    paths = sorted(installed.glob(pattern), reverse=True) if installed else []
    return {name.decode(): path for path in paths for name in _CLASS.findall(path.read_bytes())}


@cache
def methods(name: str, pattern: str = PIPELINES) -> Methods:
    """Return the parsed methods of a class by name; none if the class is not found."""
    path = classes(pattern).get(name)
    declared = ast.parse(path.read_bytes()).body if path else ()
    body = next((node.body for node in declared if isinstance(node, ast.ClassDef) and node.name == name), [])
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}


def parameters(method: ast.FunctionDef) -> dict[ast.arg, ast.expr | None]:
    """Return the named arguments of a method, without `self`, with their defaults; None for one without a default."""
    positional, given = method.args.args[1:], method.args.defaults
    defaults: list[ast.expr | None] = [*[None] * (len(positional) - len(given)), *given]
    return dict(
        [*zip(positional, defaults, strict=True), *zip(method.args.kwonlyargs, method.args.kw_defaults, strict=True)]
    )
