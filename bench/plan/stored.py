"""The plan of a run, as its folder stores it. Somebody else may have written it, so it is checked like a scenario.

Its types are those of a scenario file. Before anything is measured by it, `check.refuse_unmeasurable` applies the rules
of a scenario file too: no argument that loads code, no name that is not one.
"""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator

from bench import files
from bench.errors import InputError
from bench.plan.case import Case, Plan, ScenarioInfo
from bench.plan.fields import Name, Positive, Strict
from bench.plan.scenario import Claim, Settings, Source
from bench.plan.settings import RunSettings

LONGEST_BYTES = 16 * 1024**2
"""A plan of a thousand cases has one megabyte."""


def _file_name(name: str) -> str:
    if not files.is_name(name):
        raise ValueError("it cannot be the name of a file")
    return name


def _key(key: str) -> str:
    scenario, separator, case = key.partition("/")
    if not separator or not files.is_name(scenario) or not files.is_name(case):
        raise ValueError("it is not of the form scenario/case")
    return key


FileName = Annotated[str, AfterValidator(_file_name)]
Key = Annotated[str, AfterValidator(_key)]
Count = Annotated[int, Field(ge=1)]


class _Case(Settings):
    scenario: FileName
    name: FileName
    model: Name
    components: dict[str, Name] = Field(default={})
    baseline: Key | None = None
    claim: Claim | Annotated[dict[str, Any], Field(max_length=0)] = Field(default={}, union_mode="left_to_right")
    note: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, case: Any) -> Any:
        """Return a case without its IP-Adapter if that is {}, as a plan says that there is none."""
        none = isinstance(case, dict) and case.get("ip_adapter") == {}
        return {key: value for key, value in case.items() if key != "ip_adapter"} if none else case


class _Info(Strict):
    scenario: FileName
    title: str
    source: Source | Annotated[dict[str, Any], Field(max_length=0)] = Field(default={}, union_mode="left_to_right")
    axes: list[str] = Field(default=[])


class _Run(Strict):
    device: Annotated[str, Field(pattern=r"^(cuda|cpu|mps|xpu)(:\d+)?$")]
    size: Literal["full", "tiny"]
    weights: Name = "auto"
    hub_reachable: bool = False
    threads: Count | None = None
    samples: Count | None = None
    processes: Count = 1
    trace: bool = False
    memory_trace: bool = False
    diagnose: bool | None = None
    timeout_s: Positive | None = None


class _Stored(Strict):
    scenarios: list[_Info]
    cases: list[_Case]
    run: _Run


_STORED = TypeAdapter(_Stored)


def read_plan(path: Path) -> tuple[Plan, RunSettings]:
    """Return the plan and the settings of a run.

    Raises:
        InputError: the file cannot be read, is not a plan of this version, or contradicts itself.
    """
    try:
        stored = _STORED.validate_json(files.read(path, LONGEST_BYTES))
    except ValidationError as error:
        first = error.errors()[0]
        what = f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
        raise InputError(f"{path}: is not a plan of this version ({what}); the file is damaged") from error
    infos = tuple(ScenarioInfo(**_given(info, "source"), axes=tuple(info.axes)) for info in stored.scenarios)
    plan = Plan(scenarios=infos, cases=tuple(Case.from_json(_given(case, "claim")) for case in stored.cases))
    _refuse_contradiction(path, plan)
    return plan, RunSettings(**stored.run.model_dump())


def _given(stored: Strict, part: str) -> dict[str, Any]:
    """Return what a stored object says, without what it leaves open."""
    found = getattr(stored, part)
    said = stored.model_dump(exclude_none=True, exclude={part, "axes"})
    return {**said, part: found if isinstance(found, dict) else found.model_dump(exclude_unset=True, exclude_none=True)}


def _refuse_contradiction(path: Path, plan: Plan) -> None:
    scenarios, keys = {info.scenario for info in plan.scenarios}, Counter(case.key for case in plan.cases)
    for case in plan.cases:
        wrong = (
            "is there twice" if keys[case.key] > 1
            else "has no scenario" if case.scenario not in scenarios
            else ""
        )  # fmt: skip
        if wrong:
            raise InputError(f"{path}: the case '{case.key}' {wrong}; the file is damaged")
