"""The Python code that does what a case does, in plain torch and diffusers: for a person to paste.

It is written from the plan's case and from what its row says of the weights, line for line what `build` and `inputs`
do; a test runs it and compares its pictures with the harness's. Imports no torch: code is text.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.pipelines import architectures, diffusers_api
from bench.pipelines.effective import DENOISERS
from bench.pipelines.optimizations import TABLE, When, placed_by_one
from bench.plan.case import Case

Row = Mapping[str, Any]
WITHOUT_CHECKER = {"safety_checker": None, "requires_safety_checker": False}

_SAVE = """\
for index, image in enumerate(images):
    image.save(f"image-{index}.png")"""

_TO_PIL = {
    "np": "images = VaeImageProcessor.numpy_to_pil(images)",
    "pt": "images = VaeImageProcessor.numpy_to_pil(VaeImageProcessor.pt_to_numpy(images))",
}
_DECODE = """\
pipe.vae.to(torch.float32)  # in half precision many autoencoders overflow
with torch.no_grad():
    decoded = pipe.vae.decode(images.float() / pipe.vae.config.scaling_factor, return_dict=False)[0]
images = pipe.image_processor.postprocess(decoded)"""


def snippet(case: Case, row: Row) -> str:
    """Return a whole program that draws a case's pictures and saves them.

    Args:
        case: of the plan, in its full size also where a tiny twin was measured.
        row: of the results: where the weights came from, the device, the threads.
    """
    sections = [list(lines) for lines in (_process(case, row), _loading(case, row), _building(case, row))]
    sections += [list(lines) for lines in (_calling(case), _saving(case))]
    imports, sections = _hoisted(sections)
    parts = [_comments(case, row), imports, *sections]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _comments(case: Case, row: Row) -> list[str]:
    """Say of what the figures are where it is not of what the code loads."""
    told = [f"# {case.key}, as it was measured."]
    if row.get("size") == "tiny":
        told = [f"# {case.key}. Measured was a tiny twin; this is the same with the model itself, which was not."]
    elif row.get("weights") == "random":
        told.append(f"# Measured with random weights of {row['weights_from']}'s published shapes; this loads its own.")
    if row.get("vae_weights") == "random" and row.get("weights") != "random":
        told.append("# The exchanged autoencoder had random weights; this loads its own.")
    return told


def _process(case: Case, row: Row) -> Iterator[str]:
    yield "import torch"
    yield f"device = {_text(row['device'])}"
    if row["device"] == "cpu" and row.get("threads") is not None:
        yield f"torch.set_num_threads({row['threads']})  # as measured"
    yield from _applied(case, row, When.PROCESS)


def _loading(case: Case, row: Row) -> Iterator[str]:
    """Load the pipeline, then what is exchanged in it."""
    name, revision = _published(case.model, row["weights"], row["weights_from"], row.get("revision"))
    pinned = {"revision": revision} if revision else {}
    checker = WITHOUT_CHECKER if not case.safety_checker and _has_checker(name, row) else {}
    yield "from diffusers import DiffusionPipeline"
    yield from _call(
        "pipe = DiffusionPipeline.from_pretrained",
        [
            _text(name),
            f"dtype=torch.{case.dtype}",
            *_keywords({"use_safetensors": True, **pinned, **case.load, **checker}),
        ],
    )
    if case.vae is not None:
        yield from _autoencoder(case, row)
    if case.scheduler is not None or case.scheduler_config:
        yield from _scheduler(case)


def _autoencoder(case: Case, row: Row) -> Iterator[str]:
    found = (str(row["vae_weights"]), str(row["vae_weights_from"]), row.get("vae_revision"))
    name, revision = _published(str(case.vae), *found)
    pinned = {"revision": revision} if revision else {}
    arguments = [_text(name), f"dtype=torch.{case.dtype}", *_keywords({"use_safetensors": True, **pinned})]
    yield "from diffusers import AutoModel"
    yield from _call("pipe.vae = AutoModel.from_pretrained", arguments)


def _scheduler(case: Case) -> Iterator[str]:
    own = "type(pipe.scheduler)"
    if case.scheduler is not None:
        yield f"from diffusers import {case.scheduler}"
    arguments = ["pipe.scheduler.config", *_keywords(case.scheduler_config)]
    yield from _call(f"pipe.scheduler = {case.scheduler or own}.from_config", arguments)


def _building(case: Case, row: Row) -> Iterator[str]:
    """Place the pipeline, and apply what acts on it once it is placed."""
    yield from _applied(case, row, When.PLACE)
    if not placed_by_one(case.optimizations) and "device_map" not in case.load:
        yield "pipe.to(device)"
    yield from _applied(case, row, When.BUILT)


def _applied(case: Case, row: Row, when: When) -> Iterator[str]:
    """Return the lines of the case's optimizations that act at this moment, in the table's order."""
    name = _denoiser(row)
    for optimization in TABLE.values():
        if optimization.name in case.optimizations and optimization.when == when:
            yield from optimization.code.format(denoiser=name).splitlines()


def _calling(case: Case) -> Iterator[str]:
    place = '"cpu"' if case.generator_device == "cpu" else "device"
    if isinstance(case.seed, tuple):
        yield f"generator = [torch.Generator({place}).manual_seed(seed) for seed in {list(case.seed)}]"
    else:
        yield f"generator = torch.Generator({place}).manual_seed({case.seed})"
    call = list(_call("images = pipe", [*_keywords(case.call), "generator=generator"], after=".images"))
    context = [TABLE[name].code for name in case.optimizations if TABLE[name].when == When.AROUND]
    yield from [f"with {context[0]}:", *(f"    {line}" for line in call)] if context else call


def _saving(case: Case) -> Iterator[str]:
    output = str(case.call.get("output_type", "pil"))
    if output in _TO_PIL:
        yield "from diffusers.image_processor import VaeImageProcessor"
        yield _TO_PIL[output]
    elif output == "latent":
        yield from _DECODE.splitlines()
    yield from _SAVE.splitlines()


def _published(wanted: str, weights: str, found: str, revision: Any) -> tuple[str, str | None]:
    """Return what to load by name, and its revision: what was loaded, or the hub id of what was made up."""
    if weights == "folder" and not Path(found).is_absolute():
        return f"./{found}", None  # else diffusers would ask the hub for it, started from elsewhere
    if weights != "random":
        return found, str(revision) if revision else None
    facts = architectures.find_model(wanted) or architectures.find_autoencoder(wanted)
    return (facts.hub[0] if facts is not None else wanted), None


def _has_checker(name: str, row: Row) -> bool:
    """Say whether a pipeline has a place for a safety checker: by its folder, its facts, or the installed diffusers."""
    index = _index(name)
    if index is not None:
        return "safety_checker" in index
    known = [model for model in architectures.models().values() if model.pipeline == row.get("pipeline")]
    if known:
        return any("safety_checker" in model.absent for model in known)
    return "safety_checker" in (diffusers_api.components(str(row.get("pipeline"))) or ())


def _denoiser(row: Row) -> str:
    """Return the name of the denoiser in the pipeline: by its folder, else by its class, else the commonest."""
    parts = [_index(str(row["weights_from"])) or {}]
    parts += [
        dict(model.components) for model in architectures.models().values() if model.pipeline == row.get("pipeline")
    ]
    return next((name for name in DENOISERS if any(name in part for part in parts)), DENOISERS[0])


def _index(folder: str) -> dict[str, Any] | None:
    """Return what a saved pipeline says it is made of; None where no such folder is here."""
    path = Path(folder).expanduser() / "model_index.json"
    if not path.is_file():
        return None
    index: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return index


def _keywords(arguments: Mapping[str, Any]) -> list[str]:
    return [f"{name}={_literal(value)}" for name, value in arguments.items()]


def _literal(value: Any) -> str:
    """Return a value as Python source; a scenario's sequences come as tuples or lists, and diffusers wants lists."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_literal(key)}: {_literal(item)}' for key, item in value.items())}}}"
    return repr(value)


def _text(value: str) -> str:
    """Return a text in double quotes, as Python source."""
    return json.dumps(value, ensure_ascii=False)


def _call(function: str, arguments: list[str], after: str = "") -> Iterator[str]:
    """Return a call, on one line where it is short."""
    line = f"{function}({', '.join(arguments)}){after}"
    if len(line) <= 88:  # noqa: PLR2004 - the width that Python's formatters agree on
        yield line
        return
    yield f"{function}("
    yield from (f"    {argument}," for argument in arguments)
    yield f"){after}"


def _hoisted(sections: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Return the imports, those from one module on one line, and the sections without them."""
    found = {line for lines in sections for line in lines if line.startswith(("import ", "from "))}
    names: dict[str, list[str]] = {}
    for line in sorted(line for line in found if line.startswith("from ")):
        module, name = line.removeprefix("from ").split(" import ")
        names.setdefault(module, []).append(name)
    plain = sorted(line for line in found if line.startswith("import "))
    imports = [*plain, *(f"from {module} import {', '.join(taken)}" for module, taken in names.items())]
    return imports, [[line for line in lines if line not in found] for lines in sections]
