"""The lines of a printed program that add a case's adapters, as `adapters.add` does. Imports no torch."""

from collections.abc import Iterator
from typing import Any

from bench.pipelines import adapters, python_code
from bench.pipelines.component_names import names_of
from bench.pipelines.readback import Call
from bench.pipelines.roles import Role
from bench.pipelines.source import ONLY_SAFETENSORS
from bench.plan.case import Case, JsonObject
from bench.text import is_identifier

CONFIG = "LoraConfig"


def lines(case: Case, measured: Any) -> Iterator[str]:
    """Yield the lines for a case; `measured` is the row's settings."""
    if case.ip_adapter:
        yield from _ip_adapter(case, measured)
    for index, adapter in enumerate(case.lora):
        if _is_random(adapter):
            yield f"from peft import {CONFIG}"
            for name in names_of(measured, Role.DENOISER):
                yield "torch.manual_seed(0)  # random weights, as measured"
                config = python_code.keywords(adapters.random_lora(adapter))
                yield from python_code.call(f"config = {CONFIG}", config)
                yield f'pipe.{name}.add_adapter(config, "{adapters.name_of(index)}")'
        else:
            path, keywords = _lora_from(index, adapter)
            yield from python_code.call(
                "pipe.load_lora_weights", [python_code.quoted(path), *python_code.keywords(keywords)]
            )
    if case.lora:
        names, weights = _strengths(case)
        yield from python_code.call("pipe.set_adapters", [python_code.literal(names), *python_code.keywords(weights)])
        if adapters.are_fused(case):
            yield f"pipe.fuse_lora(adapter_names={python_code.literal(names)})"
            yield "pipe.unload_lora_weights()"


def calls(case: Case, measured: Any) -> Iterator[Call]:
    """Yield the calls of these lines that get their arguments from the case, to read the program back."""
    if case.ip_adapter:
        if _encoder_class(measured) is not None:
            yield "from_pretrained", *_encoder_from(case)
        yield "load_ip_adapter", *_ip_adapter_from(case)
        yield "set_ip_adapter_scale", case.ip_adapter["weight"], {}
    for index, adapter in enumerate(case.lora):
        if _is_random(adapter):
            yield from ((CONFIG, True, adapters.random_lora(adapter)) for _ in names_of(measured, Role.DENOISER))
        else:
            yield "load_lora_weights", *_lora_from(index, adapter)
    if case.lora:
        yield "set_adapters", *_strengths(case)


def replaced_by_random(measured: Any) -> bool:
    """Return whether a LoRA that the program loads had random weights when it was measured."""
    found = (measured.adapters or {}).get("lora", [])
    listed = found if isinstance(found, list) else []
    return any(isinstance(each, dict) and each.get("path") and each.get("weights") == "random" for each in listed)


def _is_random(adapter: JsonObject) -> bool:
    return adapter.get("path") is None


def _lora_from(index: int, adapter: JsonObject) -> tuple[str, dict[str, Any]]:
    path, where = adapters.file_of(adapter)
    return path, {"adapter_name": adapters.name_of(index), **ONLY_SAFETENSORS, **where, **adapters.revision_of(adapter)}


def _strengths(case: Case) -> tuple[list[str], dict[str, Any]]:
    names = [adapters.name_of(index) for index in range(len(case.lora))]
    return names, {"adapter_weights": [each["weight"] for each in case.lora]}


def _ip_adapter_from(case: Case) -> tuple[str, dict[str, Any]]:
    path, where = adapters.file_of(case.ip_adapter)
    return path, {"subfolder": "", **where, **adapters.revision_of(case.ip_adapter)}


def _encoder_from(case: Case) -> tuple[str, dict[str, Any]]:
    subfolder = {"subfolder": adapters.image_encoder_of(case)}
    return adapters.root_of(case), {**subfolder, **ONLY_SAFETENSORS, **adapters.revision_of(case.ip_adapter)}


def _encoder_class(measured: Any) -> str | None:
    """Return the class of the image encoder that came with the IP-Adapter; None if the pipeline had one."""
    found = (measured.adapters or {}).get("ip_adapter")
    name = found.get("image_encoder_class") if isinstance(found, dict) else None
    return name if isinstance(name, str) and is_identifier(name) else None


def _ip_adapter(case: Case, measured: Any) -> Iterator[str]:
    if (name := _encoder_class(measured)) is not None:
        yield f"from transformers import {name}"
        path, keywords = _encoder_from(case)
        arguments = [python_code.quoted(path), f"dtype=torch.{case.dtype}", *python_code.keywords(keywords)]
        yield from python_code.call(f"image_encoder = {name}.from_pretrained", arguments)
        yield "pipe.register_modules(image_encoder=image_encoder)"
    path, keywords = _ip_adapter_from(case)
    yield from python_code.call("pipe.load_ip_adapter", [python_code.quoted(path), *python_code.keywords(keywords)])
    yield f"pipe.set_ip_adapter_scale({case.ip_adapter['weight']!r})"
