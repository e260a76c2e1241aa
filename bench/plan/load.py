"""From scenario files to a plan: read, validate, expand, check, choose."""

from collections.abc import Container, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bench import files
from bench.errors import InputError
from bench.plan.adapters import SUFFIX
from bench.plan.case import Case, JsonObject, Plan, ScenarioInfo
from bench.plan.check import COMPONENT, PIPELINE, check, written
from bench.plan.document import SUFFIXES, Document, Location, read
from bench.plan.expand import ALLOWED, Schedulers, cases
from bench.plan.explain import explain
from bench.plan.image_input import is_image, located, takes_images
from bench.plan.paths import MissingFolderError, located_model, located_weights
from bench.plan.scenario import Scenario
from bench.plan.vocabulary import Vocabulary, suggestion
from bench.version import PACKAGE

FOLDER = Path("scenarios")


def find(names: Sequence[str]) -> list[Path]:
    """Return the files of scenarios given by path, by folder or by name; without names, all of the first folder.

    Raises:
        InputError: a name is none of these, a folder contains no scenario, or two files have the same name.
    """
    found = [path for name in names or [str(folders()[0])] for path in _find(name)]
    unique = list({path.resolve(): path for path in reversed(found)}.values())[::-1]
    stems = [path.stem for path in unique]
    for path in unique:
        if stems.count(path.stem) > 1:
            raise InputError(f"{path}:1: two scenarios are named '{path.stem}', which would mix their rows; rename one")
    return unique


def folders() -> list[Path]:
    """Return where names are looked up: `scenarios/` in the current directory, then the scenarios of this package."""
    inside = PACKAGE / FOLDER  # where the build puts them
    return [*([FOLDER] if FOLDER.is_dir() else []), inside if inside.is_dir() else PACKAGE.parent / FOLDER]


def _find(name: str) -> list[Path]:
    path = Path(name)
    if path.is_dir():
        inside = sorted([*path.glob("*.yaml"), *path.glob("*.yml")])
        if not inside:
            raise InputError(f"{path}: contains no scenario (*.yaml); give a file, or a folder that contains one")
        return inside
    if path.suffix in SUFFIXES or path.exists():
        return [path]
    for folder in folders():
        if (folder / f"{name}.yaml").is_file():
            return [folder / f"{name}.yaml"]
    known = sorted({scenario.stem for folder in folders() for scenario in folder.glob("*.yaml")})
    raise InputError(f"unknown scenario '{name}'; {suggestion(name, known)}")


def load(paths: Sequence[Path], vocabulary: Vocabulary, compatible: Schedulers) -> Plan:
    """Load scenario files into a plan.

    Raises:
        InputError: the first thing that cannot be measured as written, as `file:line: what is wrong; what to do`.
    """
    loaded = [load_file(path, vocabulary, compatible) for path in paths]
    return Plan(
        scenarios=tuple(info for info, _ in loaded),
        cases=tuple(case for _, written in loaded for case, _ in written),
    )


def load_file(
    path: Path, vocabulary: Vocabulary, compatible: Schedulers
) -> tuple[ScenarioInfo, list[tuple[Case, tuple[Path, int]]]]:
    """Load one scenario file: its description, and its cases with the file and line of each.

    Raises:
        InputError: as `load` does.
    """
    document = read(path)
    scenario = _validate(document)
    own = partial(_model, document=document, vocabulary=vocabulary)
    expanded = cases(
        scenario, document, lambda model: compatible(own(model, ("model",))), list(vocabulary.optimizations)
    )
    resolved = [(_located(case, where, document, vocabulary), where) for case, where in expanded]
    _check_all(resolved, document, vocabulary)
    source = scenario.source.model_dump(exclude_none=True) if scenario.source else {}
    axes = tuple(scenario.matrix.axes) if scenario.matrix else ()
    info = ScenarioInfo(scenario=path.stem, title=scenario.title, source=source, axes=axes)
    return info, [(case, document.place(where)) for case, where in resolved]


