"""The optimizations: one small function each, in one table. They are applied in the order of the table.

Each one works, or raises `UnsupportedError` with a reason. What it needs of the device and of optional packages is
checked first, before there is a pipeline. Each is verified after the first call: `check` reads from the live pipeline
what is there, and anything unexpected fails the case. To add one: a function, a check, a row.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bench.pipelines import attention, checks, flags, requirements, roles
from bench.pipelines.checks import Live
from bench.pipelines.errors import NotInEffectError, UnsupportedError, graph_break, refusal
from bench.pipelines.requirements import autoencoders_with, denoisers, with_kernels
from bench.pipelines.roles import Role

DOCS = "diffusers docs, optimization"


class When(StrEnum):
    """The moment at which an optimization acts."""

    PROCESS = "process"  # flags, before anything is loaded
    PLACE = "place"  # instead of moving the pipeline to the device
    BUILT = "built"  # on the placed pipeline
    AROUND = "around"  # a context manager around every call


@dataclass(frozen=True)
class Optimization:
    """One row of the table.

    Attributes:
        apply: called with the pipeline (None at `process`) and the torch device; at `around` it returns the context
            manager. Its docstring is the documentation.
        expected: what `check` returns if it is in effect.
        check: reads what is in effect; its docstring says how it is verified.
        family: two optimizations of one family conflict.
        code: the same in plain torch and diffusers, on `pipe`, each `{denoiser}` or
            `{autoencoder}` of it, and `device`; at `around` an expression.
        needs: raises `UnsupportedError` if the torch device, or an optional package, rules it out for any pipeline.
    """

    name: str
    when: When
    apply: Callable[[Any, Any], Any]
    expected: str
    check: Callable[[Live], str]
    source: str
    family: str
    code: str
    needs: Callable[[Any], None] = requirements.nothing

    @property
    def doc(self) -> str:
        return _first_line(self.apply)

    @property
    def checked_by(self) -> str:
        return _first_line(self.check)

    def verify(self, live: Live) -> None:
        """Raise `NotInEffectError` if the live pipeline is not as expected."""
        found = self.check(live)
        if found != self.expected:
            raise NotInEffectError(f"{self.name} ({self.expected})", found or "nothing of it")


def _first_line(function: Callable[..., Any]) -> str:
    return (function.__doc__ or "").partition("\n")[0].rstrip(".")


def tf32(_pipeline: Any, _device: Any) -> None:
    """Allow TF32 in matrix products and convolutions (Ampere and later)."""
    flags.set_tf32(matmul=True, conv=True)


def ieee_fp32(_pipeline: Any, _device: Any) -> None:
    """Forbid TF32 everywhere, so that float32 really is float32."""
    flags.set_tf32(matmul=False, conv=False)


def cudnn_benchmark(_pipeline: Any, _device: Any) -> None:
    """Let cuDNN time its convolution algorithms and keep the fastest."""
    import torch

    torch.backends.cudnn.benchmark = True


def model_cpu_offload(pipeline: Any, device: Any) -> None:
    """Keep components on the CPU, and move each to the device when it is called."""
    pipeline.enable_model_cpu_offload(device=device)


def sequential_cpu_offload(pipeline: Any, device: Any) -> None:
    """Keep weights on the CPU, and move those of each submodule to the device when it is called."""
    pipeline.enable_sequential_cpu_offload(device=device)


def group_offload(pipeline: Any, device: Any) -> None:
    """Keep weights on the CPU, and move layers to the device ahead of their call, on a separate stream if it has any."""
    import torch

    devices = {"onload_device": device, "offload_device": torch.device("cpu")}
    pipeline.enable_group_offload(**devices, offload_type="leaf_level", use_stream=device.type == "cuda")


def channels_last(pipeline: Any, _device: Any) -> None:
    """Use the channels-last memory layout for the denoiser's convolution weights."""
    import torch

    for each in with_kernels(pipeline):
        each.to(memory_format=torch.channels_last)


def attention_vanilla(pipeline: Any, _device: Any) -> None:
    """Compute plain attention, with the whole matrix of scores in memory."""
    for each in attention.replaceable(pipeline):
        each.set_default_attn_processor()


def attention_sdpa(pipeline: Any, _device: Any) -> None:
    """Compute attention with torch's scaled_dot_product_attention (diffusers' default)."""
    from diffusers.models.attention_processor import AttnProcessor2_0

    for each in attention.replaceable(pipeline, attention.PLAIN):
        each.set_attn_processor(AttnProcessor2_0())


def attention_slicing(pipeline: Any, _device: Any) -> None:
    """Compute attention in slices, half of the heads at a time."""
    for each in attention.replaceable(pipeline):
        if not hasattr(each, "set_attention_slice"):
            raise UnsupportedError(f"{type(each).__name__} cannot slice its attention")
    pipeline.enable_attention_slicing()


