"""Check the arguments of a call against what the pipeline's source says of them: names, values, and what is missing."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench import files
from bench.plan.case import STEP_LISTS, Case
from bench.plan.document import Location, shown
from bench.plan.image_input import image_inputs, is_image, takes_images
from bench.plan.reserved import RESERVED_CALL
from bench.plan.vocabulary import Returns, Signature, Vocabulary, suggestion

Problem = tuple[Location, str]
SIDES = ("height", "width")
LONGEST_QUOTED = 100
OUTPUT_TYPES = ("pil", "pt", "np", "latent")
_PROMPT = re.compile(r"(negative_)?prompt(_\d)?")
_ATTENTION = "attention_kwargs"


def problems(case: Case, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Yield the problems of a call: the path of an argument, and a message (what is wrong; what to do)."""
    pipeline = case.pipeline or vocabulary.pipeline_class(case.model)
    signature = vocabulary.signature(pipeline) if pipeline else None
    if pipeline and signature:
        yield from _returns(("pipeline",) if case.pipeline else ("model",), pipeline, signature)
    for name, value in case.call.items():
        yield from _argument(case, name, value, pipeline, vocabulary)
    yield from _prompts(case.call)
    if pipeline and signature:
        yield from _kinds(case.call, signature)
        yield from _steps(case, pipeline, signature, vocabulary)


