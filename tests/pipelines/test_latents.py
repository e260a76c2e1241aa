"""From latents to pictures, the way the pipeline itself goes."""

import numpy as np
import pytest
import small
import torch
from accelerate import cpu_offload
from accelerate.hooks import CpuOffload

from bench.pipelines import images
from bench.pipelines.latents import WayBack, decode, way_back

PROMPT = {"prompt": "a cat", "num_inference_steps": 2}
SIZE = {"height": 32, "width": 32}


def drawn(pipeline, kind, call):
    """Return the pixels of a call with seed 0, from its output of this type."""
    pipeline.set_progress_bar_config(disable=True)
    output = pipeline(**call, output_type=kind, generator=torch.Generator().manual_seed(0))
    return [np.asarray(picture) for picture in images.drawn(output, pipeline, kind, call).pictures]


def standardized(make):
    """Return a pipeline whose autoencoder has a mean and a deviation of its latents."""
    pipeline = make()
    pipeline.vae.register_to_config(latents_mean=[0.1, -0.2, 0.3, 0.0], latents_std=[1.5, 0.5, 2.0, 1.0])
    return pipeline


CALLS = {
    "scaled": (small.sd, PROMPT),
    "scaled and shifted": (small.sd3, {**PROMPT, **SIZE}),
    "packed": (small.flux, {**PROMPT, **SIZE, "num_images_per_prompt": 2}),
    "packed and rounded": (small.flux, {**PROMPT, "height": 34, "width": 30}),
    "packed, of the pipeline's own size": (small.flux, PROMPT),
    "standardized": (lambda: standardized(small.sdxl), {**PROMPT, **SIZE}),
}


@pytest.mark.parametrize("name", CALLS)
def test_decoded_latents_are_the_picture_of_the_same_call_with_tensors(name):
    make, call = CALLS[name]
    pipeline = make()
    if "default_sample_size" in vars(pipeline):
        pipeline.default_sample_size = 16
    decoded, expected = drawn(pipeline, "latent", call), drawn(pipeline, "pt", call)
    assert len(decoded) == call.get("num_images_per_prompt", 1)
    assert np.array_equal(decoded, expected)


def test_decoding_leaves_the_autoencoder_as_it_was():
    pipeline = small.sdxl().to(torch.bfloat16)
    drawn(pipeline, "latent", {**PROMPT, **SIZE})
    assert pipeline.vae.dtype == torch.bfloat16


def test_where_the_way_back_is_unknown_there_is_no_picture():
    assert drawn(small.ddpm(), "latent", {"num_inference_steps": 2}) == []


@pytest.mark.parametrize(
    ("pipeline", "way"),
    [
        ("StableDiffusionPipeline", WayBack(False, True, False, False, False, False)),
        ("StableDiffusionXLPipeline", WayBack(False, True, False, True, True, False)),
        ("StableDiffusion3Pipeline", WayBack(False, True, True, False, False, False)),
        ("FluxPipeline", WayBack(True, True, True, False, False, False)),
        ("PixArtSigmaPipeline", WayBack(False, True, False, False, False, True)),
        ("QwenImagePipeline", WayBack(True, False, False, True, False, False)),
        ("Flux2Pipeline", None),  # packs by positions that it does not return
        ("KandinskyV22Pipeline", None),  # has no autoencoder under that name
        ("WanPipeline", None),  # draws videos
        ("DDPMPipeline", None),
    ],
)
def test_the_way_back_is_read_from_the_source_of_the_pipeline(pipeline, way):
    assert way_back(pipeline) == way


def test_latents_are_decoded_in_float32_while_weights_stay_on_the_cpu():
    """Sequential offloading keeps weights of half precision in a map and empty parameters in the module."""
    decoded = []
    for offloaded in (False, True):
        pipeline = small.sdxl().to(torch.float16)
        pipeline.vae.register_to_config(force_upcast=True)
        if offloaded:
            cpu_offload(pipeline.vae, torch.device("cpu"), offload_buffers=True)
        latents = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0)).half()
        decoded.append(decode(latents, pipeline, SIZE))
        assert pipeline.vae.dtype == torch.float16
    assert torch.equal(*decoded)


@pytest.fixture
def card(monkeypatch):
    """The modules that are on a card, as accelerate's hooks move them; the card is the memory of the host."""
    held = set()
    fetch, send_back = CpuOffload.pre_forward, CpuOffload.init_hook

    def pre_forward(hook, module, *arguments, **named):
        held.add(module)
        return fetch(hook, module, *arguments, **named)

    def init_hook(hook, module):
        held.discard(module)
        return send_back(hook, module)

    monkeypatch.setattr(CpuOffload, "pre_forward", pre_forward)
    monkeypatch.setattr(CpuOffload, "init_hook", init_hook)
    return held


def test_decoding_sends_an_offloaded_autoencoder_back(card):
    pipeline = small.sdxl()
    pipeline.enable_model_cpu_offload(device="cpu")
    latents = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    decode(latents, pipeline, SIZE)
    assert card == set()


def test_decoding_puts_an_offloaded_autoencoder_on_the_card(card, monkeypatch):
    """Without what sends it back, it is there, so that the test above can fail."""
    pipeline = small.sdxl()
    pipeline.enable_model_cpu_offload(device="cpu")
    monkeypatch.setattr(pipeline, "maybe_free_model_hooks", lambda: None)
    decode(torch.zeros(1, 4, 16, 16), pipeline, SIZE)
    assert card == {pipeline.vae}


def test_decoding_leaves_the_weights_of_a_sequentially_offloaded_autoencoder_in_their_map():
    pipeline = small.sdxl().to(torch.float16)
    pipeline.vae.register_to_config(force_upcast=True)
    cpu_offload(pipeline.vae, torch.device("cpu"), offload_buffers=True)
    decode(torch.zeros(1, 4, 16, 16).half(), pipeline, SIZE)
    assert {parameter.device.type for parameter in pipeline.vae.parameters()} == {"meta"}


@pytest.mark.gpu
@pytest.mark.parametrize("offload", ["enable_model_cpu_offload", "enable_sequential_cpu_offload"])
def test_decoding_leaves_no_weights_of_an_offloaded_pipeline_on_the_card(offload):
    pipeline = small.sdxl().to(torch.float16)
    getattr(pipeline, offload)(device="cuda")
    drawn(pipeline, "latent", {**PROMPT, **SIZE})
    assert {parameter.device.type for parameter in pipeline.vae.parameters()} <= {"cpu", "meta"}
