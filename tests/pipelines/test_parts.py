"""Entering a recorder around the parts of a pipeline."""

from contextlib import contextmanager, nullcontext
from copy import deepcopy
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import small
import stages
import torch
import zoo
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
    assert set(visits(ready)) == {*parts.PARTS} - {parts.OTHER}


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("StableDiffusionControlNetPipeline", 2),
        ("StableVideoDiffusionPipeline", 1),
        ("StableDiffusionAdapterPipeline", 1),
    ],
)
def test_a_component_without_a_part_of_its_own_is_visited_too(name, others, zoo_folder):
    case = Case("zoo", name, str(zoo_folder(name)), call=zoo.ZOO[name].call)
    assert visits(build(case, "full", RunSettings("cpu", "full"))).count(parts.OTHER) == others


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


@pytest.mark.parametrize("name", stages.CALLS)
@pytest.mark.parametrize("part", [parts.TEXT, parts.DENOISER, parts.SCHEDULER, parts.VAE])
def test_a_part_is_visited_whatever_the_pipeline_calls_it(name, part):
    assert part in parts_of(name)


@cache
def parts_of(name):
    seen = []

    @contextmanager
    def enter(part):
        seen.append(part)
        yield

    pictures_of(getattr(stages, name)(), stages.CALLS[name], enter)
    return frozenset(seen)


@pytest.mark.parametrize("name", stages.CALLS)
def test_a_pipeline_of_several_stages_draws_the_same_while_its_parts_are_visited(name):
    pipeline = getattr(stages, name)()
    call = stages.CALLS[name]
    assert np.array_equal(pictures_of(pipeline, call, uneventful), pictures_of(pipeline, call))


def pictures_of(pipeline, call, around=None):
    """Return the pixels of images or frames that a call draws with seed 0."""
    pipeline.set_progress_bar_config(disable=True)
    with parts.visited(pipeline, around) if around else nullcontext():
        output = pipeline(**call, generator=torch.Generator().manual_seed(0), output_type="np")
    return output.frames if hasattr(output, "frames") else output.images


def test_a_component_that_ran_as_the_denoiser_is_visited_as_such():
    pipeline, seen = SimpleNamespace(painter=torch.nn.Linear(1, 1)), []

    @contextmanager
    def enter(part):
        seen.append(part)
        yield

    with parts.visited(pipeline, enter, denoisers=["painter"]):
        pipeline.painter(torch.zeros(1, 1))
    assert seen == [parts.DENOISER]
