"""What a scenario may say: read from the installed diffusers' source, which takes seconds to import.

Only text is read: the signature of a pipeline's `__call__`, the names that `from_pretrained` takes, the scheduler
classes. An answer is None if the source cannot be found, and then nothing is checked against it.
"""

import ast
import json
import re
from collections.abc import Mapping
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

from bench import files
from bench.errors import InputError
from bench.pipelines import architectures, call_checks, saved, saved_adapters, signatures, source_text
from bench.pipelines.optimizations import conflicts_of, names
from bench.plan.case import Case
from bench.plan.vocabulary import FolderFault, Refusal, Vocabulary

LARGEST_CONFIG = 1024**2
"""Bytes. A model_index.json or a config.json has a few thousand."""
LARGEST_MULTIPLE = 4096
"""Pixels. A configuration that demands more, or less than one, is damaged."""
NOISE_SEED = "noise_sampler_seed"
"""With none, DPMSolverSDEScheduler seeds its Brownian tree anew in every call."""
_VAE_SCALE_FACTOR = "2 ** (len(self.vae.config.block_out_channels) - 1)"
_POPPED = re.compile(r"kwargs\.pop\('(\w+)'")


def vocabulary() -> Vocabulary:
    """Return the names that scenarios are checked against. Imports no torch."""
    return Vocabulary(
        models={key: model.pipeline for key, model in architectures.models().items()},
        autoencoders=frozenset(architectures.autoencoders()),
        optimizations={name: conflicts_of(name) for name in names()},
        schedulers=schedulers(),
        pipelines=pipelines(),
        load_arguments=load_arguments,
        pipeline_class=pipeline_class,
        call_arguments=call_arguments,
        image_arguments=image_arguments,
        signature=signatures.signature,
        refusal=_refusal,
        scheduler=signatures.scheduler,
        own_scheduler=own_scheduler,
        model_fault=model_fault,
        component_fault=component_fault,
        adapter_fault=saved_adapters.fault,
        attention_words=signatures.attention_words,
        side_multiple=side_multiple,
    )


def pipeline_class(model: str) -> str | None:
    """Return the pipeline class of a known model or a local folder; None for any other hub id."""
    known = architectures.find_model(model)
    name = known.pipeline if known else index_of(model).get("_class_name")
    return name if isinstance(name, str) and name.isidentifier() else None


def index_of(folder: str) -> dict[str, Any]:
    """Return what a saved pipeline consists of; {} if it is not a readable pipeline folder."""
    try:
        return _json_object(Path(folder).expanduser() / "model_index.json")
    except RuntimeError:  # ~ of an unknown user
        return {}


