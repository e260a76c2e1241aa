"""The lines of a printed program that make the pictures that a call is given, as `inputs.prepare` makes them."""

import inspect
from collections.abc import Iterator
from typing import Any

from bench.pipelines import synthetic
from bench.pipelines.inputs import mode_of
from bench.pipelines.python_code import quoted
from bench.plan.case import Case
from bench.plan.image_input import ImageInput, image_inputs, images_of


def lines(case: Case) -> Iterator[str]:
    """Yield the imports, the functions and one assignment for each argument that has pictures."""
    inputs = _inputs(case)
    used = {str(each.synthetic) for listed in inputs.values() for each in listed if each.synthetic}
    if any(each.path for listed in inputs.values() for each in listed):
        yield "from PIL import Image, ImageOps"
    for kind in sorted(used):
        yield from inspect.getsource(synthetic.MAKERS[kind]).splitlines()
    for name, listed in inputs.items():
        expressions = [_expression(each, mode_of(name)) for each in listed]
        single = not isinstance(case.call[name], (list, tuple))
        starred = [f"*{made}" if each.frames else made for each, made in zip(listed, expressions, strict=True)]
        yield f"{name} = {expressions[0]}" if single else f"{name} = [{', '.join(starred)}]"


def paths(case: Case) -> list[str]:
    """Return the files that the program reads."""
    return [each.path for listed in _inputs(case).values() for each in listed if each.path is not None]


def _inputs(case: Case) -> dict[str, list[ImageInput]]:
    return {name: image_inputs(case.call[name], case.call) for name in images_of(case.call)}


def _expression(source: ImageInput, mode: str) -> Any:
    if source.path is not None:
        opened = f'ImageOps.exif_transpose(Image.open({quoted(source.path)})).convert("{mode}")'
        sized = f".resize(({source.width}, {source.height}), Image.Resampling.LANCZOS)" if source.width else ""
        return opened + sized
    make = synthetic.MAKERS[str(source.synthetic)].__name__
    arguments = f"{source.height}, {source.width}, {source.seed}"
    if source.frames is None:
        return f'{make}({arguments}).convert("{mode}")'
    return f'[{make}({arguments}, frame).convert("{mode}") for frame in range({source.frames})]'
