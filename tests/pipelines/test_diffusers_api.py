import inspect

import diffusers
import pytest

from bench.pipelines import diffusers_api


@pytest.mark.parametrize("name", ["StableDiffusionPipeline", "StableDiffusionXLPipeline", "FluxPipeline"])
def test_call_arguments_are_those_of_the_live_signature(name):
    live = set(inspect.signature(getattr(diffusers, name).__call__).parameters) - {"self", "kwargs"}
    assert live <= diffusers_api.call_arguments(name) <= live | {"callback", "callback_steps"}


def test_an_argument_that_only_kwargs_would_swallow_is_not_accepted():
    assert "num_inference_step" not in diffusers_api.call_arguments("StableDiffusionPipeline")


def test_every_scheduler_that_diffusers_exports_is_known():
    exported = {
        name for name in dir(diffusers) if name.endswith("Scheduler") and not name.startswith(("Flax", "Karras"))
    }
    assert (
        not {name for name in exported if not hasattr(getattr(diffusers, name), "_backends")}
        - diffusers_api.schedulers()
    )


def test_from_pretrained_reads_what_the_documentation_says():
    assert {"variant", "revision", "device_map", "cache_dir"} <= diffusers_api.load_arguments(None)


def test_a_pipelines_own_options_are_load_arguments():
    assert "add_watermarker" in diffusers_api.load_arguments("StableDiffusionXLPipeline")


def test_an_unknown_pipeline_is_checked_against_nothing():
    assert diffusers_api.call_arguments("NobodysPipeline") is None


def test_the_pipeline_class_of_a_saved_folder_is_read(saved_pipeline):
    assert diffusers_api.pipeline_of_folder(saved_pipeline) == "StableDiffusionPipeline"


def test_a_folder_without_an_index_has_no_pipeline_class(tmp_path):
    assert diffusers_api.pipeline_of_folder(tmp_path) is None
