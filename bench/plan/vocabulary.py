"""The names a scenario may use. The plan knows no model and no optimization itself: the door hands them in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

MOST_LISTED = 24
"""Words that one error message lists at the most."""


@dataclass(frozen=True)
class Vocabulary:
    """What the installed libraries and this project know; None where that cannot be told without loading a model.

    Attributes:
        models: name or hub id -> name of the pipeline class, for every model with published facts.
        autoencoders: names and hub ids of the autoencoders with published facts.
        optimizations: name -> the optimizations it cannot be combined with, in the order they are applied.
        schedulers: class names of the installed diffusers.
        load_arguments: pipeline class (None: any) -> what the installed `from_pretrained` reads.
        pipeline_class: model -> its pipeline class, also for a local folder.
        call_arguments: pipeline class -> what its `__call__` takes.
    """

    models: Mapping[str, str]
    autoencoders: frozenset[str]
    optimizations: Mapping[str, frozenset[str]]
    schedulers: frozenset[str] | None
    load_arguments: Callable[[str | None], frozenset[str] | None]
    pipeline_class: Callable[[str], str | None]
    call_arguments: Callable[[str], frozenset[str] | None]


def suggestion(word: str, known: frozenset[str] | set[str] | list[str]) -> str:
    """Return `did you mean 'x'?`, or the words there are where none is close and they are few."""
    close = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    longer = [name for name in sorted(known) if word and name.lower().startswith(word.lower())]
    if close or longer:
        return f"did you mean '{(close or longer)[0]}'?"
    listed = sorted(known)[:MOST_LISTED]
    return f"there are: {', '.join(listed)}{' ...' if len(known) > MOST_LISTED else ''}"
