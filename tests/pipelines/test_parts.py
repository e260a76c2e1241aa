"""Entering a recorder around the parts of a pipeline."""

from contextlib import contextmanager

import pytest

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
