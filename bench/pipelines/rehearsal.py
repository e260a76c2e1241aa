"""Rehearse one call without computing anything: how much work it will be, known before a weight is loaded.

The pipeline and its scheduler run for real, on the CPU and with all steps, because only they know how often and on what
shapes the models are called. The models are on the meta device, so a call of one takes no memory and no arithmetic, and
each shape is called once: what it returned, as zeros, answers all further calls.
"""

import importlib
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

from bench.pipelines import architectures, attention, inputs, roles, tiny
from bench.pipelines.build import replace_scheduler
from bench.pipelines.operations import every_condition_true, on_meta, shapes
from bench.pipelines.roles import Role
from bench.pipelines.weights import byte_tokenizer, uninitialized
from bench.plan.case import Case


@dataclass(frozen=True)
class Work:
    """What one call asks of a device.

    Attributes:
        convolutions: floating-point operations of convolutions, which may use another type than matrix products.
        products: floating-point operations of matrix products, attention included.
        launches: operators that compute something, of which each costs the host some time.
        denoiser_calls: how often the denoiser runs.
        denoiser_parameters, parameters: how many the denoiser, and all components, have.
    """

    convolutions: float = 0.0
    products: float = 0.0
    launches: int = 0
    denoiser_calls: int = 0
    denoiser_parameters: int = 0
    parameters: int = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(*(mine + its for mine, its in zip(vars(self).values(), vars(other).values(), strict=True)))


@dataclass
class _Model:
    """A model on the meta device, and what a call on some shapes costs and returns."""

    module: Any
    seen: dict[Any, tuple[Work, Any]] = field(default_factory=dict)

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.module.parameters())


def rehearse(case: Case, size: str) -> Work | None:
    """Return the work of one call of a case, given as `tiny.resolve` returns it.

    None without published facts about the model or one of its components.

    Raises:
        Exception: whatever the pipeline raises on the arguments of the case.
    """
    facts = architectures.find_model(case.model)
    if facts is not None and size == "tiny":
        facts = architectures.tiny_model(facts.tiny) if facts.tiny else None
    vae = None if case.vae is None else architectures.find_autoencoder(case.vae)
    if facts is None or case.components or (case.vae is not None and vae is None):
        return None
    components = dict(facts.components)
    if vae is not None:
        components["vae"] = vae.tiny if size == "tiny" else vae.component
    resize = partial(tiny.side, case.model) if size == "tiny" else int
    return _rehearse(case, facts, components, inputs.prepare(case, resize))


def _rehearse(case: Case, facts: Any, components: dict[str, str], call: dict[str, Any]) -> Work:
    import diffusers
    import torch

    parts = {role: _part(name) for role, name in components.items()}
    models = {role: part for role, part in parts.items() if isinstance(part, _Model)}
    calls: list[tuple[str, Work]] = []
    modules = {role: _answering(role, parts[role], calls) if role in models else parts[role] for role in parts}
    pipeline = getattr(diffusers, case.pipeline or facts.pipeline)(
        **modules, **dict.fromkeys(facts.absent), **facts.init
    )
    pipeline.__class__ = _on_the_cpu(type(pipeline))
    replace_scheduler(case, pipeline)
    pipeline.set_progress_bar_config(disable=True)
    latent = call.get("output_type") == "latent"
    with torch.no_grad():
        pipeline(**{**call, "output_type": "latent" if latent else "pt"})
    denoisers = {name for name, model in models.items() if roles.role(model.module) is Role.DENOISER}
    denoiser = [work for name, work in calls if name in denoisers]
    return replace(
        sum((work for _, work in calls), Work()),
        denoiser_calls=len(denoiser),
        denoiser_parameters=sum(models[name].parameters for name in denoisers),
        parameters=sum(model.parameters for model in models.values()),
    )


def _on_the_cpu(cls: Any) -> Any:
    """Return a pipeline's class that makes its latents on the CPU, wherever its models are."""
    import torch

    place = property(lambda _: torch.device("cpu"))
    return type(cls.__name__, (cls,), {"device": place, "_execution_device": place, "__module__": cls.__module__})


@cache
def _part(name: str) -> Any:
    """Return a component: a `_Model`, or a tokenizer or scheduler that works."""
    import torch

    component = architectures.component(name)
    if component.cls == "byte-clip-tokenizer":
        return byte_tokenizer(component.config)
    library, cls_name = component.cls.split(".")
    cls = getattr(importlib.import_module(library), cls_name)
    if not issubclass(cls, torch.nn.Module):
        return cls.from_config(dict(component.config))
    module = uninitialized(cls, component.config).to("meta").eval()
    if attention.is_replaceable(module):
        module.set_default_attn_processor()
    elif hasattr(module, "set_attn_implementation"):
        module.set_attn_implementation("eager")
    return _Model(module)


def _answering(role: str, model: _Model, calls: list[tuple[str, Work]]) -> Any:
    """Return the module of a model, whose calls from now on are counted and answered with zeros."""
    coder = roles.role(model.module) is Role.AUTOENCODER
    for name in ("encode", "decode") if coder else ("forward",):
        setattr(model.module, name, _counted(role, model, name, calls))
    return model.module


def _counted(role: str, model: _Model, name: str, calls: list[tuple[str, Work]]) -> Any:
    compute = getattr(type(model.module), name)

    def answer(*args: Any, **kwargs: Any) -> Any:
        flags = tuple(sorted(name for name, value in kwargs.items() if value is True))
        key = name, shapes((args, kwargs)), flags
        if key not in model.seen:
            model.seen[key] = _measured(lambda: compute(model.module, *on_meta(args), **on_meta(kwargs)))
        work, output = model.seen[key]
        calls.append((role, work))
        return output

    return answer


def _measured(call: Any) -> tuple[Work, Any]:
    """Return the work of a call on the meta device, and its output as zeros."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad(), every_condition_true() as mode:
        output = call()
    found = {str(kind): operations for kind, operations in counter.get_flop_counts().get("Global", {}).items()}
    convolutions = sum(operations for kind, operations in found.items() if "conv" in kind)
    work = Work(float(convolutions), float(sum(found.values()) - convolutions), mode.launches)
    return work, _zeros(output)


def _zeros(output: Any) -> Any:
    """Return zeros in the shapes of an output; an autoencoder's encoder returns the parameters of a distribution."""
    import torch
    from torch.utils._pytree import tree_map_only

    if (distribution := getattr(output, "latent_dist", None)) is not None:
        output.latent_dist = type(distribution)(_zeros(distribution.parameters))
        return output
    return tree_map_only(torch.Tensor, lambda each: torch.zeros(each.shape, dtype=each.dtype), output)
