"""The Python code that does what a case does, in plain torch and diffusers, for a user to paste.

It is written from the plan's case and from what the row says about the weights, line by line what `build` does; a test
runs it and compares its images with the harness's. Imports no torch, because code is text.

A case may be somebody else's. So every key is an identifier and every value a literal, and the program is parsed again
and compared with what was meant: a person is going to run it.

Everywhere here `measured` is the row's settings (`records.models.Settings`).
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from bench import text
from bench.errors import InputError
from bench.pipelines import adapters_code, architectures, diffusers_api, latents, pasted, python_code, readback
from bench.pipelines.component_names import has_checker, names_of
from bench.pipelines.images import VIDEO_FIELDS
from bench.pipelines.optimizations import TABLE, When, placed_by_one
from bench.pipelines.readback import VARIABLE, Call
from bench.pipelines.roles import Role
from bench.pipelines.signatures import DRAWN_FIELDS
from bench.pipelines.source import ONLY_SAFETENSORS, WITHOUT_CHECKER
from bench.plan.case import Case
from bench.plan.image_input import images_of
from bench.plan.scenario import Dtype
from bench.text import is_identifier

_SAVE = """\
for index, image in enumerate(images):
    image.save(f"image-{index}.png")"""

_TO_PIL = {
    "np": "images = VaeImageProcessor.numpy_to_pil(images)",
    "pt": "images = VaeImageProcessor.numpy_to_pil(VaeImageProcessor.pt_to_numpy(images))",
}
_STACKED = {"np": "numpy.stack", "pt": "torch.stack"}


def snippet(case: Case, measured: Any) -> str:
    """Return a whole program that makes the images of a case and saves them.

    Args:
        case: of the plan, full-size even if a tiny model was measured.
        measured: the row's settings: where the weights came from, the device, the threads.

    Raises:
        InputError: a setting cannot be written as a literal, so the case was not measured as it says.
    """
    _refuse_untyped(case, measured)
    by_row = [section(case, measured) for section in (_process, _loading, _building)]
    sections = [*by_row, pasted.lines(case), _calling(case, measured), _saving(case, measured)]
    imports, bodies = python_code.hoisted([list(lines) for lines in sections])
    parts = [_comments(case, measured), imports, *bodies]
    program = "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"
    statements = sum(python_code.statements(lines) for lines in [imports, *bodies])
    try:
        readback.verify(program, statements, case.dtype, list(_meant(case, measured)))
    except ValueError as error:
        raise _unwritable(case, str(error)) from error
    return program


def _refuse_untyped(case: Case, measured: Any) -> None:
    """Raise `InputError` for a setting that is written into the program as it is, but is not of its type."""
    seeds = case.seed if isinstance(case.seed, tuple) else (case.seed,)
    wrong = {
        "dtype": case.dtype not in get_args(Dtype),
        "seed": not all(type(seed) is int for seed in seeds),
        "pipeline": case.pipeline is not None and not is_identifier(case.pipeline),
        "scheduler": case.scheduler is not None and not is_identifier(case.scheduler),
        "device": type(measured.device) is not str,
        "weights": type(measured.weights_from) is not str,
        "threads": type(measured.threads) not in {int, type(None)},
    }
    for name, is_wrong in wrong.items():
        if is_wrong:
            raise _unwritable(case, f"its {name} is not one")


def _meant(case: Case, measured: Any) -> Iterator[Call]:
    yield "pipe", True, {**_plain(_call_of(case, measured)), **dict.fromkeys(images_of(case.call), VARIABLE)}
    yield from (("open", path, {}) for path in pasted.paths(case))
    name, keywords = _pipeline_from(case, measured)
    components = _components_from(case, measured)
    yield "from_pretrained", name, {**keywords, **dict.fromkeys(components, VARIABLE)}
    yield from (("from_pretrained", name, {**ONLY_SAFETENSORS, **revision}) for name, revision in components.values())
    yield from adapters_code.calls(case, measured)
    if case.vae is not None:
        yield "from_pretrained", *_vae_from(case.vae, measured)
    if case.scheduler is not None or case.scheduler_config:
        yield "from_config", "pipe.scheduler.config", _plain(diffusers_api.scheduler_config(case))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (tuple, list)) else value


def _unwritable(case: Case, reason: str) -> InputError:
    return InputError(f"the case '{case.key}' cannot be written as a program ({reason}); correct its scenario")


def _said(words: object) -> str:
    """Return words of somebody else for a comment: on one line, in ASCII."""
    return text.printable(" ".join(str(words).split())).encode("ascii", "backslashreplace").decode("ascii")


def _comments(case: Case, measured: Any) -> list[str]:
    if measured.size == "tiny":
        return [
            f"# {_said(case.key)}. Only its tiny model was measured; this code runs the full-size model, which was not."
        ]
    lines = [f"# {_said(case.key)}, as it was measured."]
    if measured.weights == "random":
        lines.append(f"# The weights were random, in the published shapes of {_said(measured.weights_from)}.")
    elif measured.vae_weights == "random":
        lines.append("# The weights of the autoencoder were random.")
    elif adapters_code.replaced_by_random(measured):
        lines.append("# The weights of a LoRA were random.")
    return [*lines, "# This code loads the trained ones."] if len(lines) > 1 else lines


def _process(case: Case, measured: Any) -> Iterator[str]:
    yield "import torch"
    yield f"device = {python_code.quoted(measured.device)}"
    if measured.device == "cpu" and measured.threads is not None:
        yield f"torch.set_num_threads({measured.threads})  # as measured"
    yield from _applied(case, measured, When.PROCESS)


def _loading(case: Case, measured: Any) -> Iterator[str]:
    pipeline = case.pipeline or "DiffusionPipeline"
    yield f"from diffusers import {pipeline}"
    for role, (name, revision) in _components_from(case, measured).items():
        yield "from diffusers import AutoModel"
        yield from _from_pretrained(f"{role} = AutoModel", case.dtype, name, {**ONLY_SAFETENSORS, **revision})
    yield from _from_pretrained(f"pipe = {pipeline}", case.dtype, *_pipeline_from(case, measured), case.components)
    if case.vae is not None:
        yield "from diffusers import AutoModel"
        yield from _from_pretrained("pipe.vae = AutoModel", case.dtype, *_vae_from(case.vae, measured))
    if case.scheduler is not None:
        yield f"from diffusers import {case.scheduler}"
    if case.scheduler is not None or case.scheduler_config:
        arguments = ["pipe.scheduler.config", *python_code.keywords(diffusers_api.scheduler_config(case))]
        yield from python_code.call(
            f"pipe.scheduler = {case.scheduler or 'type(pipe.scheduler)'}.from_config", arguments
        )
    yield from adapters_code.lines(case, measured)


def _pipeline_from(case: Case, measured: Any) -> tuple[str, dict[str, Any]]:
    """Return the folder or hub id of a case's pipeline, and the keywords to load it with."""
    name, revision = _published(case.model, measured.weights, measured.weights_from, measured.revision)
    checker = WITHOUT_CHECKER if not case.safety_checker and has_checker(name, measured.pipeline) else {}
    return name, {**ONLY_SAFETENSORS, **revision, **_plain(case.load), **checker, **ONLY_SAFETENSORS}


