"""Counting the floating-point operations of a generation."""

from types import SimpleNamespace

import pytest
import small
import stages
import torch
import transformers
from diffusers.pipelines.deprecated.wuerstchen.modeling_paella_vq_model import PaellaVQModel
from torch.utils._pytree import tree_leaves

from bench.pipelines import architectures, first_call, operations, tiny
from bench.pipelines.build import build
from bench.pipelines.roles import Role
from bench.plan.case import Case
from bench.plan.settings import RunSettings

pytestmark = pytest.mark.slow

CALL = {"prompt": "a cat", "num_inference_steps": 15, "guidance_scale": 1.0}


def watched_call(model="stable-diffusion-v1-5", **settings):
    case, size = tiny.resolve(Case("test", "case", model, **{"call": CALL, **settings}), "tiny")
    ready = build(case, size, RunSettings("cpu", "tiny"))
    ready.seed()
    with first_call.watched(ready.pipeline) as seen:
        ready.call()
    return ready.pipeline, seen.visits


def test_the_count_of_the_text_encoder_matches_a_calculation_by_hand():
    """The matrix products of its layers at the width of the tiny model, 77 tokens; a multiply-add is two operations."""
    tokens, width, inner, layers = 77, 32, 128, 3
    projections, scores, mlp = 4 * tokens * width * width, 2 * tokens * tokens * width, 2 * tokens * width * inner
    pipeline, visits = watched_call()
    counted = operations.count(pipeline, {"text_encoder": visits["text_encoder"]})
    assert counted == 2 * layers * (projections + scores + mlp)


def test_the_denoiser_counts_once_per_call():
    pipeline, visits = watched_call(scheduler="DDIMScheduler")
    (visit,) = visits["unet"].values()
    total = operations.count(pipeline, {"unet": visits["unet"]})
    visit.count = 1
    assert total == 3 * operations.count(pipeline, {"unet": visits["unet"]})


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizations": ("attention_sdpa",)},
        {"optimizations": ("attention_slicing",)},
        {"optimizations": ("fuse_qkv",)},
        {"dtype": "bfloat16"},
    ],
    ids=str,
)
def test_an_optimization_does_not_change_the_count(settings):
    baseline, optimized = watched_call(), watched_call(**settings)
    assert operations.count(*optimized) == operations.count(*baseline)


def test_guidance_doubles_the_work_of_the_denoiser():
    single, double = watched_call(), watched_call(call={**CALL, "guidance_scale": 7.5})
    unets = [operations.count(pipeline, {"unet": visits["unet"]}) for pipeline, visits in (single, double)]
    assert unets[1] == 2 * unets[0]


def test_every_part_of_sdxl_is_counted():
    pipeline, visits = watched_call("stable-diffusion-xl-base-1.0")
    counts = {path: operations.count(pipeline, {path: visit}) for path, visit in visits.items()}
    assert set(counts) == {"text_encoder", "text_encoder_2", "unet", "vae.decoder"}
    assert min(counts.values()) > 0


def test_watching_keeps_no_tensor_of_the_call():
    _, visits = watched_call()
    found = [visit for shapes in visits.values() for visit in shapes.values()]
    kept = [leaf for visit in found for leaf in tree_leaves([visit.args, visit.kwargs])]
    assert {leaf.device.type for leaf in kept if isinstance(leaf, torch.Tensor)} == {"meta"}


@pytest.fixture(scope="module")
def meta_vae():
    """The full-size autoencoder of Stable Diffusion, on the meta device: shapes and no values."""
    from diffusers import AutoencoderKL

    facts = architectures.models()["stable-diffusion-v1-5"].components["vae"]
    with torch.device("meta"):
        return AutoencoderKL.from_config(architectures.component(facts).config).eval()


def teraflops_of_a_decode(vae, *, tiled):
    """Decode one picture of 1024 by 1024 pixels as diffusers does and count its operations."""
    pipeline = SimpleNamespace(vae=vae, components={"vae": vae})
    vae.enable_tiling() if tiled else vae.disable_tiling()
    with first_call.watched(pipeline) as seen, torch.no_grad():
        vae.decode(torch.empty(1, 4, 128, 128, device="meta"))
    return operations.count(pipeline, seen.visits) / 1e12


