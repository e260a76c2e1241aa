"""Every optimization that runs here, for real, and how a silent no-op is detected."""

import importlib.util
import types

import pytest
import torch

from bench.pipelines import first_call, flags, optimizations, requirements, tiny
from bench.pipelines.build import build
from bench.pipelines.checks import Live
from bench.pipelines.errors import NotInEffectError, UnsupportedError
from bench.pipelines.optimizations import TABLE, Optimization
from bench.plan.case import Case
from bench.plan.settings import RunSettings

CUDA = torch.cuda.is_available()
NEEDS_ACCELERATOR = {"tf32", "ieee_fp32", "cudnn_benchmark", "model_cpu_offload", "sequential_cpu_offload", "xformers"}
SLOW_ON_CPU = {"compile", "compile_max_autotune"}  # tests/cli compiles for real, and so does a GPU
NOT_HERE = set() if CUDA else NEEDS_ACCELERATOR | SLOW_ON_CPU
if importlib.util.find_spec("xformers") is None:
    NOT_HERE = NOT_HERE | {"xformers"}
HERE = [name for name in TABLE if name not in NOT_HERE]


def live(*names):
    """Build a tiny case with these optimizations and make its first call."""
    run = RunSettings("cuda" if CUDA else "cpu", "tiny")
    call = {"prompt": "a cat", "num_inference_steps": 5}
    case, size = tiny.resolve(Case("test", "case", "stable-diffusion-v1-5", optimizations=names, call=call), run.size)
    ready = build(case, size, run)
    ready.seed()
    with first_call.watched(ready.pipeline) as seen:
        ready.call()
    return ready, Live(ready.pipeline, seen)


@pytest.fixture(autouse=True)
def default_flags():
    yield
    flags.set_default_flags()


@pytest.fixture(scope="module")
def baseline():
    return live()


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * n.startswith("compile")) for n in HERE])
def test_an_optimization_is_in_effect_after_the_first_call(name):
    _, optimized = live(name)
    assert TABLE[name].check(optimized) == TABLE[name].expected


@pytest.mark.parametrize("name", [name for name in TABLE if name != "attention_sdpa"])
def test_an_optimization_that_silently_does_nothing_is_detected(name, baseline):
    _, untouched = baseline
    flags.set_default_flags()
    with pytest.raises(NotInEffectError, match=f"expected {name} "):
        TABLE[name].verify(untouched)


def test_attention_that_is_not_the_default_is_detected():
    _, other = live("attention_vanilla")
    with pytest.raises(NotInEffectError, match=r"expected attention_sdpa .*, found AttnProcessor$"):
        TABLE["attention_sdpa"].verify(other)


@pytest.mark.skipif(CUDA, reason="there is an accelerator here")
@pytest.mark.parametrize("name", sorted(NEEDS_ACCELERATOR))
def test_an_optimization_that_needs_an_accelerator_is_unsupported_on_a_cpu(name):
    with pytest.raises(UnsupportedError, match="this device is cpu"):
        live(name)


def test_set_attention_backend_on_a_unet_is_a_silent_no_op(baseline):
    ready, untouched = baseline
    before = TABLE["attention_vanilla"].check(untouched)
    ready.pipeline.unet.set_attention_backend("native")
    assert TABLE["attention_vanilla"].check(untouched) == before


def test_optimizations_are_applied_in_the_order_of_the_table(monkeypatch):
    order = []
    for name in ("channels_last", "vae_slicing", "vae_tiling"):
        entry = TABLE[name]
        recorded = Optimization(**{**vars(entry), "apply": lambda *_args, name=name: order.append(name)})
        monkeypatch.setitem(TABLE, name, recorded)
    optimizations.apply(("vae_tiling", "channels_last", "vae_slicing"), optimizations.When.BUILT, None, None)
    assert order == ["channels_last", "vae_slicing", "vae_tiling"]


def test_conflicts_are_mutual():
    pairs = {(a, b) for a in TABLE for b in optimizations.conflicts_of(a)}
    assert pairs == {(b, a) for a, b in pairs}


def test_a_refusal_by_diffusers_is_a_reason_to_skip(monkeypatch):
    def refuse(pipeline, _device):
        pipeline.unet.set_attn_processor({})  # a ValueError of diffusers' own

    monkeypatch.setitem(TABLE, "vae_slicing", Optimization(**{**vars(TABLE["vae_slicing"]), "apply": refuse}))
    with pytest.raises(UnsupportedError, match="vae_slicing: rejected by diffusers: "):
        live("vae_slicing")


