"""From scenario files to a plan: read, validate, expand, check, choose."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import ValidationError

from bench.errors import InputError
from bench.plan.case import Case, Plan, ScenarioInfo
from bench.plan.check import check
from bench.plan.document import Document, Location, read
from bench.plan.expand import SAFE_NAME, Schedulers, cases
from bench.plan.explain import explain
from bench.plan.scenario import Scenario
from bench.plan.vocabulary import Vocabulary, suggestion

FOLDER = Path("scenarios")


def find(names: Sequence[str], folder: Path = FOLDER) -> list[Path]:
    """Return the files of scenarios given by path, by folder or by name; all of `folder` where none is given.

    Raises:
        InputError: a name is neither, or a folder holds no scenario.
    """
    found = [path for name in names or [str(folder)] for path in _find(name, folder)]
    unique = list({path.resolve(): path for path in reversed(found)}.values())[::-1]
    stems = [path.stem for path in unique]
    for path in unique:
        if stems.count(path.stem) > 1:
            raise InputError(
                f"{path}:1: two scenarios are called '{path.stem}'; rename one, rows are joined by that name"
            )
    return unique


def _find(name: str, folder: Path) -> list[Path]:
    path = Path(name)
    if path.is_dir():
        inside = sorted([*path.glob("*.yaml"), *path.glob("*.yml")])
        if not inside:
            raise InputError(f"{path}: has no scenario (*.yaml); give a file, or a folder that holds one")
        return inside
    if path.suffix in {".yaml", ".yml"} or path.exists():
        return [path]
    named = folder / f"{name}.yaml"
    if named.is_file():
        return [named]
    known = [scenario.stem for scenario in folder.glob("*.yaml")]
    hint = (
        suggestion(name, known) if known else f"there is no folder {folder}/ here; run from a checkout, or give a path"
    )
    raise InputError(f"unknown scenario '{name}'; {hint}")


def load(paths: Sequence[Path], vocabulary: Vocabulary, compatible: Schedulers) -> Plan:
    """Load scenario files into a plan, refusing whatever cannot be measured as written.

    Raises:
        InputError: `file:line: what is wrong; what to do`, for the first fault found.
    """
    loaded = [load_file(path, vocabulary, compatible) for path in paths]
    return Plan(
        tables=tuple(table for table, _ in loaded),
        cases=tuple(case for _, written in loaded for case, _ in written),
    )


def load_file(
    path: Path, vocabulary: Vocabulary, compatible: Schedulers
) -> tuple[ScenarioInfo, list[tuple[Case, tuple[Path, int]]]]:
    """Load one scenario file: its table, and its cases, each with the file and the line that it was written in.

    Raises:
        InputError: as `load` does.
    """
    document = read(path)
    scenario = _validate(document)
    resolved = cases(scenario, document, compatible, list(vocabulary.optimizations))
    _check_all(resolved, document, vocabulary)
    source = scenario.source.model_dump(exclude_none=True) if scenario.source else {}
    axes = tuple(scenario.matrix.axes) if scenario.matrix else ()
    table = ScenarioInfo(scenario=path.stem, title=scenario.title, source=source, axes=axes)
    return table, [(case, document.place(where)) for case, where in resolved]


def _check_all(resolved: list[tuple[Case, Location]], document: Document, vocabulary: Vocabulary) -> None:
    keys = {case.key for case, _ in resolved}
    seen: dict[str, str] = {}
    for case, where in resolved:
        check(case, where, document, vocabulary)
        if case.baseline is not None and case.baseline not in keys:
            at = (*where, "baseline") if (*where, "baseline") in document.lines else ("baseline",)
            name = case.baseline.split("/", 1)[1]
            hint = suggestion(name, {key.split("/", 1)[1] for key in keys})
            raise document.error(at, f"the baseline '{name}' is no case of this scenario; {hint}")
        twin = seen.setdefault(case.settings(), case.name)
        if twin != case.name:
            raise document.error(where, f"the case '{case.name}' repeats '{twin}'; remove one, or change a setting")


def _validate(document: Document) -> Scenario:
    if not SAFE_NAME.fullmatch(document.path.stem):
        allowed = "letters, digits, '.', '_', '+' and '-'"
        raise InputError(f"{document.path}:1: the file's name names its rows; use {allowed}")
    try:
        return Scenario.model_validate(document.data)
    except ValidationError as error:
        raise document.error(*explain(error, document.data)) from error


def choose(plan: Plan, patterns: Sequence[str]) -> tuple[Plan, list[str]]:
    """Keep the cases whose key matches a pattern, and the baselines that they need.

    Returns:
        the smaller plan, and the keys of the baselines that were added though no pattern matched them.

    Raises:
        InputError: a pattern matches nothing.
    """
    if not patterns:
        return plan, []
    for pattern in patterns:
        if not any(fnmatchcase(case.key, pattern) for case in plan.cases):
            hint = suggestion(pattern, {case.key for case in plan.cases}) if len(plan.cases) else "the plan is empty"
            raise InputError(f"--only '{pattern}' matches no case; {hint}")
    wanted = {case.key for case in plan.cases if any(fnmatchcase(case.key, pattern) for pattern in patterns)}
    needed = {case.baseline for case in plan.cases if case.key in wanted and case.baseline}
    kept = tuple(case for case in plan.cases if case.key in wanted | needed)
    scenarios = {case.scenario for case in kept}
    tables = tuple(table for table in plan.tables if table.scenario in scenarios)
    return Plan(tables=tables, cases=kept), sorted(needed - wanted)
