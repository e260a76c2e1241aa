"""Seeds decide everything random about a picture, in every call and process."""

import pytest
import torch
import zoo
from pipelines.test_build import FULL, ready

pytestmark = pytest.mark.slow


def test_the_same_seed_makes_the_same_picture():
    built = ready()
    pictures = []
    for _ in range(2):
        built.seed()
        pictures.append(built.call().images[0].tobytes())
    assert pictures[0] == pictures[1]


def test_a_list_of_seeds_makes_the_pictures_of_the_single_seeds():
    both = ready(
        seed=(3, 4), call={"prompt": "a cat", "num_inference_steps": 5, "num_images_per_prompt": 2, "output_type": "np"}
    )
    both.seed()
    second = ready(seed=4, call={"prompt": "a cat", "num_inference_steps": 5, "output_type": "np"})
    second.seed()
    assert abs(both.call().images[1] - second.call().images[0]).max() < 1e-4


NOISY = {"prompt": "a cat", "num_inference_steps": 50, "output_type": "np"}


def drawn(built):
    built.seed()
    return built.call().images


@pytest.mark.parametrize("scheduler", ["DPMSolverSDEScheduler", "CosineDPMSolverMultistepScheduler"])
def test_noise_of_a_brownian_tree_is_the_same_in_every_call_and_process(scheduler):
    built = ready(scheduler=scheduler, call=NOISY)
    first = drawn(built)
    assert (drawn(built) == first).all()
    torch.manual_seed(1)
    assert (drawn(ready(scheduler=scheduler, call=NOISY)) == first).all()


def test_noise_of_a_brownian_tree_depends_on_the_seed_of_the_case():
    assert ready(scheduler="DPMSolverSDEScheduler", seed=4).pipeline.scheduler.noise_sampler_seed == 4
    theirs = ready(scheduler="DPMSolverSDEScheduler", seed=4, scheduler_config={"noise_sampler_seed": 5})
    assert theirs.pipeline.scheduler.noise_sampler_seed == 5


def test_a_list_of_seeds_makes_the_noise_of_the_single_seeds():
    both = ready(scheduler="DPMSolverSDEScheduler", seed=(3, 4), call={**NOISY, "num_images_per_prompt": 2})
    second = ready(scheduler="DPMSolverSDEScheduler", seed=4, call=NOISY)
    assert abs(drawn(both)[1] - drawn(second)[0]).max() < 1e-4


def test_noise_that_is_drawn_without_the_generator_is_the_same_in_every_call(zoo_folder):
    call = {**zoo.ZOO["DiTPipeline"].call, "output_type": "np"}
    built = ready(FULL, model=str(zoo_folder("DiTPipeline")), call=call)
    assert (drawn(built) == drawn(built)).all()
