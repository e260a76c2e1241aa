"""What calls of pipelines and configurations of schedulers accept, read from the signatures in diffusers' source."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from bench.pipelines import source_text
from bench.pipelines.source_text import Methods, parameters
from bench.plan.plain_types import annotated
from bench.plan.vocabulary import Returns, Scheduler, Signature

DRAWN_FIELDS = ("images", "frames", "image", "video")
"""Where the outputs of diffusers' pipelines have what was drawn; frames and videos are lists of frames."""
_PICTURE = re.compile(r"Image\.Image|Pipeline(Image|Mask)Input")
_PICTURE_TENSORS = {"image", "mask_image", "control_image", "video", "mask_video"}
"""Arguments that FLUX and others annotate as tensors, although their image processors take pictures."""
_PROMPTS = {"prompt", "negative_prompt"}
_READ_FROM_ATTENTION = re.compile(r"attention_kwargs\.(?:get|pop)\(\s*\"(\w+)\"")
_PASSED_BY_DIFFUSERS = {"attn", "hidden_states", "encoder_hidden_states", "attention_mask", "temb", "image_rotary_emb"}


@cache
def signature(pipeline: str) -> Signature | None:
    """Return what `pipeline.__call__` accepts; None if the class is not found."""
    methods = source_text.methods(pipeline)
    method = methods.get("__call__")
    if method is None:
        return None
    given = parameters(method)
    return Signature(
        types={argument.arg: annotated(argument.annotation, default) for argument, default in given.items()},
        required=tuple(_required(methods)),
        fixed=_fixed(method),
        step_lists=_step_lists(method),
        alike=any(_compares_kinds(methods[name]) for name in ("encode_prompt", "_encode_prompt") if name in methods),
        guidance_scale=next(
            (_literal(default) for argument, default in given.items() if argument.arg == "guidance_scale"), None
        ),
        returns=_returns(method),
    )


def _literal(default: ast.expr | None) -> Any:
    return default.value if isinstance(default, ast.Constant) else None


def pictures(method: ast.FunctionDef) -> frozenset[str]:
    """Return the arguments of a method that take pictures or videos."""
    annotated = {each.arg: ast.unparse(each.annotation) for each in parameters(method) if each.annotation}
    return frozenset(
        name
        for name, annotation in annotated.items()
        if (name in _PICTURE_TENSORS or _PICTURE.search(annotation)) and not name.endswith(("_latents", "_embeds"))
    )


def _required(methods: Methods) -> Iterator[str]:
    """Yield the arguments without a default, and the pictures that only have one so that they can come last."""
    method = methods["__call__"]
    compared = {name for each in ("__call__", "check_inputs") if each in methods for name in _tested(methods[each])}
    last = pictures(method) - compared
    for argument, default in parameters(method).items():
        optional = argument.annotation is None or "NoneType" in annotated(argument.annotation, None).names
        if default is None or (argument.arg in last and not optional):
            yield argument.arg


def _tested(method: ast.FunctionDef) -> Iterator[str]:
    """Yield the names that are compared with None, or used as a condition: what is expected to be missing at times."""
    for node in ast.walk(method):
        if isinstance(node, ast.Compare) and any(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            yield ast.unparse(node.left)
        elif isinstance(node, (ast.If, ast.IfExp)):
            yield ast.unparse(node.test)


def _fixed(method: ast.FunctionDef) -> dict[str, Any]:
    """Return the arguments that a method replaces by a constant, whatever was given."""
    names = {argument.arg for argument in parameters(method)}
    assigned = [node for node in method.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)]
    targets = [(node.targets[0], node.value.value) for node in assigned if isinstance(node.value, ast.Constant)]
    return {target.id: value for target, value in targets if isinstance(target, ast.Name) and target.id in names}


def _step_lists(method: ast.FunctionDef) -> frozenset[str]:
    """Return the arguments that a method passes to `retrieve_timesteps`, which requires them of the scheduler."""
    calls = [node for node in ast.walk(method) if isinstance(node, ast.Call)]
    passed = [node for node in calls if ast.unparse(node.func) == "retrieve_timesteps"]
    arguments = [part for call in passed for part in (*call.args, *(word.value for word in call.keywords))]
    return frozenset(part.id for part in arguments if isinstance(part, ast.Name) and part.id in {"timesteps", "sigmas"})


def _compares_kinds(method: ast.FunctionDef) -> bool:
    """Return whether a string as a prompt needs a string as a negative prompt, and a list a list."""
    assigned = [node for node in ast.walk(method) if isinstance(node, ast.Assign)]
    replaced = [
        ast.unparse(node.targets[0]) for node in assigned if "maybe_convert_prompt" not in ast.unparse(node.value)
    ]
    return "type(prompt) is not type(negative_prompt)" in ast.unparse(method) and not _PROMPTS.intersection(replaced)


def _returns(method: ast.FunctionDef) -> Returns:
    values = [node.value for node in ast.walk(method) if isinstance(node, ast.Return) and node.value is not None]
    outputs = [value for value in values if isinstance(value, ast.Call) and "Output" in ast.unparse(value.func)]
    if any("AudioPipelineOutput" in ast.unparse(output) for output in outputs):
        return Returns.AUDIO
    fields = {word.arg for output in outputs for word in output.keywords}
    if fields.intersection(DRAWN_FIELDS) or not outputs:
        return Returns.PICTURES
    named = fields or any("PriorPipelineOutput" in ast.unparse(output) for output in outputs)
    return Returns.SOMETHING_ELSE if named and None not in fields else Returns.PICTURES


@cache
def scheduler(name: str) -> Scheduler | None:
    """Return what a scheduler's configuration and its `set_timesteps` accept; None if the class is not found."""
    methods = source_text.methods(name, source_text.SCHEDULERS)
    if "__init__" not in methods:
        return None
    config = {
        argument.arg: annotated(argument.annotation, default)
        for argument, default in parameters(methods["__init__"]).items()
    }
    sets = methods.get("set_timesteps")
    return Scheduler(config, frozenset(each.arg for each in parameters(sets)) if sets else None)


@cache
def attention_words() -> frozenset[str]:
    """Return the keys of `cross_attention_kwargs` and its like that diffusers reads; it ignores all others."""
    read, taken = set[str](), set[str]()
    for pattern in ("models/**/*.py", "pipelines/**/*.py", "loaders/*.py"):
        for path in sorted(folder.glob(pattern)) if (folder := source_text.folder()) else ():
            source = path.read_text(encoding="utf-8")
            read.update(_READ_FROM_ATTENTION.findall(source))
            if "attention_kwargs" in source or path.stem == "attention_processor":
                taken.update(_processor_arguments(source))
    return frozenset(read | (taken - _PASSED_BY_DIFFUSERS) | {"scale"} if read else ())


def _processor_arguments(source: str) -> Iterator[str]:
    processors = (
        node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and "Processor" in node.name
    )
    for processor in processors:
        for method in processor.body:
            if isinstance(method, ast.FunctionDef) and method.name == "__call__":
                yield from (argument.arg for argument in parameters(method))
