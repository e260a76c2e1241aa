"""Check a resolved case against what the installed libraries know, before any model is built.

Pipelines swallow misspelt arguments and carry on with their defaults, so a case that says something diffusers does not
know would measure something else than it claims.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.plan.case import SIDE_MULTIPLE, Case, batch_size
from bench.plan.document import Document, Location, shown
from bench.plan.expand import COMPATIBLE, origin
from bench.plan.vocabulary import Vocabulary, suggestion

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
LONGEST_QUOTED = 100
OUTPUT_TYPES = ("pil", "pt", "np", "latent")

_TENSOR = "leave it out, a scenario cannot hold tensors or images"
_CODE = "leave it out, a scenario cannot hold code"
_REMOTE = "leave it out, no remote code is run"
RESERVED_CALL = {
    "generator": "write 'seed:' and 'generator_device:'",
    "return_dict": "leave it out, the harness reads the images by name",
    **dict.fromkeys(("callback", "callback_steps"), _CODE),
    **dict.fromkeys(("callback_on_step_end", "callback_on_step_end_tensor_inputs"), _CODE),
    **dict.fromkeys(("latents", "ip_adapter_image", "ip_adapter_image_embeds"), _TENSOR),
    **dict.fromkeys(("prompt_embeds", "negative_prompt_embeds"), _TENSOR),
    **dict.fromkeys(("pooled_prompt_embeds", "negative_pooled_prompt_embeds"), _TENSOR),
}
RESERVED_LOAD = {
    "dtype": "write 'dtype:' as a key of its own",
    "torch_dtype": "write 'dtype:' as a key of its own",
    "use_safetensors": "leave it out, weights are read from safetensors only",
    **dict.fromkeys(("trust_remote_code", "custom_pipeline", "custom_revision"), _REMOTE),
    "token": "log in with `hf auth login`, what is here is written into the results",
    "proxies": "set HTTPS_PROXY, what is here is written into the results",
    "use_onnx": "leave it out, this harness measures torch pipelines",
}

Problem = tuple[Location, str]


def check(case: Case, where: Location, document: Document, vocabulary: Vocabulary) -> None:
    """Raise `InputError` with file and line for the first thing that is wrong with a case."""
    for path, message in problems(case, vocabulary):
        raise document.error(_written(path, case, where, document), message)


def _written(path: Location, case: Case, where: Location, document: Document) -> Location:
    """Find where a setting was written: in the matrix, which beats the case, which beats the top of the file."""
    value = getattr(case, str(path[0]))
    for part in path[1:]:
        value = value.get(part) if isinstance(value, Mapping) else None
    of_call_or_setting = path[0] == "call" or len(path) == 1
    in_matrix = origin(document, path, _as_written(value)) if of_call_or_setting else path
    candidates: list[Location] = [in_matrix] if in_matrix[:1] == ("matrix",) else []
    candidates += [(*where, *path), path, (*where, path[0]), path[:1], where]
    return next((candidate for candidate in candidates if candidate in document.lines), where)


def _as_written(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def problems(case: Case, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Yield what is wrong with a case: the path of a setting, and what to do about it."""
    yield from _model(case, vocabulary)
    yield from _optimizations(case, vocabulary)
    yield from _scheduler(case, vocabulary)
    yield from _call(case, vocabulary)
    yield from _load(case, vocabulary)
    yield from _seeds(case)


def _model(case: Case, vocabulary: Vocabulary) -> Iterator[Problem]:
    yield from _resolvable("model", case.model, set(vocabulary.models), "model_index.json")
    if case.vae is not None:
        yield from _resolvable("vae", case.vae, set(vocabulary.autoencoders), "config.json")


def _resolvable(kind: str, name: str, known: set[str], marker: str) -> Iterator[Problem]:
    if name in known:
        return
    if _is_folder(name):
        if not (Path(name).expanduser() / marker).is_file():
            yield (kind,), f"the folder '{name}' has no {marker}; give one that diffusers' save_pretrained wrote"
    elif not HUB_ID.fullmatch(name):
        short = {word for word in known if "/" not in word}
        hint = suggestion(name, short)
        yield (kind,), f"unknown {kind} {_quoted(name)}: no known name, no existing folder, no hub id; {hint}"


