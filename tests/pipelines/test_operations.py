import pytest

from bench.pipelines import first_call, operations, tiny
from bench.pipelines.build import build
from bench.plan.case import Case
from bench.plan.settings import RunSettings

CALL = {"prompt": "a cat", "num_inference_steps": 15, "guidance_scale": 1.0}


def seen_call(model="stable-diffusion-v1-5", **settings):
    case, size = tiny.resolve(Case("test", "case", model, **{"call": CALL, **settings}), "tiny")
    ready = build(case, size, RunSettings("cpu", "tiny"))
    ready.seed()
    with first_call.watched(ready.pipeline) as seen:
        ready.call()
    return ready.pipeline, seen.visits


def test_the_text_encoder_is_counted_as_by_hand():
    """Its layers' matrix products, a multiply-add being two operations; the tiny twin's width, 77 tokens."""
    tokens, width, inner, layers = 77, 32, 128, 3
    projections, scores, mlp = 4 * tokens * width * width, 2 * tokens * tokens * width, 2 * tokens * width * inner
    pipeline, visits = seen_call()
    counted = operations.count(pipeline, {"text_encoder": visits["text_encoder"]})
    assert counted == 2 * layers * (projections + scores + mlp)


def test_the_denoiser_counts_once_a_call():
    pipeline, visits = seen_call(scheduler="DDIMScheduler")
    total = operations.count(pipeline, {"unet": visits["unet"]})
    visits["unet"].count = 1
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
def test_the_count_is_of_the_model_and_not_of_its_optimization(settings):
    plain, optimized = seen_call(), seen_call(**settings)
    assert operations.count(*optimized) == operations.count(*plain)


def test_guidance_doubles_the_denoisers_work():
    single, double = seen_call(), seen_call(call={**CALL, "guidance_scale": 7.5})
    unets = [operations.count(pipeline, {"unet": visits["unet"]}) for pipeline, visits in (single, double)]
    assert unets[1] == 2 * unets[0]


def test_sdxl_with_its_two_text_encoders_is_counted():
    pipeline, visits = seen_call("stable-diffusion-xl-base-1.0")
    assert set(visits) == {"text_encoder", "text_encoder_2", "unet", "vae.decoder"}
    assert operations.count(pipeline, visits) > 0


def test_counting_holds_no_tensor_of_the_call():
    import torch
    from torch.utils._pytree import tree_leaves

    _, visits = seen_call()
    kept = [leaf for visit in visits.values() for leaf in tree_leaves([visit.args, visit.kwargs])]
    assert {leaf.device.type for leaf in kept if isinstance(leaf, torch.Tensor)} == {"meta"}