def _vae_from(vae: str, measured: Any) -> tuple[str, dict[str, Any]]:
    name, revision = _published(vae, measured.vae_weights, measured.vae_weights_from, measured.vae_revision)
    return name, {**ONLY_SAFETENSORS, **revision}


def _components_from(case: Case, measured: Any) -> dict[str, tuple[str, dict[str, str]]]:
    """Return the folder or hub id of each component that a case names, and its revision, by role."""
    known = measured.components or {}
    found = {}
    for role, wanted in case.components.items():
        origin = known.get(role)
        if not isinstance(origin, dict) or not isinstance(origin.get("name"), str):
            raise _unwritable(case, f"it is not known where the weights of its {role} came from")
        found[role] = _published(wanted, str(origin.get("weights")), origin["name"], origin.get("revision"))
    return found


def _from_pretrained(
    target: str, dtype: str, name: str, keywords: Mapping[str, Any], variables: Iterable[str] = ()
) -> Iterator[str]:
    given = [f"{variable}={variable}" for variable in variables]
    arguments = [python_code.quoted(name), *given, f"dtype=torch.{dtype}", *python_code.keywords(keywords)]
    return python_code.call(f"{target}.from_pretrained", arguments)


def _building(case: Case, measured: Any) -> Iterator[str]:
    yield from _applied(case, measured, When.PLACE)
    if not placed_by_one(case.optimizations) and "device_map" not in case.load:
        yield "pipe.to(device)"
    yield from _applied(case, measured, When.BUILT)