def test_tiles_are_counted_by_their_own_shapes(meta_vae):
    """9 tiles: 4 of 64x64, 2 of 64x32, 2 of 32x64, 1 of 32x32; nine of 64x64 would be 22.63 (number audit, 4)."""
    assert teraflops_of_a_decode(meta_vae, tiled=True) == pytest.approx(15.67, abs=0.005)


def test_a_picture_in_one_piece_needs_fewer_operations_than_its_overlapping_tiles(meta_vae):
    assert teraflops_of_a_decode(meta_vae, tiled=False) == pytest.approx(10.47, abs=0.005)


def encoder_operations(cls, config, *, masked):
    """Count the operations of a text encoder, called on two prompts of 12 tokens, with or without their mask."""
    ids = torch.zeros(2, 12, dtype=torch.long)
    encoder = cls(config).eval()
    pipeline = SimpleNamespace(text_encoder=encoder, components={"text_encoder": encoder})
    with first_call.watched(pipeline) as seen, torch.no_grad():
        encoder(ids, **({"attention_mask": torch.ones_like(ids)} if masked else {}))
    return operations.count(pipeline, seen.visits)


SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 60}
SMALL_T5 = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2, "vocab_size": 60}
ENCODERS = {
    "CLIPTextModel": ("CLIPTextConfig", SMALL),
    "T5EncoderModel": ("T5Config", SMALL_T5),
    "UMT5EncoderModel": ("UMT5Config", SMALL_T5),
    "BertModel": ("BertConfig", SMALL),
    "Gemma2Model": ("Gemma2Config", {**SMALL, "num_key_value_heads": 2, "head_dim": 8}),
    "Qwen3ForCausalLM": ("Qwen3Config", {**SMALL, "num_key_value_heads": 2, "head_dim": 8}),
    "LlamaModel": ("LlamaConfig", {**SMALL, "num_key_value_heads": 2}),
}
"""Text encoders of published pipelines, at toy width."""


@pytest.mark.parametrize("name", ENCODERS)
def test_a_text_encoder_with_an_attention_mask_is_counted_like_one_without(name):
    config, sizes = ENCODERS[name]
    cls, config = getattr(transformers, name), getattr(transformers, config)(**sizes)
    with_mask, without = (encoder_operations(cls, config, masked=masked) for masked in (True, False))
    assert with_mask == without > 0


@pytest.fixture(scope="module", params=stages.CALLS)
def staged(request):
    """A pipeline of several stages, and what its first call showed."""
    pipeline = getattr(stages, request.param)()
    pipeline.set_progress_bar_config(disable=True)
    with first_call.watched(pipeline) as seen:
        pipeline(**stages.CALLS[request.param])
    return pipeline, seen


def test_every_part_of_a_pipeline_of_several_stages_is_counted(staged):
    pipeline, seen = staged
    assert min(operations.count(pipeline, {path: visits}) for path, visits in seen.counted.items()) > 0


def test_text_encoders_denoisers_and_decoders_are_among_what_is_counted(staged):
    _, seen = staged
    counted = {seen.roles[path] for path in seen.counted}
    assert counted >= {Role.TEXT_ENCODER, Role.DENOISER, Role.AUTOENCODER}


def test_an_autoencoder_without_halves_is_counted_by_its_methods():
    """Stable Cascade's decodes by itself; StableCascadePipeline calls it `vqgan`."""
    vqgan = PaellaVQModel(levels=1, bottleneck_blocks=1, embed_dim=8, latent_channels=4, num_vq_embeddings=2).eval()
    pipeline = SimpleNamespace(vqgan=vqgan)
    with first_call.watched(pipeline) as seen, torch.no_grad():
        vqgan.decode(torch.zeros(1, 4, 8, 8))
    assert operations.count(pipeline, seen.counted) > 0


def test_a_component_that_is_called_decoder_is_no_half_of_an_autoencoder():
    """Stable Cascade calls its denoiser so."""
    pipeline = SimpleNamespace(decoder=small.ddpm().unet)
    with first_call.watched(pipeline) as seen, torch.no_grad():
        pipeline.decoder(torch.zeros(1, 3, 16, 16), 0)
    assert operations.count(pipeline, seen.counted) > 0
