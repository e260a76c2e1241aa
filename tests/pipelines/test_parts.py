"""Entering a recorder around the parts of a pipeline."""

from contextlib import contextmanager
from copy import deepcopy

import numpy as np
import pytest
import small
import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler

from bench.pipelines import parts, tiny
from bench.pipelines.build import build
from bench.plan.case import Case
from bench.plan.settings import RunSettings


@pytest.fixture(scope="module", params=["stable-diffusion-v1-5", "stable-diffusion-xl-base-1.0"])
def ready(request):
    call = {"prompt": "a cat", "num_inference_steps": 15}
    case, size = tiny.resolve(Case("test", "case", request.param, call=call), "tiny")
    return build(case, size, RunSettings("cpu", "tiny"))


def visits(ready):
    seen = []

    @contextmanager
    def part(name):
        seen.append(name)
        yield

    with parts.visited(ready.pipeline, part):
        ready.seed()
        ready.call()
    return seen


def test_every_part_of_a_pipeline_is_visited(ready):
    assert set(visits(ready)) == set(parts.PARTS)


def test_the_denoiser_is_visited_once_per_step(ready):
    steps = len(ready.pipeline.scheduler.timesteps)
    assert visits(ready).count(parts.DENOISER) == steps


@pytest.mark.parametrize("module", ["unet", "text_encoder"])
def test_no_hook_is_left_behind(ready, module):
    visits(ready)
    component = getattr(ready.pipeline, module)
    assert not component._forward_hooks
    assert not component._forward_pre_hooks


@pytest.mark.parametrize(("owner", "method"), [("scheduler", "step"), ("vae", "decode")])
def test_no_wrapped_method_is_left_behind(ready, owner, method):
    visits(ready)
    assert method not in vars(getattr(ready.pipeline, owner))


def pictures(pipeline, call, around=None):
    """Return the pixels that a call draws with seed 0, while `around` enters the parts."""
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(0)
    if around is None:
        return np.stack(pipeline(**call, generator=generator).images)
    with parts.visited(pipeline, around):
        return np.stack(pipeline(**call, generator=generator).images)


@contextmanager
def uneventful(_name):
    yield


PROMPT = {"prompt": "a cat", "height": 32, "width": 32}
INSPECTED = {
    "flux": (None, {**PROMPT, "num_inference_steps": 2}),
    "flux with sigmas": (None, {**PROMPT, "sigmas": [1.0, 0.5]}),
    "sd3 with sigmas": (None, {**PROMPT, "sigmas": [1.0, 0.5]}),
    "sd with sigmas": (EulerDiscreteScheduler, {"prompt": "a cat", "sigmas": [10.0, 1.0, 0.0]}),
    "sd with timesteps": (EulerDiscreteScheduler, {"prompt": "a cat", "timesteps": [900, 500, 100]}),
    "sd with eta": (DDIMScheduler, {"prompt": "a cat", "num_inference_steps": 3, "eta": 1.0}),
    "ddpm": (None, {"num_inference_steps": 3}),
}
"""What diffusers decides by the signatures of a scheduler's methods: another scheduler, if any, and the call."""


@pytest.mark.parametrize("name", INSPECTED)
def test_the_call_that_is_broken_down_draws_the_picture_of_the_measured_call(name):
    scheduler, call = INSPECTED[name]
    pipeline = getattr(small, name.split()[0])()
    if scheduler is not None:
        pipeline.scheduler = scheduler.from_config(pipeline.scheduler.config)
    assert np.array_equal(pictures(pipeline, call, uneventful), pictures(pipeline, call))


def test_a_scheduler_that_the_pipeline_copies_steps_by_itself():
    """LTX-2 copies its scheduler for the sound; a copy that steps the original would skip every other step."""
    pipeline = small.sd()
    with parts.visited(pipeline, uneventful):
        copied = deepcopy(pipeline.scheduler)
        copied.set_timesteps(4)
    assert copied.num_inference_steps == 4
    assert pipeline.scheduler.num_inference_steps is None


def test_a_method_that_something_else_replaced_is_put_back():
    pipeline = small.flux()
    pipeline.vae.decode = replaced = pipeline.vae.decode
    pictures(pipeline, {**PROMPT, "num_inference_steps": 1}, uneventful)
    assert pipeline.vae.decode is replaced
