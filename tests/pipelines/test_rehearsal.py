"""The work of a call, known without a weight: as much as a real call turns out to be."""

import pytest

from bench.pipelines import operations, tiny
from bench.pipelines.build import build
from bench.pipelines.errors import UnsupportedError
from bench.pipelines.first_call import watched
from bench.pipelines.rehearsal import rehearse
from bench.plan.case import Case
from bench.plan.settings import RunSettings

CALL = {"prompt": "a vase", "num_inference_steps": 10, "height": 256, "width": 256}


def case(model="stable-diffusion-v1-5", **settings):
    return Case("s", "a", model, **{"call": CALL, **settings})


def rehearsed(wanted):
    return rehearse(*tiny.resolve(wanted, "tiny"))


@pytest.mark.parametrize(
    "wanted",
    [
        case(),
        case("stable-diffusion-xl-base-1.0"),
        case(scheduler="HeunDiscreteScheduler"),
        case(vae="taesd", call={**CALL, "num_images_per_prompt": 2}),
        case(call={**CALL, "guidance_scale": 1.0}),
    ],
    ids=["sd", "sdxl", "second order", "another autoencoder and a batch", "without guidance"],
)
def test_a_rehearsal_counts_the_operations_of_a_real_call(wanted):
    resolved, size = tiny.resolve(wanted, "tiny")
    ready = build(resolved, size, RunSettings("cpu", "tiny", weights="random"))
    with watched(ready.pipeline) as seen:
        ready.call()
    work = rehearse(resolved, size)
    counted = operations.count(ready.pipeline, seen.visits)  # of the VAE, only its decoder
    assert work.convolutions + work.products == pytest.approx(counted, rel=1e-3)
    assert work.denoiser_calls == seen.denoiser_calls


@pytest.mark.parametrize("kind", ["Img2Img", "Inpaint"])
def test_encoding_a_picture_is_counted_too(kind):
    photo = {"synthetic": "photo-like", "height": 256, "width": 256}
    call = {"prompt": "a vase", "num_inference_steps": 10, "strength": 1.0, "image": photo}
    call |= {"mask_image": {**photo, "synthetic": "mask"}} if kind == "Inpaint" else {}
    work = rehearsed(case(pipeline=f"StableDiffusion{kind}Pipeline", call=call))
    without = rehearsed(case())
    assert work.denoiser_calls >= without.denoiser_calls
    assert work.convolutions > without.convolutions


def test_a_full_size_model_is_rehearsed_without_its_weights():
    call = {**CALL, "height": 512, "width": 512, "num_inference_steps": 50}
    work = rehearse(case(scheduler="DDIMScheduler", call=call), "full")
    assert f"{work.convolutions + work.products:.2e}" == "8.29e+13"  # as measured in results/published/nvidia-h200


def test_models_that_share_a_text_encoder_use_different_outputs_of_it():
    rehearsed(case())
    assert rehearsed(case("stable-diffusion-xl-base-1.0")).products > 0


def test_the_work_of_a_model_without_published_facts_is_unknown():
    assert rehearsed(case("somebody/else")) is None


def test_a_scheduler_that_lacks_its_package_is_unsupported(monkeypatch):
    monkeypatch.setattr("diffusers.utils.requires_backends", raises_import_error)
    with pytest.raises(UnsupportedError):
        rehearsed(case(scheduler="DDIMScheduler"))


def raises_import_error(*_):
    raise ImportError("it needs torchsde")
