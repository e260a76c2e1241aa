"""What the installed diffusers accepts, read from its source."""

import inspect
import json
import os

import diffusers
import pytest
import small

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


@pytest.mark.parametrize(
    ("name", "multiple"),
    [("sd", 8), ("sd3", 4), ("flux", None), ("ddpm", None)],  # sd3: latents of half the side, in patches of two
)
def test_sides_are_multiples_of_what_the_pipeline_itself_checks(tmp_path, name, multiple):
    getattr(small, name)().save_pretrained(tmp_path)
    assert diffusers_api.side_multiple(str(tmp_path)) == multiple


@pytest.mark.parametrize("side", [32, 34, 36])
def test_a_side_is_refused_exactly_where_the_pipeline_refuses_it(tmp_path, side):
    pipeline = small.sd3()
    pipeline.save_pretrained(tmp_path)
    accepted = side % diffusers_api.side_multiple(str(tmp_path)) == 0
    arguments = {"prompt": "a cat", "prompt_2": None, "prompt_3": None, "height": side, "width": 32}
    if accepted:
        pipeline.check_inputs(**arguments)
    else:
        with pytest.raises(ValueError, match="divisible by"):
            pipeline.check_inputs(**arguments)


def test_sides_of_published_models_are_known_by_their_facts():
    assert diffusers_api.side_multiple("stable-diffusion-xl-base-1.0") == 8


def test_sides_of_an_unknown_model_are_unknown():
    assert diffusers_api.side_multiple("nobody/nothing") is None


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "[]",
        '{"scheduler": ["diffusers"]}',
        '{"scheduler": 7}',
        '{"scheduler": ["diffusers", "nothing"]}',
    ],
)
def test_a_damaged_index_has_no_scheduler(tmp_path, text):
    (tmp_path / "model_index.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="is not known"):
        diffusers_api.compatible_schedulers(str(tmp_path))


def test_an_index_that_is_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "model_index.json")
    assert diffusers_api.index_of(str(tmp_path)) == {}


@pytest.mark.parametrize("widths", [[8] * 20_000, [8] * 14], ids=["more digits than Python writes", "a side of 16,384"])
def test_sides_that_no_picture_has_are_unknown(tmp_path, widths):
    for name, data in (
        ("model_index.json", {"_class_name": "StableDiffusion3Pipeline"}),
        ("vae/config.json", {"block_out_channels": widths}),
        ("transformer/config.json", {"patch_size": 2}),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(data), encoding="utf-8")
    assert diffusers_api.side_multiple(str(tmp_path)) is None


@pytest.mark.parametrize(
    ("pipeline", "expected"), [("WanPipeline", "np"), ("FluxPipeline", "pil"), ("NoSuchPipeline", None)]
)
def test_the_output_type_of_a_call_that_names_none_is_read_from_its_signature(pipeline, expected):
    assert diffusers_api.default_output_type(pipeline) == expected