def _is_folder(name: str) -> bool:
    try:
        return Path(name).expanduser().is_dir()
    except (OSError, RuntimeError, ValueError):  # no such user, too long, a zero byte: no folder has that name
        return False


def _quoted(name: str) -> str:
    return shown(name) if len(name) > LONGEST_QUOTED else f"'{name}'"


def _scheduler(case: Case, vocabulary: Vocabulary) -> Iterator[Problem]:
    known = vocabulary.schedulers
    if case.scheduler == COMPATIBLE:
        yield ("scheduler",), "'compatible' is an axis; write 'matrix: {scheduler: compatible}'"
    elif case.scheduler is not None and known is not None and case.scheduler not in known:
        hint = suggestion(case.scheduler, set(known))
        yield ("scheduler",), f"the installed diffusers has no scheduler {_quoted(case.scheduler)}; {hint}"


def _optimizations(case: Case, vocabulary: Vocabulary) -> Iterator[Problem]:
    for name in case.optimizations:
        if name not in vocabulary.optimizations:
            hint = suggestion(name, set(vocabulary.optimizations))
            yield ("optimizations",), f"unknown optimization {_quoted(name)}; {hint}"
        else:
            for other in sorted(vocabulary.optimizations[name].intersection(case.optimizations)):
                yield ("optimizations",), f"'{name}' and '{other}' conflict; use one of the two"


def _call(case: Case, vocabulary: Vocabulary) -> Iterator[Problem]:
    pipeline = vocabulary.pipeline_class(case.model)
    accepted = vocabulary.call_arguments(pipeline) if pipeline else None
    for name, value in case.call.items():
        where: Location = ("call", name)
        if name in RESERVED_CALL:
            yield where, f"'{name}' cannot be set here; {RESERVED_CALL[name]}"
        elif accepted is not None and name not in accepted:
            yield where, f"{pipeline} takes no call argument '{name}'; {suggestion(name, set(accepted))}"
        elif (message := _VALUES.get(name, _anything)(value)) is not None:
            yield where, f"'{name}' is {shown(_as_written(value))}; {message}"


def _load(case: Case, vocabulary: Vocabulary) -> Iterator[Problem]:
    accepted = vocabulary.load_arguments(vocabulary.pipeline_class(case.model))
    for name in case.load:
        if name in RESERVED_LOAD:
            yield ("load", name), f"'{name}' cannot be set here; {RESERVED_LOAD[name]}"
        elif accepted is not None and name not in accepted:
            hint = suggestion(name, set(accepted).difference(RESERVED_LOAD))
            yield ("load", name), f"from_pretrained reads no argument '{name}'; {hint}"


def _seeds(case: Case) -> Iterator[Problem]:
    images = batch_size(case.call)
    if isinstance(case.seed, tuple) and len(case.seed) != images:
        yield ("seed",), f"{len(case.seed)} seeds for {images} images; give one seed, or one an image"


def _anything(_value: object) -> None:
    return None


def _positive_integer(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        return "give a whole number of at least 1"
    return None


def _side(value: object) -> str | None:
    if _positive_integer(value) or int(str(value)) % SIDE_MULTIPLE:
        return f"give a positive multiple of {SIDE_MULTIPLE} pixels"
    return None


def _number(value: object) -> str | None:
    return None if isinstance(value, (int, float)) and not isinstance(value, bool) else "give a number"


def _text(value: object) -> str | None:
    words = value if isinstance(value, list) else [value]
    return None if words and all(isinstance(word, str) for word in words) else "give a text, or a list of texts"


def _output_type(value: object) -> str | None:
    return None if value in OUTPUT_TYPES else f"give one of {', '.join(OUTPUT_TYPES)}"


_VALUES: dict[str, Callable[[object], str | None]] = {
    "num_inference_steps": _positive_integer,
    "num_images_per_prompt": _positive_integer,
    "height": _side,
    "width": _side,
    "guidance_scale": _number,
    "prompt": _text,
    "prompt_2": _text,
    "negative_prompt": _text,
    "negative_prompt_2": _text,
    "output_type": _output_type,
}