def _applied(case: Case, measured: Any, when: When) -> Iterator[str]:
    for optimization in TABLE.values():
        if optimization.name in case.optimizations and optimization.when == when:
            yield from _code(optimization.code, measured).splitlines()


def _code(template: str, measured: Any) -> str:
    """Return the code of an optimization: one copy for each denoiser or autoencoder that it names."""
    if "{autoencoder}" in template:
        return "\n".join(template.format(autoencoder=name) for name in names_of(measured, Role.AUTOENCODER))
    if "{denoiser}" in template:
        return "\n".join(template.format(denoiser=name) for name in names_of(measured, Role.DENOISER))
    return template


def _calling(case: Case, measured: Any) -> Iterator[str]:
    place = '"cpu"' if case.generator_device == "cpu" else "device"
    first = case.seed[0] if isinstance(case.seed, tuple) else case.seed
    yield f"torch.manual_seed({first})  # for noise that is drawn without the generator"
    if isinstance(case.seed, tuple):
        yield f"generator = [torch.Generator({place}).manual_seed(seed) for seed in {list(case.seed)}]"
    else:
        yield f"generator = torch.Generator({place}).manual_seed({case.seed})"
    pictures = dict.fromkeys(images_of(case.call))
    call = _call_of(case, measured)
    keywords = python_code.keywords({**call, **pictures})
    given = [f"{name}={name}" if name in pictures else keyword for name, keyword in zip(call, keywords, strict=True)]
    field = _drawn_field(measured)
    drawn = "videos" if field in VIDEO_FIELDS else "images"
    lines = list(python_code.call(f"{drawn} = pipe", [*given, "generator=generator"], after=f".{field}"))
    context = [TABLE[name].code for name in case.optimizations if TABLE[name].when == When.AROUND]
    yield from [f"with {context[0]}:", *(f"    {line}" for line in lines)] if context else lines


def _call_of(case: Case, measured: Any) -> Mapping[str, Any]:
    """Return the arguments of a case's call; the harness asks for PIL images where a class makes others by default."""
    default = diffusers_api.default_output_type(str(measured.pipeline))
    return {**({} if default in {None, "pil"} else {"output_type": "pil"}), **case.call}


def _drawn_field(measured: Any) -> str:
    """Return where the output of a pipeline has what was drawn."""
    known = diffusers_api.output_fields(str(measured.pipeline)) or ()
    return next((name for name in DRAWN_FIELDS if name in known), DRAWN_FIELDS[0])


def _saving(case: Case, measured: Any) -> Iterator[str]:
    output = str(case.call.get("output_type", "pil"))
    if _drawn_field(measured) in VIDEO_FIELDS:
        yield from _saving_frames(output, measured)
        return
    if output in _TO_PIL:
        yield "from diffusers.image_processor import VaeImageProcessor"
        yield _TO_PIL[output]
    elif output == "latent":
        decoding = latents.code(measured.pipeline, case.call)
        if not decoding:
            yield f"# It is not known how {_said(measured.pipeline)} turns these latents into pictures."
            return
        yield from decoding
    yield from _SAVE.splitlines()


def _saving_frames(output: str, measured: Any) -> Iterator[str]:
    """Yield the lines that save the frames of each video that the harness keeps."""
    if output == "latent":
        yield f"# It is not known how {_said(measured.pipeline)} turns these latents into frames."
        return
    yield "kept = [(frames, at) for frames in videos for at in sorted({0, len(frames) // 2, len(frames) - 1})]"
    yield "images = [frames[at] for frames, at in kept]  # the first, the middle and the last of each video"
    if output in _STACKED:
        yield f"import {_STACKED[output].partition('.')[0]}"
        yield "from diffusers.image_processor import VaeImageProcessor"
        yield f"images = {_STACKED[output]}(images)"
        yield _TO_PIL[output]
    yield from _SAVE.splitlines()


def _published(wanted: str, weights: str, found: str, revision: str | None) -> tuple[str, dict[str, str]]:
    """Return what to load and its revision: what was loaded, or the hub id of what had random weights."""
    if weights == "folder" and not Path(found).is_absolute():
        return f"./{found}", {}  # without ./ diffusers would look for it on the hub if the folder is not here
    if weights != "random":
        return found, {"revision": revision} if revision else {}
    facts = architectures.find(wanted)
    return (facts.hub[0] if facts is not None else wanted), {}