def xformers(pipeline: Any, _device: Any) -> None:
    """Compute attention with xFormers' memory-efficient kernels."""
    attention.replaceable(pipeline)
    pipeline.enable_xformers_memory_efficient_attention()


def fuse_qkv(pipeline: Any, _device: Any) -> None:
    """Fuse the denoiser's query, key and value projections into one matrix product."""
    from diffusers.pipelines.pipeline_utils import StableDiffusionMixin

    for each in attention.replaceable(pipeline, attention.PLAIN):
        if not isinstance(pipeline, StableDiffusionMixin) or not hasattr(each, "fuse_qkv_projections"):
            raise UnsupportedError(f"{type(pipeline).__name__} cannot fuse the projections of {type(each).__name__}")
    pipeline.fuse_qkv_projections(vae=False)


def vae_slicing(pipeline: Any, _device: Any) -> None:
    """Decode a batch one image at a time."""
    for each in autoencoders_with(pipeline, "use_slicing", "slice a batch"):
        each.enable_slicing()


def vae_tiling(pipeline: Any, _device: Any) -> None:
    """Decode a large image in overlapping tiles."""
    for each in autoencoders_with(pipeline, "use_tiling", "tile an image"):
        each.enable_tiling()


def compile_denoiser(pipeline: Any, _device: Any) -> None:
    """Compile the whole denoiser with torch.compile's default mode."""
    _compile_denoiser(pipeline, mode="default")


def compile_max_autotune(pipeline: Any, _device: Any) -> None:
    """Compile the whole denoiser with torch.compile, which times kernels and keeps the fastest."""
    _compile_denoiser(pipeline, mode="max-autotune")


def compile_regional(pipeline: Any, _device: Any) -> None:
    """Compile only the block that the denoiser repeats, once for all its copies."""
    for each in denoisers(pipeline):
        each.compile_repeated_blocks(fullgraph=True)


def autocast(_pipeline: Any, device: Any) -> Any:
    """Run every call under torch.autocast to float16, which diffusers' guides warn of; weights keep their type."""
    import torch

    return torch.autocast(device.type, dtype=torch.float16)


def _compile_denoiser(pipeline: Any, mode: str) -> None:
    import torch

    denoisers(pipeline)
    for name, each in roles.of(pipeline, Role.DENOISER).items():
        if (inner := roles.shared_with(pipeline, each)) is not None:
            raise UnsupportedError(
                f"{type(pipeline).__name__} calls its denoisers through pipelines of its own ({inner}), "
                "which a compiled wrapper does not reach; use compile_regional"
            )
        setattr(pipeline, name, torch.compile(each, mode=mode, fullgraph=True))


