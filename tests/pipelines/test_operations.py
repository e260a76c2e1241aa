"""Counting the floating-point operations of a generation."""

import pytest
import torch
from torch.utils._pytree import tree_leaves

from bench.pipelines import first_call, operations, tiny
from bench.pipelines.build import build
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
    kept = [leaf for visit in visits.values() for leaf in tree_leaves([visit.args, visit.kwargs])]
    assert {leaf.device.type for leaf in kept if isinstance(leaf, torch.Tensor)} == {"meta"}
