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


def test_the_denoiser_is_visited_once_a_call_of_it(ready):
    steps = len(ready.pipeline.scheduler.timesteps)
    assert visits(ready).count(parts.DENOISER) == steps


def test_nothing_is_left_behind(ready):
    visits(ready)
    pipeline = ready.pipeline
    hooks = [m for m in (pipeline.unet, pipeline.text_encoder) if m._forward_hooks or m._forward_pre_hooks]
    wrapped = ["step" in vars(pipeline.scheduler), "decode" in vars(pipeline.vae)]
    assert (hooks, wrapped) == ([], [False, False])