_TABLE = (
    Optimization("tf32", When.PROCESS, tf32, "matmul=True, conv=True", checks.tf32_flags, f"{DOCS}/fp16", "tf32", "torch.backends.cuda.matmul.allow_tf32 = True\ntorch.backends.cudnn.allow_tf32 = True", requirements.needs_tf32),
    Optimization("ieee_fp32", When.PROCESS, ieee_fp32, "matmul=False, conv=False", checks.tf32_flags, "PyTorch docs, notes/cuda", "tf32", "torch.backends.cuda.matmul.allow_tf32 = False\ntorch.backends.cudnn.allow_tf32 = False", requirements.needs_tf32_flags),
    Optimization("cudnn_benchmark", When.PROCESS, cudnn_benchmark, "cudnn_benchmark=True", checks.cudnn_benchmark, f"{DOCS}/fp16 (v0.4)", "cudnn", "torch.backends.cudnn.benchmark = True", requirements.needs_cudnn),
    Optimization("model_cpu_offload", When.PLACE, model_cpu_offload, "model", checks.offload, f"{DOCS}/memory", "offload", "pipe.enable_model_cpu_offload(device=device)", requirements.needs_accelerator),
    Optimization("sequential_cpu_offload", When.PLACE, sequential_cpu_offload, "sequential", checks.offload, f"{DOCS}/memory", "offload", "pipe.enable_sequential_cpu_offload(device=device)", requirements.needs_accelerator),
    Optimization("group_offload", When.PLACE, group_offload, "group", checks.offload, f"{DOCS}/memory", "offload", 'pipe.enable_group_offload(torch.device(device), offload_type="leaf_level", use_stream=device == "cuda")'),
    Optimization("channels_last", When.BUILT, channels_last, "channels_last", checks.layout, f"{DOCS}/fp16", "layout", "pipe.{denoiser}.to(memory_format=torch.channels_last)"),
    Optimization("attention_vanilla", When.BUILT, attention_vanilla, "AttnProcessor", checks.attention, f"{DOCS}/fp16", "attention", "pipe.{denoiser}.set_default_attn_processor()"),
    Optimization("attention_sdpa", When.BUILT, attention_sdpa, "AttnProcessor2_0", checks.attention, f"{DOCS}/fp16", "attention", "from diffusers.models.attention_processor import AttnProcessor2_0\npipe.{denoiser}.set_attn_processor(AttnProcessor2_0())"),
    Optimization("attention_slicing", When.BUILT, attention_slicing, "SlicedAttnProcessor", checks.attention, f"{DOCS}/memory", "attention", "pipe.enable_attention_slicing()"),
    Optimization("xformers", When.BUILT, xformers, "XFormersAttnProcessor", checks.attention, f"{DOCS}/xformers", "attention", "pipe.enable_xformers_memory_efficient_attention()", requirements.needs_xformers),
    Optimization("fuse_qkv", When.BUILT, fuse_qkv, "FusedAttnProcessor2_0", checks.attention, f"{DOCS}/fp16", "attention", "pipe.fuse_qkv_projections(vae=False)"),
    Optimization("vae_slicing", When.BUILT, vae_slicing, "slicing=True", checks.slicing, f"{DOCS}/memory", "vae_slicing", "pipe.{autoencoder}.enable_slicing()"),
    Optimization("vae_tiling", When.BUILT, vae_tiling, "tiling=True", checks.tiling, f"{DOCS}/memory", "vae_tiling", "pipe.{autoencoder}.enable_tiling()"),
    Optimization("compile", When.BUILT, compile_denoiser, "whole", checks.compiled, f"{DOCS}/fp16", "compile", 'pipe.{denoiser} = torch.compile(pipe.{denoiser}, mode="default", fullgraph=True)'),
    Optimization("compile_max_autotune", When.BUILT, compile_max_autotune, "whole", checks.compiled, f"{DOCS}/fp16", "compile", 'pipe.{denoiser} = torch.compile(pipe.{denoiser}, mode="max-autotune", fullgraph=True)', requirements.needs_big_gpu),
    Optimization("compile_regional", When.BUILT, compile_regional, "blocks", checks.compiled, f"{DOCS}/fp16", "compile", "pipe.{denoiser}.compile_repeated_blocks(fullgraph=True)"),
    Optimization("autocast", When.AROUND, autocast, "float16", checks.output_dtype, f"{DOCS}/fp16", "autocast", "torch.autocast(device, dtype=torch.float16)"),
)  # fmt: skip

TABLE = {optimization.name: optimization for optimization in _TABLE}


def names() -> list[str]:
    """Return all names, in the order in which they are applied."""
    return list(TABLE)


def conflicts_of(name: str) -> frozenset[str]:
    """Return the optimizations that cannot be combined with this one."""
    family = TABLE[name].family
    return frozenset(other for other in TABLE if TABLE[other].family == family and other != name)


def require(requested: tuple[str, ...], device: Any) -> None:
    """Raise `UnsupportedError` for the first optimization that cannot be had on a torch device, of any pipeline."""
    for optimization in TABLE.values():
        if optimization.name in requested:
            optimization.needs(device)


def apply(requested: tuple[str, ...], when: When, pipeline: Any, device: Any) -> None:
    """Apply those of the requested optimizations that act at this moment, in the order of the table.

    Raises:
        UnsupportedError: with its own reason, that of diffusers if diffusers rejects it, or that of an optional package
            that is broken or has no kernel for this device.
    """
    for optimization in TABLE.values():
        if optimization.name in requested and optimization.when == when:
            try:
                optimization.apply(pipeline, device)
            except Exception as error:
                if (reason := refusal(error)) is None:
                    raise
                raise UnsupportedError(f"{optimization.name}: {reason}") from error


def refused_in_call(requested: tuple[str, ...], error: Exception) -> str | None:
    """Return why an optimization cannot be used, if that only shows in a call; None if the exception says another thing."""
    compiling = next((name for name in requested if TABLE[name].family == "compile"), None)
    reason = None if compiling is None else graph_break(error)
    return None if reason is None else f"{compiling}: torch cannot compile the denoiser as one graph: {reason}"


def around(requested: tuple[str, ...], device: Any) -> Callable[[], AbstractContextManager[Any]]:
    """Return a function that returns the context manager of one call."""
    contexts = [TABLE[name] for name in requested if TABLE[name].when == When.AROUND]
    if not contexts:
        return nullcontext
    return lambda: contexts[0].apply(None, device)  # all of one family, so there is only one


def placed_by_one(requested: tuple[str, ...]) -> bool:
    """Return whether an optimization takes the place of moving the pipeline to the device."""
    return any(TABLE[name].when == When.PLACE for name in requested)


def verify(requested: tuple[str, ...], live: Live) -> None:
    """Raise `NotInEffectError` for the first optimization that has no effect on the live pipeline."""
    for name in requested:
        TABLE[name].verify(live)