def _located(case: Case, where: Location, document: Document, vocabulary: Vocabulary) -> Case:
    """Return a case with absolute paths, each relative to the file in which it was written."""
    model = _model(case.model, written(("model",), case, where, document), document, vocabulary)
    vae = case.vae
    if vae is not None:
        vae = _folder(vae, written(("vae",), case, where, document), document, COMPONENT, vocabulary.autoencoders)
    components = {
        role: _folder(name, written((role,), case, where, document), document, COMPONENT, ())
        for role, name in case.components.items()
    }
    case = replace(case, model=model, vae=vae, components=components, **_adapters(case, where, document))
    pipeline = case.pipeline or vocabulary.pipeline_class(case.model)
    known = vocabulary.image_arguments(pipeline) if pipeline else None
    call = dict(case.call)
    for name, value in case.call.items():
        if is_image(value) or takes_images(name, known):
            file, _ = document.place(written(("call", name), case, where, document))
            call[name] = located(value, file.parent)
    return replace(case, call=call)


def _adapters(case: Case, where: Location, document: Document) -> dict[str, Any]:
    """Return the adapters of a case with absolute paths."""

    def found(setting: str, adapter: JsonObject) -> JsonObject:
        if "path" not in adapter:
            return adapter
        at = written((setting,), case, where, document)
        file, _ = document.place(at)
        try:
            return {**adapter, "path": located_weights(adapter["path"], file.parent, SUFFIX)}
        except MissingFolderError as error:
            raise document.error(at, str(error)) from error

    return {
        "lora": tuple(found("lora", each) for each in case.lora),
        "ip_adapter": found("ip_adapter", case.ip_adapter),
    }


def _model(name: str, at: Location, document: Document, vocabulary: Vocabulary) -> str:
    return _folder(name, at, document, PIPELINE, vocabulary.models)


def _folder(name: str, at: Location, document: Document, marker: str, known: Container[str]) -> str:
    file, _ = document.place(at)
    try:
        return located_model(name, file.parent, marker, known=name in known)
    except MissingFolderError as error:
        raise document.error(at, str(error)) from error


def _check_all(resolved: list[tuple[Case, Location]], document: Document, vocabulary: Vocabulary) -> None:
    keys = {case.key for case, _ in resolved}
    seen, names = dict[str, str](), dict[str, str]()
    for case, where in resolved:
        if case.baseline is not None and case.baseline not in keys:
            at = (*where, "baseline") if (*where, "baseline") in document.lines else ("baseline",)
            name = case.baseline.split("/", 1)[1]
            hint = suggestion(name, {key.split("/", 1)[1] for key in keys})
            raise document.error(at, f"the baseline '{name}' is not a case of this scenario; {hint}")
        first = seen.setdefault(case.settings(), case.name)
        if first != case.name:
            raise document.error(where, f"the case '{case.name}' repeats '{first}'; remove one, or change a setting")
        first = names.setdefault(case.name.casefold(), case.name)
        if first != case.name:
            raise document.error(where, f"'{case.name}' and '{first}' are one file on some systems; rename one")
    for case, where in resolved:
        check(case, where, document, vocabulary)


def _validate(document: Document) -> Scenario:
    if not files.is_name(document.path.stem):
        raise document.error((), f"the file's name is part of its rows' names; use {ALLOWED}")
    try:
        return Scenario.model_validate(document.data)
    except ValidationError as error:
        raise document.error(*explain(error, document.data)) from error


def choose(plan: Plan, patterns: Sequence[str]) -> tuple[Plan, list[str]]:
    """Keep the cases whose keys match a pattern, and the baselines that they need.

    Returns:
        the smaller plan, and the keys of the baselines that no pattern matched.

    Raises:
        InputError: a pattern matches nothing.
    """
    if not patterns:
        return plan, []
    wanted: set[str] = set()
    for pattern in patterns:
        matching = {case.key for case in plan.cases if fnmatchcase(case.key, pattern)}
        if not matching:
            hint = suggestion(pattern, [case.key for case in plan.cases]) if plan.cases else "the plan is empty"
            raise InputError(f"--only '{pattern}' matches no case; {hint}")
        wanted |= matching
    needed = {case.baseline for case in plan.cases if case.key in wanted and case.baseline}
    kept = tuple(case for case in plan.cases if case.key in wanted | needed)
    names = {case.scenario for case in kept}
    scenarios = tuple(info for info in plan.scenarios if info.scenario in names)
    return Plan(scenarios=scenarios, cases=kept), sorted(needed - wanted)