def test_our_own_error_is_not_mistaken_for_a_refusal_by_diffusers(monkeypatch):
    def broken(*_args):
        raise ValueError("our own fault")

    monkeypatch.setitem(TABLE, "vae_slicing", Optimization(**{**vars(TABLE["vae_slicing"]), "apply": broken}))
    with pytest.raises(ValueError, match="our own fault"):
        live("vae_slicing")


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("text", ["doc", "checked_by"])
def test_every_optimization_is_documented(name, text):
    assert getattr(TABLE[name], text)


@pytest.fixture
def card(monkeypatch):
    """Make torch believe in an NVIDIA card of a compute capability."""

    def make(*capability):
        monkeypatch.setattr(torch.version, "hip", None)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: capability)

    return make


def test_bfloat16_on_a_card_before_ampere_is_unsupported_before_anything_is_built(card):
    card(7, 5)
    with pytest.raises(UnsupportedError, match=r"bfloat16 needs compute capability 8\.0 or later"):
        build(Case("test", "case", "stable-diffusion-v1-5", dtype="bfloat16"), "tiny", RunSettings("cuda", "tiny"))


def test_ampere_and_rocm_compute_in_bfloat16(card, monkeypatch):
    card(8, 0)
    requirements.require_ampere(torch.device("cuda"), "bfloat16")
    card(7, 5)
    monkeypatch.setattr(torch.version, "hip", "6.4")
    requirements.require_ampere(torch.device("cuda"), "bfloat16")


@pytest.mark.parametrize(("name", "supported"), [("ieee_fp32", True), ("tf32", False)])
def test_a_card_without_tf32_can_do_without_it(card, name, supported):
    card(7, 5)
    try:
        optimizations.require((name,), torch.device("cuda"))
    except UnsupportedError:
        assert not supported
    else:
        assert supported


@pytest.mark.parametrize(
    "before",
    [
        lambda: setattr(torch.backends, "fp32_precision", "tf32"),
        lambda: torch.set_float32_matmul_precision("high"),
    ],
    ids=["fp32_precision", "set_float32_matmul_precision"],
)
def test_flags_can_be_read_back_whatever_was_set_before(card, before):
    card(8, 0)
    before()
    flags.set_default_flags()
    optimizations.apply(("ieee_fp32",), optimizations.When.PROCESS, None, torch.device("cuda"))
    assert TABLE["ieee_fp32"].check(None) == TABLE["ieee_fp32"].expected
    assert torch.get_float32_matmul_precision() == "highest"


@pytest.mark.parametrize(("multiprocessors", "supported"), [(40, False), (108, True)])
def test_a_card_on_which_torch_would_not_autotune_is_unsupported(monkeypatch, multiprocessors, supported):
    from torch._inductor import utils

    card = types.SimpleNamespace(multi_processor_count=multiprocessors)
    monkeypatch.setattr(utils, "is_big_gpu", getattr(utils.is_big_gpu, "__wrapped__", utils.is_big_gpu))
    monkeypatch.setattr(utils.DeviceProperties, "create", lambda _device: card)
    if supported:
        TABLE["compile_max_autotune"].needs(torch.device("cuda"))
    else:
        with pytest.raises(UnsupportedError, match="too small for max-autotune"):
            TABLE["compile_max_autotune"].needs(torch.device("cuda"))


def raising(error, module):
    """Return an `apply` that raises from the code of a module."""

    def raise_it(*_args):
        raise error

    return types.FunctionType(raise_it.__code__, {"__name__": module}, closure=raise_it.__closure__)


@pytest.mark.parametrize(
    ("error", "module"),
    [
        (NotImplementedError("No operator found for `memory_efficient_attention_forward`"), "xformers.ops.fmha"),
        (RuntimeError("CUDA error: no kernel image is available"), "xformers.ops.fmha"),
        (ModuleNotFoundError("No module named 'xformers._C'"), "diffusers.models.attention"),
    ],
    ids=["no-operator", "no-kernel", "broken"],
)
def test_an_optional_package_that_cannot_run_here_is_a_reason_to_skip(monkeypatch, error, module):
    broken = Optimization(**{**vars(TABLE["xformers"]), "apply": raising(error, module)})
    monkeypatch.setitem(TABLE, "xformers", broken)
    with pytest.raises(UnsupportedError, match=str(error).split(maxsplit=1)[0]):
        optimizations.apply(("xformers",), optimizations.When.BUILT, None, None)


def test_an_optional_package_that_runs_out_of_memory_is_out_of_memory(monkeypatch):
    broken = raising(torch.OutOfMemoryError("CUDA out of memory"), "xformers.ops")
    monkeypatch.setitem(TABLE, "xformers", Optimization(**{**vars(TABLE["xformers"]), "apply": broken}))
    with pytest.raises(torch.OutOfMemoryError):
        optimizations.apply(("xformers",), optimizations.When.BUILT, None, None)
