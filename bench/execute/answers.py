"""What a worker may answer to a question, by the question's `op`.

The interpreter that answers may be another environment's, so an answer is checked as an event is: whoever asked can
rely on its type.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic accepts that of `typing` only from Python 3.12 on

from bench.pipelines.rehearsal import Work
from bench.records.columns import Amount
from bench.records.environment import Rates
from bench.text import is_identifier

LONGEST_FACT = 1_000
"""Characters, of a device's name and the like."""
_CHOICES = {"device": ("cuda", "cpu", "mps", "xpu"), "started_by": ("fork", "spawn")}
_TEXTS = ("device_name", "python", "torch", "torch_build")
_NUMBERS = ("device_memory_bytes", "device_count", "multiprocessors")
"""Facts of a machine that something depends on. The other ones are only shown."""


class InvalidAnswerError(Exception):
    """An answer is not of the type that its question asks for; the message says what is wrong."""


class Obstacle(TypedDict):
    """How a case would end before anything is loaded."""

    status: Literal["skipped", "oom", "failed"]
    reason: str


def _machine(facts: dict[str, Any]) -> dict[str, Any]:
    for name, choices in _CHOICES.items():
        if facts.get(name) not in choices:
            raise ValueError(f"its '{name}' is none of {', '.join(choices)}")
    for name in _TEXTS:
        if not isinstance(facts.get(name), str):
            raise ValueError(f"it has no '{name}'")  # noqa: TRY004 - pydantic reports only a ValueError
    for name in _NUMBERS:
        if not isinstance(facts.get(name), (int, type(None))):
            raise ValueError(f"its '{name}' is not a number")  # noqa: TRY004 - as above
    return facts


def _work(found: dict[str, float]) -> dict[str, float]:
    if found.keys() != {each.name for each in fields(Work)}:
        raise ValueError(f"it has other keys than {', '.join(each.name for each in fields(Work))}")
    return found


def _class_name(name: str) -> str:
    if not is_identifier(name):
        raise ValueError("it is not the name of a class")
    return name


Fact = Annotated[str, Field(max_length=LONGEST_FACT)] | Annotated[int, Field(ge=0, lt=2**63)] | None


ClassNames = list[Annotated[str, AfterValidator(_class_name)]]
_STRICT = ConfigDict(strict=True)
_ANSWERS: Mapping[str, TypeAdapter[Any]] = {
    "probe": TypeAdapter(Annotated[dict[str, Fact], AfterValidator(_machine)], config=_STRICT),
    "hub": TypeAdapter(bool, config=_STRICT),
    "rates": TypeAdapter(Rates),
    "work": TypeAdapter(dict[str, Annotated[dict[str, Amount], AfterValidator(_work)] | None], config=_STRICT),
    "obstacles": TypeAdapter(dict[str, Obstacle | None], config=_STRICT),
    "sizes": TypeAdapter(dict[str, Annotated[int, Field(ge=0)] | None], config=_STRICT),
    "compatible": TypeAdapter(dict[str, ClassNames], config=_STRICT),
}


def checked(op: str, answer: Any) -> Any:
    """Return an answer as it came, if it is of the type of its question.

    Raises:
        InvalidAnswerError: it is not.
    """
    try:
        _ANSWERS[op].validate_python(answer)
    except (ValidationError, RecursionError) as error:
        raise InvalidAnswerError(_reason(error)) from error
    return answer


def _reason(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
