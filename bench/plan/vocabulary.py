"""The names that a scenario may use. The plan itself knows no models or optimizations; its caller passes them in."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

MAX_LISTED = 24
"""The most words that one error message lists."""


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
    side_multiple: Callable[[str], int | None]


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `did you mean 'x'?`, or `choose from: ...` if no known word is close."""
    names = sorted(known)
    longer = [name for name in names if word and name.lower().startswith(word.lower())]
    if best := next(iter([*get_close_matches(word, names, n=1, cutoff=0.6), *longer]), None):
        return f"did you mean '{best}'?"
    return f"choose from: {', '.join(names[:MAX_LISTED])}{' ...' if len(names) > MAX_LISTED else ''}"
