"""Checking a case against what the installed libraries know, and finding the line at fault."""

import json

import pytest

from bench.errors import InputError
from bench.pipelines.diffusers_api import vocabulary
from bench.plan.case import Case, batch_size
from bench.plan.check import check
from bench.plan.document import Document

MISSPELLED = {"num_inference_step": 3}


@pytest.fixture
def problem(tmp_path):
    """Return a function that checks a case with a prompt and the given settings, and returns the message, or None."""

    def message(call=None, **settings):
        document = Document(path=tmp_path / "s.yaml", data={})
        try:
            check(
                Case(scenario="s", name="a", call={"prompt": "a", **(call or {})}, **settings),
                ("cases", "a"),
                document,
                vocabulary(),
            )
        except InputError as error:
            return str(error)
        return None

    return message


@pytest.fixture
def line(tmp_path):
    """Return a function that returns the location at which `call: {height: -8}` is reported."""

    def where(*locations):
        path = tmp_path / "s.yaml"
        lines = {location: (path, number) for number, location in enumerate(locations, start=2)}
        case = Case(scenario="s", name="a", model="a/b", call={"height": -8})
        with pytest.raises(InputError) as caught:
            check(case, ("cases", "a"), Document(path=path, data={}, lines=lines), vocabulary())
        return locations[int(str(caught.value).split(":")[1]) - 2]

    return where


def pipeline_folder(folder, name):
    """Write the part of a saved pipeline that a check reads, and return the folder."""
    (folder / "model_index.json").write_text(json.dumps({"_class_name": name}), encoding="utf-8")
    return str(folder)


@pytest.mark.parametrize("name", ["bk-sdm-tiny", "stable-diffusion-v1-5/stable-diffusion-v1-5", "someone/new"])
def test_a_known_name_or_a_hub_id_is_a_model(problem, name):
    assert problem(model=name) is None


@pytest.mark.parametrize("name", ["taesd", "madebyollin/taesd", "someone/new-vae"])
def test_a_known_name_or_a_hub_id_is_an_autoencoder(problem, name):
    assert problem(model="stable-diffusion-v1-5", vae=name) is None


def test_a_folder_with_a_saved_pipeline_is_a_model(problem, tmp_path):
    assert problem(model=pipeline_folder(tmp_path, "StableDiffusionPipeline")) is None


def test_a_folder_without_a_saved_pipeline_is_refused_with_the_file_it_lacks(problem, tmp_path):
    assert "has no model_index.json; " in problem(model=str(tmp_path))


def test_a_folder_that_is_gone_is_refused(problem, tmp_path):
    assert "there is no folder" in problem(model=str(tmp_path / "gone"))


def test_a_folder_with_a_saved_autoencoder_is_an_autoencoder(problem, tmp_path):
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "diffusion_pytorch_model.safetensors").touch()
    assert problem(model="stable-diffusion-v1-5", vae=str(tmp_path)) is None


def test_a_folder_without_an_autoencoder_is_refused_with_the_file_it_lacks(problem, tmp_path):
    assert "has no config.json; " in problem(model="stable-diffusion-v1-5", vae=str(tmp_path))


@pytest.mark.parametrize("model", ["stable-diffusion-v1-5", "runwayml/stable-diffusion-v1-5", "bk-sdm-tiny"])
def test_a_misspelled_call_argument_of_a_known_model_is_refused(problem, model):
    assert "did you mean 'num_inference_steps'?" in problem(model=model, call=MISSPELLED)


def test_a_misspelled_call_argument_of_a_saved_pipeline_is_refused(problem, tmp_path):
    model = pipeline_folder(tmp_path, "StableDiffusionPipeline")
    assert "did you mean 'num_inference_steps'?" in problem(model=model, call=MISSPELLED)


def test_call_arguments_of_an_unknown_hub_id_are_not_checked(problem):
    assert problem(model="someone/new", call=MISSPELLED) is None


def test_a_wrong_value_is_refused_for_an_unknown_hub_id_too(problem):
    assert "'num_inference_steps' is -5; " in problem(model="someone/new", call={"num_inference_steps": -5})


def test_sdxl_accepts_a_second_prompt(problem):
    assert problem(model="stable-diffusion-xl-base-1.0", call={"prompt": "a", "prompt_2": "b"}) is None


def test_a_model_without_a_second_prompt_refuses_one(problem):
    message = problem(model="stable-diffusion-v1-5", call={"prompt": "a", "prompt_2": "b"})
    assert "StableDiffusionPipeline takes no call argument 'prompt_2'; " in message


@pytest.mark.parametrize(
    "call",
    [
        {"height": 8, "width": 2048},
        {"num_inference_steps": 1},
        {"guidance_scale": 0},
        {"guidance_scale": 7.5},
        {"prompt": ""},
        {"prompt": ["a", "b"], "negative_prompt": ["c", "d"]},
        {"output_type": "latent"},
        {"cross_attention_kwargs": {"scale": 0.5}},
        {"clip_skip": None},
    ],
)
def test_a_documented_call_argument_is_accepted(problem, call):
    assert problem(model="stable-diffusion-v1-5", call=call) is None


@pytest.mark.parametrize("load", [{"variant": "fp16"}, {"revision": "main"}, {"device_map": "cuda"}])
def test_a_documented_load_argument_is_accepted(problem, load):
    assert problem(model="stable-diffusion-v1-5", load=load) is None


def test_optimizations_without_a_conflict_are_accepted(problem):
    assert problem(model="stable-diffusion-v1-5", optimizations=("tf32", "channels_last", "compile")) is None


@pytest.mark.parametrize(
    ("call", "images"),
    [
        ({}, 1),
        ({"prompt": "a"}, 1),
        ({"prompt": ["a"]}, 1),
        ({"prompt": ["a", "b", "c"]}, 3),
        ({"num_images_per_prompt": 4}, 4),
        ({"prompt": ["a", "b"], "num_images_per_prompt": 4}, 8),
    ],
)
def test_the_batch_size_is_prompts_times_images_per_prompt(call, images):
    assert batch_size(call) == images


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ([("cases", "a"), ("cases", "a", "call"), ("cases", "a", "call", "height"), ("call", "height")], 2),
        ([("cases", "a"), ("call",), ("call", "height")], 2),
        ([("cases", "a"), ("cases", "a", "call")], 1),
        ([("cases", "a"), ("call",)], 1),
        ([("cases", "a"), ("matrix",)], 0),
    ],
)
def test_a_fault_is_reported_where_the_value_was_written(line, written, expected):
    assert line(*written) == written[expected]
