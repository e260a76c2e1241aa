"""Check a resolved case against what the installed libraries know, before any model is built.

Pipelines accept misspelled arguments silently and use their defaults, so a case that says something diffusers does not
know would measure something other than it claims.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from bench import files
from bench.errors import InputError
from bench.plan import check_call
from bench.plan.case import Case, Plan, batch_size
from bench.plan.check_call import Problem, as_written, quoted
from bench.plan.document import Document, Location, shown
from bench.plan.expand import COMPATIBLE, origin
from bench.plan.paths import folder_of, is_folder
from bench.plan.reserved import RESERVED_LOAD
from bench.plan.vocabulary import Vocabulary, suggestion
from bench.text import is_identifier

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
PIPELINE, COMPONENT = "model_index.json", "config.json"
"""A file that the folder of each must have."""


def check(case: Case, where: Location, document: Document, vocabulary: Vocabulary) -> None:
    """Raise `InputError` with file and line for the first problem of a case."""
    for path, message in problems(case, vocabulary):
        raise document.error(written(path, case, where, document), message)


def written(path: Location, case: Case, where: Location, document: Document) -> Location:
    """Return where a setting was written: in the matrix, which overrides the case, which overrides the top."""
    value = case.components.get(str(path[0])) or getattr(case, str(path[0]))
    for part in path[1:]:
        value = value.get(part) if isinstance(value, Mapping) else None
    may_be_axis = len(path) == 1 or (path[0] == "call" and len(path) == len(("call", "argument")))
    in_matrix = origin(document, path, as_written(value)) if may_be_axis else path
    candidates: list[Location] = [in_matrix] if in_matrix[:1] == ("matrix",) else []
    candidates += [(*where, *path), path, (*where, path[0]), path[:1], where]
    return next((candidate for candidate in candidates if candidate in document.lines), where)


def problems(case: Case, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Yield the problems of a case: the path of a setting, and a message (what is wrong; what to do)."""
    yield from _name("model", case.model, vocabulary.models, PIPELINE)
    if case.vae is not None:
        yield from _name("vae", case.vae, vocabulary.autoencoders, COMPONENT)
    for role, name in case.components.items():
        yield from _name(role, name, (), COMPONENT)
    yield from _folders(case, vocabulary)
    yield from _adapters(case, vocabulary)
    yield from _arguments(case)
    yield from _optimizations(case, vocabulary)
    yield from _scheduler(case, vocabulary)
    yield from _pipeline(case, vocabulary)
    yield from check_call.problems(case, vocabulary)
    yield from _load(case, vocabulary)
    yield from _seeds(case)
    yield from check_call.incomplete(case, vocabulary)


def _name(kind: str, name: str, known: Iterable[str], marker: str) -> Iterator[Problem]:
    """Check a model or an autoencoder, of which `marker` is a file that its saved folder must have."""
    if name in known:
        return
    folder = folder_of(name)
    if folder is not None:
        if not is_folder(folder):
            yield (kind,), f"there is no folder {quoted(name)}; correct the path"
        elif not files.is_file(folder / marker):
            yield (kind,), f"the folder '{name}' has no {marker}; give a folder that save_pretrained wrote"
    elif not HUB_ID.fullmatch(name):
        hint = suggestion(name, [word for word in known if "/" not in word])
        yield (kind,), f"unknown {kind} {quoted(name)}: not a known name, an existing folder or a hub id; {hint}"


