"""The names that a scenario may use. The plan itself knows no models or optimizations; its caller passes them in."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum, auto
from pathlib import Path
from typing import Any

from bench.plan.case import Case
from bench.plan.plain_types import PlainType

MAX_LISTED = 24
"""The most words that one error message lists."""


class Returns(StrEnum):
    """What a pipeline returns; pictures also where that cannot be read from its source."""

    PICTURES = auto()
    AUDIO = auto()
    SOMETHING_ELSE = auto()


@dataclass(frozen=True)
class Signature:
    """What a pipeline's `__call__` accepts.

    Attributes:
        types: of the values of each argument.
        required: the arguments that every call needs.
        fixed: the arguments that have the same value in every call, whatever is given.
        step_lists: `timesteps` and `sigmas`, where the scheduler decides whether it takes them.
        alike: whether the negative prompt must be a string if the prompt is one, and else a list.
        guidance_scale: its default; None if it has none.
        returns: what a call gives.
    """

    types: Mapping[str, PlainType]
    required: tuple[str, ...]
    fixed: Mapping[str, Any]
    step_lists: frozenset[str]
    alike: bool
    guidance_scale: float | None
    returns: Returns


@dataclass(frozen=True)
class Scheduler:
    """What a scheduler accepts: the types of its configuration, and the arguments of `set_timesteps` if it has one."""

    config: Mapping[str, PlainType]
    step_arguments: frozenset[str] | None


@dataclass(frozen=True)
class Refusal:
    """Why a pipeline would refuse a call.

    Attributes:
        given: the arguments at fault that were given.
        lacking: the arguments of which one is needed.
        message: the pipeline's own.
    """

    given: tuple[str, ...]
    lacking: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class FolderFault:
    """Why a saved model cannot be loaded, and what to do.

    Attributes:
        message: both.
        variant: the variant of weights that would be loaded if it were asked for.
        asked: whether another variant was asked for.
    """

    message: str
    variant: str | None = None
    asked: bool = False


@dataclass(frozen=True)
class Vocabulary:
    """What the installed libraries and this project know; None where only a loaded model would show it.

    Attributes:
        models: name or hub id -> pipeline class, for every model with published facts.
        autoencoders: names and hub ids of the autoencoders with published facts.
        optimizations: name -> the optimizations it conflicts with, in the order they are applied.
        schedulers: class names in the installed diffusers.
        pipelines: class names in the installed diffusers.
        load_arguments: pipeline class (None: any) -> the arguments that `from_pretrained` reads.
        pipeline_class: model -> its pipeline class, also for a local folder.
        call_arguments: pipeline class -> the arguments that its `__call__` takes.
        image_arguments: pipeline class -> those of them that take pictures or videos.
        signature: pipeline class -> what its `__call__` accepts.
        refusal: pipeline class, arguments of a call, and those that are pictures -> why it would refuse the call.
        scheduler: class name -> what that scheduler accepts.
        own_scheduler: model -> the class of its scheduler, also for a local folder.
        model_fault: case whose model is a folder -> why that cannot be loaded.
        component_fault: folder of an autoencoder -> why it cannot be loaded.
        adapter_fault: file or folder of an adapter, its kind and its settings -> why it cannot be loaded.
        attention_words: returns the keys of `cross_attention_kwargs` and its like that are not ignored.
        side_multiple: model -> what the sides of its pictures must be divisible by.
    """

    models: Mapping[str, str]
    autoencoders: frozenset[str]
    optimizations: Mapping[str, frozenset[str]]
    schedulers: frozenset[str] | None
    pipelines: frozenset[str] | None
    load_arguments: Callable[[str | None], frozenset[str] | None]
    pipeline_class: Callable[[str], str | None]
    call_arguments: Callable[[str], frozenset[str] | None]
    image_arguments: Callable[[str], frozenset[str] | None]
    signature: Callable[[str], Signature | None]
    refusal: Callable[[str, Mapping[str, Any], frozenset[str]], Refusal | None]
    scheduler: Callable[[str], Scheduler | None]
    own_scheduler: Callable[[str], str | None]
    model_fault: Callable[[Case], FolderFault | None]
    component_fault: Callable[[Path], FolderFault | None]
    adapter_fault: Callable[[Path, str, Mapping[str, Any]], FolderFault | None]
    attention_words: Callable[[], frozenset[str]]
    side_multiple: Callable[[str], int | None]


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `did you mean 'x'?`, or `choose from: ...` if no known word is close."""
    names = sorted(known)
    longer = [name for name in names if word and name.lower().startswith(word.lower())]
    if best := next(iter([*get_close_matches(word, names, n=1, cutoff=0.6), *longer]), None):
        return f"did you mean '{best}'?"
    return f"choose from: {', '.join(names[:MAX_LISTED])}{' ...' if len(names) > MAX_LISTED else ''}"