def _json_object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(files.read(path, LARGEST_CONFIG))
    except (InputError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def side_multiple(model: str) -> int | None:
    """Return what the sides of a picture must be divisible by; None if the pipeline rounds them, or it is not known.

    It is what the pipeline checks itself: a number, or the scale factor of its autoencoder times the size of a patch.
    """
    methods = source_text.methods(pipeline_class(model) or "")
    for name in ("check_inputs", "__call__"):
        checks = (node for node in ast.walk(methods[name]) if isinstance(node, ast.If)) if name in methods else ()
        for check in checks:
            divisor = _divisor_of_height(check.test)
            if divisor is not None and isinstance(check.body[0], ast.Raise):
                found = _pixels(divisor, model)
                return found if found is not None and 0 < found <= LARGEST_MULTIPLE else None
    return None


def _divisor_of_height(test: ast.expr) -> ast.expr | None:
    """Return the `x` of `height % x` in a condition."""
    for node in ast.walk(test):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and ast.unparse(node.left) == "height":
            return node.right
    return None


def _pixels(divisor: ast.expr, model: str) -> int | None:
    match divisor:
        case ast.Constant(value=int(number)):
            return number
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            factors = _pixels(left, model), _pixels(right, model)
            return None if None in factors else prod(filter(None, factors))
    attribute = ast.unparse(divisor)
    if attribute == "self.patch_size":
        size = _configuration(model, "transformer").get("patch_size")
        return size if isinstance(size, int) else None
    init = source_text.methods(pipeline_class(model) or "").get("__init__")
    widths = _configuration(model, "vae").get("block_out_channels")
    usual = init is not None and _VAE_SCALE_FACTOR in ast.unparse(init)
    known = isinstance(widths, (list, tuple)) and usual and attribute == "self.vae_scale_factor"
    return 2 ** (len(widths) - 1) if known and widths else None


def _configuration(model: str, role: str) -> Mapping[str, Any]:
    """Return the configuration of a component of a known model or a local folder; {} if it is not known."""
    facts = architectures.find_model(model)
    if facts is not None:
        return architectures.component(facts.components[role]).config if role in facts.components else {}
    return _json_object(Path(model).expanduser() / role / "config.json")


def own_scheduler(model: str) -> str | None:
    """Return the class name of the scheduler of a known model or a local folder; None for any other."""
    if facts := architectures.find_model(model):
        component = facts.components.get("scheduler")
        return architectures.component(component).cls.rpartition(".")[2] if component else None
    found = index_of(model).get("scheduler")
    return str(found[1]) if isinstance(found, list) and len(found) == saved.LIBRARY_AND_CLASS else None


def scheduler_config(case: Case) -> dict[str, Any]:
    """Return what a case changes in the configuration of its scheduler.

    A scheduler that it names and that draws its noise without the generator of the call gets the case's seed, or one
    per image, unless the case says another.
    """
    known = signatures.scheduler(case.scheduler) if case.scheduler is not None else None
    seed = list(case.seed) if isinstance(case.seed, tuple) else case.seed
    seeded = {NOISE_SEED: seed} if known is not None and NOISE_SEED in known.config else {}
    return {**seeded, **case.scheduler_config}


def compatible_schedulers(model: str) -> list[str]:
    """Return the class names of the schedulers that are compatible with a model's own, sorted. Imports diffusers.

    Those whose optional package is missing are included; their cases are skipped with that reason.

    Raises:
        InputError: the model is neither known nor a local folder, so its scheduler is not known.
    """
    import diffusers

    own: Any = getattr(diffusers, own_scheduler(model) or "", None)
    if not hasattr(own, "_compatibles"):
        raise InputError(f"the scheduler of '{model}' is not known before it is loaded; list the schedulers by name")
    return sorted({name for name in (*own._compatibles, own.__name__) if hasattr(diffusers, name)})  # noqa: SLF001


def schedulers() -> frozenset[str] | None:
    """Return the class names of the installed schedulers."""
    return _named(source_text.SCHEDULERS, "Scheduler")


def pipelines() -> frozenset[str] | None:
    """Return the class names of the installed pipelines."""
    return _named(source_text.PIPELINES, "Pipeline")


def _named(pattern: str, ending: str) -> frozenset[str] | None:
    return frozenset(name for name in source_text.classes(pattern) if name.endswith(ending)) or None


@cache
def output_fields(pipeline: str) -> frozenset[str] | None:
    """Return the fields of what `pipeline.__call__` returns, such as `images`; None if they cannot be read from it."""
    method = call_method(pipeline)
    returned = [node.value for node in ast.walk(method) if isinstance(node, ast.Return)] if method else []
    outputs = [
        value for value in returned if isinstance(value, ast.Call) and ast.unparse(value.func).endswith("Output")
    ]
    return frozenset(word.arg for value in outputs for word in value.keywords if word.arg) or None


def call_method(pipeline: str) -> ast.FunctionDef | None:
    """Return the parsed `pipeline.__call__`."""
    return source_text.methods(pipeline).get("__call__")


def default_output_type(pipeline: str) -> str | None:
    """Return the output type of a call that names none; None if it cannot be read from the signature."""
    method = call_method(pipeline)
    given = source_text.parameters(method) if method else {}
    default = next((value for argument, value in given.items() if argument.arg == "output_type"), None)
    return default.value if isinstance(default, ast.Constant) and isinstance(default.value, str) else None


@cache
def call_arguments(pipeline: str) -> frozenset[str] | None:
    """Return the arguments that `pipeline.__call__` reads, including those it pops from `**kwargs`.

    The `**kwargs` of Stable Diffusion's `__call__` accepts every misspelled argument silently.
    """
    method = call_method(pipeline)
    return (_arguments(method) | _popped(method)) if method else None


@cache
def image_arguments(pipeline: str) -> frozenset[str] | None:
    """Return the arguments of `pipeline.__call__` that take pictures or videos."""
    method = call_method(pipeline)
    if method is None:
        return None
    return signatures.pictures(method)


def model_fault(case: Case) -> FolderFault | None:
    """Return why the folder of a case's model cannot be loaded; None if nothing is known against it."""
    pipeline = case.pipeline or pipeline_class(case.model)
    return saved.pipeline_fault(case, index_of(case.model), components(pipeline) if pipeline else None)


def component_fault(folder: Path) -> FolderFault | None:
    """Return why the folder of a component cannot be loaded; None if nothing is known against it."""
    return saved.component_fault(folder, _json_object(folder / "config.json"))


def _refusal(pipeline: str, call: Mapping[str, Any], images: frozenset[str]) -> Refusal | None:
    """Return why a pipeline would refuse a call with a generator and the images of the call."""
    return call_checks.refusal(source_text.methods(pipeline), call, images | {"generator"})


@cache
def load_arguments(pipeline: str | None) -> frozenset[str] | None:
    """Return the keyword arguments that `from_pretrained` reads, including the optional ones of `__init__`."""
    base = source_text.methods("DiffusionPipeline")
    if not base:
        return None
    init = source_text.methods(pipeline).get("__init__") if pipeline else None
    optional = init.args.args[len(init.args.args) - len(init.args.defaults) :] if init else []
    names = frozenset(argument.arg for argument in optional)
    return names | _popped(base["from_pretrained"]) | _popped(base["download"])


def components(pipeline: str) -> frozenset[str] | None:
    """Return the arguments of `pipeline.__init__`: its components and other settings."""
    method = source_text.methods(pipeline).get("__init__")
    return _arguments(method) if method else None


def _arguments(method: ast.FunctionDef) -> frozenset[str]:
    return frozenset(argument.arg for argument in (*method.args.args, *method.args.kwonlyargs)) - {"self"}


def _popped(method: ast.FunctionDef) -> frozenset[str]:
    return frozenset(_POPPED.findall(ast.unparse(method)))