def _folders(case: Case, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Check that what is loaded from folders can be loaded."""
    folder = folder_of(case.model)
    if folder is not None and (fault := vocabulary.model_fault(case)) is not None:
        yield ("load", "variant") if fault.asked else ("model",), fault.message
    for role, name in {**({} if case.vae is None else {"vae": case.vae}), **case.components}.items():
        component = folder_of(name)
        if component is not None and (fault := vocabulary.component_fault(component)) is not None:
            yield (role,), fault.message


def _adapters(case: Case, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Check that the weights of adapters can be loaded, and that an IP-Adapter gets its pictures."""
    given = [("lora", each) for each in case.lora] + ([("ip_adapter", case.ip_adapter)] if case.ip_adapter else [])
    for setting, adapter in given:
        name = adapter.get("path")
        if name is None:
            continue
        if (path := folder_of(name)) is not None:
            if (fault := vocabulary.adapter_fault(path, setting, adapter)) is not None:
                yield (setting,), fault.message
        elif not HUB_ID.fullmatch(name):
            yield (setting,), f"{quoted(name)} is neither a file, a folder nor a hub id; correct it"
    if len({bool(each.get("fused")) for each in case.lora}) > 1:
        yield (
            ("lora",),
            "some are fused and others are not, which diffusers does not support; fuse all, or none",
        )
    if case.ip_adapter and "ip_adapter_image" not in case.call:
        yield ("ip_adapter",), "the call has no picture for it; add 'ip_adapter_image:' under 'call:'"
    if "ip_adapter_image" in case.call and not case.ip_adapter:
        yield ("call", "ip_adapter_image"), "the case has no IP-Adapter to use it; add 'ip_adapter:', or remove this"


def _arguments(case: Case) -> Iterator[Problem]:
    """Check that every key can be written as a keyword argument, which is what becomes of it."""
    for setting in ("call", "load", "scheduler_config"):
        for name in getattr(case, setting):
            if not is_identifier(name):
                yield (setting, name), f"{shown(name)} is not the name of an argument; write one"
    for setting in ("pipeline", "scheduler"):
        name = getattr(case, setting)
        if name is not None and not is_identifier(name):
            yield (setting,), f"{shown(name)} is not the name of a class; write one"


def _scheduler(case: Case, vocabulary: Vocabulary) -> Iterator[Problem]:
    known = vocabulary.schedulers
    if case.scheduler == COMPATIBLE:
        yield ("scheduler",), "'compatible' is only allowed as an axis; write 'matrix: {scheduler: compatible}'"
    elif case.scheduler is not None and known is not None and case.scheduler not in known:
        hint = suggestion(case.scheduler, known)
        yield ("scheduler",), f"the installed diffusers has no scheduler {quoted(case.scheduler)}; {hint}"
    else:
        yield from _scheduler_config(case, vocabulary)


def _scheduler_config(case: Case, vocabulary: Vocabulary) -> Iterator[Problem]:
    name = case.scheduler or vocabulary.own_scheduler(case.model)
    known = vocabulary.scheduler(name) if name else None
    for key, value in case.scheduler_config.items():
        if known is None:
            return
        where: Location = ("scheduler_config", key)
        if key not in known.config:
            yield where, f"{name} has no setting '{key}'; {suggestion(key, known.config)}"
        elif not known.config[key].takes(value):
            yield where, f"'{key}' is {shown(as_written(value))}; give {known.config[key].described()}"


def _optimizations(case: Case, vocabulary: Vocabulary) -> Iterator[Problem]:
    for name in case.optimizations:
        if name not in vocabulary.optimizations:
            hint = suggestion(name, vocabulary.optimizations)
            yield ("optimizations",), f"unknown optimization {quoted(name)}; {hint}"
        else:
            for other in sorted(vocabulary.optimizations[name].intersection(case.optimizations)):
                yield ("optimizations",), f"'{name}' and '{other}' conflict; use one of the two"


def _pipeline(case: Case, vocabulary: Vocabulary) -> Iterator[Problem]:
    known = vocabulary.pipelines
    if case.pipeline is not None and known is not None and case.pipeline not in known:
        hint = suggestion(case.pipeline, known)
        yield ("pipeline",), f"the installed diffusers has no pipeline {quoted(case.pipeline)}; {hint}"


def _load(case: Case, vocabulary: Vocabulary) -> Iterator[Problem]:
    accepted = vocabulary.load_arguments(case.pipeline or vocabulary.pipeline_class(case.model))
    for name in case.load:
        if name in RESERVED_LOAD:
            yield ("load", name), f"'{name}' cannot be set here; {RESERVED_LOAD[name]}"
        elif accepted is not None and name not in accepted:
            hint = suggestion(name, accepted.difference(RESERVED_LOAD))
            yield ("load", name), f"from_pretrained takes no argument '{name}'; {hint}"


def _seeds(case: Case) -> Iterator[Problem]:
    images = batch_size(case.call)
    if isinstance(case.seed, tuple) and len(case.seed) != images:
        made = "1 image" if images == 1 else f"{images} images"
        yield ("seed",), f"{len(case.seed)} seeds for {made}; give one seed, or one per image"


def refuse_unmeasurable(path: Path, plan: Plan, vocabulary: Vocabulary) -> None:
    """Raise `InputError` for the first case of a stored plan that a scenario file could not have asked for."""
    for case in plan.cases:
        for where, message in problems(case, vocabulary):
            place = ".".join(map(str, where))
            raise InputError(f"{path}: the case '{case.key}': {place}: {message}")
