"""What the installed diffusers accepts, read from its source."""

import inspect

import diffusers
import pytest

from bench.errors import InputError
from bench.pipelines import diffusers_api


@pytest.mark.parametrize("name", ["StableDiffusionPipeline", "StableDiffusionXLPipeline", "FluxPipeline"])
def test_call_arguments_equal_the_live_signature(name):
    live = set(inspect.signature(getattr(diffusers, name).__call__).parameters) - {"self", "kwargs"}
    assert live <= diffusers_api.call_arguments(name) <= live | {"callback", "callback_steps"}


def test_an_argument_that_only_kwargs_would_swallow_is_not_accepted():
    assert "num_inference_step" not in diffusers_api.call_arguments("StableDiffusionPipeline")


def test_every_scheduler_that_diffusers_exports_is_known():
    names = [name for name in dir(diffusers) if name.endswith("Scheduler") and not name.startswith(("Flax", "Karras"))]
    exported = {name for name in names if not hasattr(getattr(diffusers, name), "_backends")}
    assert exported <= diffusers_api.schedulers()


def test_documented_arguments_of_from_pretrained_are_known():
    assert {"variant", "revision", "device_map", "cache_dir"} <= diffusers_api.load_arguments(None)


def test_the_options_of_a_pipeline_are_load_arguments():
    assert "add_watermarker" in diffusers_api.load_arguments("StableDiffusionXLPipeline")


def test_the_components_of_a_pipeline_are_not_load_arguments():
    assert "unet" not in diffusers_api.load_arguments("DDPMPipeline")


def test_the_arguments_of_an_unknown_pipeline_are_unknown():
    assert diffusers_api.call_arguments("NobodysPipeline") is None


def test_a_saved_folder_has_a_pipeline_class(saved_pipeline):
    assert diffusers_api.pipeline_class(str(saved_pipeline)) == "StableDiffusionPipeline"


def test_a_folder_without_an_index_has_no_pipeline_class(tmp_path):
    assert diffusers_api.pipeline_class(str(tmp_path)) is None


def test_the_schedulers_compatible_with_a_known_model_include_its_own():
    assert "PNDMScheduler" in diffusers_api.compatible_schedulers("stable-diffusion-v1-5")


def test_the_schedulers_compatible_with_a_saved_pipeline_include_its_own(saved_pipeline):
    assert "EulerDiscreteScheduler" in diffusers_api.compatible_schedulers(str(saved_pipeline))


def test_the_schedulers_compatible_with_an_unknown_hub_id_are_refused_with_a_remedy():
    with pytest.raises(InputError, match="list the schedulers by name"):
        diffusers_api.compatible_schedulers("somebody/something")