def incomplete(case: Case, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Yield what a call lacks, and why the pipeline itself would refuse it; for a call without other problems."""
    pipeline = case.pipeline or vocabulary.pipeline_class(case.model)
    signature = vocabulary.signature(pipeline) if pipeline else None
    if pipeline and signature:
        yield from _missing(case, pipeline, signature, vocabulary)
        yield from _refused(case, pipeline, vocabulary)


def _returns(where: Location, pipeline: str, signature: Signature) -> Iterator[Problem]:
    remedy = "choose a pipeline that returns images or frames"
    if signature.returns is Returns.AUDIO:
        yield where, f"{pipeline} makes audio, which is not measured; {remedy}"
    elif signature.returns is Returns.SOMETHING_ELSE:
        yield where, f"{pipeline} returns neither images nor frames, so nothing of it is measured; {remedy}"


def _argument(case: Case, name: str, value: Any, pipeline: str | None, vocabulary: Vocabulary) -> Iterator[Problem]:
    where: Location = ("call", name)
    pictures = vocabulary.image_arguments(pipeline) if pipeline else None
    accepted = vocabulary.call_arguments(pipeline) if pipeline else None
    if name in RESERVED_CALL:
        yield where, f"'{name}' cannot be set here; {RESERVED_CALL[name]}"
    elif accepted is not None and name not in accepted:
        yield where, f"{pipeline} takes no call argument '{name}'; {suggestion(name, accepted)}"
    elif is_image(value) or takes_images(name, pictures):
        yield from _pictures(where, value, case.call, takes_images(name, pictures) or pictures is None)
    elif name in _REMEDIES and (remedy := _REMEDIES[name](value)) is not None:
        yield where, f"'{name}' is {shown(as_written(value))}; {remedy}"
    elif name in SIDES and (multiple := vocabulary.side_multiple(case.model)) and value % multiple:
        yield where, f"'{name}' is {value}; give a positive multiple of {multiple} pixels"
    elif name in STEP_LISTS and isinstance(value, (list, tuple)) and not value:
        yield where, f"'{name}' is an empty list; give at least one number"
    elif name not in _REMEDIES and pipeline and (signature := vocabulary.signature(pipeline)):
        yield from _typed(where, value, pipeline, signature)
        yield from _attention(where, value, vocabulary)


def quoted(name: str) -> str:
    return shown(name) if len(name) > LONGEST_QUOTED else f"'{name}'"


def as_written(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _typed(where: Location, value: Any, pipeline: str, signature: Signature) -> Iterator[Problem]:
    name = str(where[-1])
    allowed = signature.types.get(name)
    if allowed is None or allowed.takes(value):
        if name in signature.fixed and value != signature.fixed[name]:
            yield where, f"'{name}' is always {signature.fixed[name]!r} in {pipeline}, whatever is given; remove it"
    elif allowed.only_objects:
        yield where, f"'{name}' is not a plain value in {pipeline}, and a scenario has no other; remove it"
    else:
        yield where, f"'{name}' is {shown(as_written(value))}; give {allowed.described()}"


def _attention(where: Location, value: Any, vocabulary: Vocabulary) -> Iterator[Problem]:
    if not str(where[-1]).endswith(_ATTENTION) or not isinstance(value, Mapping):
        return
    known = vocabulary.attention_words()
    for key in value:
        if known and key not in known:
            yield (*where, key), f"diffusers would ignore '{key}' in '{where[-1]}'; {suggestion(key, known)}"


def _prompts(call: Mapping[str, Any]) -> Iterator[Problem]:
    """Check that lists of prompts have one length."""
    counts = {name: _count(value) for name, value in call.items() if _PROMPT.fullmatch(name)}
    prompts = counts.get("prompt")
    for name, count in counts.items():
        if prompts is not None and isinstance(call[name], (list, tuple)) and count != prompts:
            of = "1 prompt" if prompts == 1 else f"{prompts} prompts"
            yield ("call", name), f"'{name}' is a list of {count} for {of}; give one for each prompt"


def _count(prompts: Any) -> int:
    return len(prompts) if isinstance(prompts, (list, tuple)) else 1


def _kinds(call: Mapping[str, Any], signature: Signature) -> Iterator[Problem]:
    """Check that both prompts are strings, or both lists, where the pipeline compares their types."""
    kinds = [isinstance(call[name], str) for name in ("prompt", "negative_prompt") if call.get(name) is not None]
    scale = call.get("guidance_scale", signature.guidance_scale)
    if signature.alike and len(set(kinds)) > 1 and isinstance(scale, (int, float)) and scale > 1:
        wanted = "a string" if kinds[0] else "a list"
        yield ("call", "negative_prompt"), f"'negative_prompt' is not {wanted}, as 'prompt' is; make it one"


def _steps(case: Case, pipeline: str, signature: Signature, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Check that the scheduler takes listed steps, of which it is asked before the first step."""
    given = [name for name in STEP_LISTS if name in signature.step_lists and case.call.get(name) is not None]
    if len(given) > 1:
        yield ("call", given[0]), f"{pipeline} takes 'timesteps' or 'sigmas', but not both; remove one of the two"
    name = case.scheduler or vocabulary.own_scheduler(case.model)
    known = vocabulary.scheduler(name) if name else None
    accepted = known.step_arguments if known else None
    for steps in given:
        if accepted is not None and steps not in accepted:
            yield ("call", steps), f"{name} takes no '{steps}'; remove it, or choose another scheduler"


def _missing(case: Case, pipeline: str, signature: Signature, vocabulary: Vocabulary) -> Iterator[Problem]:
    for name in signature.required:
        if case.call.get(name) is None:
            yield ("call",), _needs(pipeline, [name], signature, vocabulary)


def _needs(pipeline: str, names: list[str], signature: Signature, vocabulary: Vocabulary) -> str:
    """Say that a call needs one of some arguments, of those first that a scenario can give."""
    pictures = vocabulary.image_arguments(pipeline) or frozenset()
    impossible = {
        name for name in names if name in RESERVED_CALL or (_only_objects(name, signature) and name not in pictures)
    }
    possible = [name for name in names if name not in impossible]
    if not possible:
        return f"{pipeline} needs '{names[0]}', which a scenario cannot contain; choose another pipeline"
    wanted = " or ".join(f"'{name}'" for name in possible)
    how = ", a path or {synthetic: KIND, height: .., width: ..}," if possible[0] in pictures else ""
    return f"{pipeline} needs {wanted}; add it{how} to 'call:'"


def _only_objects(name: str, signature: Signature) -> bool:
    return name in signature.types and signature.types[name].only_objects


def _refused(case: Case, pipeline: str, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Check a call as the pipeline itself would, as far as that is certain."""
    known = vocabulary.image_arguments(pipeline)
    pictures = frozenset(name for name, value in case.call.items() if is_image(value) or takes_images(name, known))
    refusal, signature = vocabulary.refusal(pipeline, case.call, pictures), vocabulary.signature(pipeline)
    if refusal is None or signature is None:
        return
    if refusal.lacking:
        yield ("call",), _needs(pipeline, list(refusal.lacking), signature, vocabulary)
    else:
        where: Location = ("call", *refusal.given[:1])
        yield where, f"{pipeline} would refuse this call; it says: {refusal.message}"


def _pictures(where: Location, value: Any, call: Mapping[str, Any], takes: bool) -> Iterator[Problem]:
    if not takes:
        yield where, f"'{where[-1]}' takes no picture; give it another value"
        return
    try:
        inputs = image_inputs(value, call)
    except ValueError as error:
        yield where, f"'{where[-1]}' cannot be used: {error}"
        return
    for each in inputs:
        if each.path is not None and not files.is_file(Path(each.path)):
            yield where, f"'{where[-1]}': there is no file {quoted(each.path)}; give a path relative to this file"


def _positive_integer(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        return "give a whole number of at least 1"
    return None


def _number(value: object) -> str | None:
    return None if isinstance(value, (int, float)) and not isinstance(value, bool) else "give a number"


def _strings(value: object) -> str | None:
    words = value if isinstance(value, list) else [value]
    return None if words and all(isinstance(word, str) for word in words) else "give a string, or a list of strings"


def _output_type(value: object) -> str | None:
    return None if value in OUTPUT_TYPES else f"give one of {', '.join(OUTPUT_TYPES)}"


_REMEDIES: dict[str, Callable[[object], str | None]] = {
    **dict.fromkeys(("num_inference_steps", "num_images_per_prompt", "batch_size", *SIDES), _positive_integer),
    **dict.fromkeys(("prompt", "prompt_2", "negative_prompt", "negative_prompt_2"), _strings),
    "guidance_scale": _number,
    "output_type": _output_type,
}
"""What to do about the value of a call argument; None if it is fine."""
