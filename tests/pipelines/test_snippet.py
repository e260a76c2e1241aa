"""The code to paste, run for real: it draws what the harness draws, with the same settings in effect."""

import os
import runpy
import subprocess
import sys
from dataclasses import asdict, replace

import pytest
import small
import zoo
from PIL import Image
from pipelines.test_optimizations import CUDA, HERE

from bench.errors import InputError
from bench.pipelines import effective, flags, images, optimizations, python_code
from bench.pipelines.build import build
from bench.pipelines.optimizations import TABLE
from bench.pipelines.snippet import snippet
from bench.plan.case import Case
from bench.plan.settings import RunSettings
from bench.records.models import Settings

pytestmark = pytest.mark.usefixtures("default_flags")

DEVICE = "cuda" if CUDA else "cpu"
CALL = {"prompt": "a cat", "num_inference_steps": 2}


def case_of(folder, **settings):
    return Case("test", "case", str(folder), **{"call": CALL, **settings})


def harness(case):
    """Return what the harness draws, its effective settings, and the row's settings that the code is written from."""
    ready = build(case, "full", RunSettings(DEVICE, "full"))
    ready.seed()
    output = ready.call()
    pictures = images.drawn(output, ready.pipeline, case.call.get("output_type", "pil"), case.call).pictures
    origin, pipeline = ready.origin, type(ready.pipeline).__name__
    measured = Settings(device=DEVICE, threads=1, weights=origin.weights, weights_from=origin.name, pipeline=pipeline)
    measured = replace(measured, adapters=dict(ready.adapters))
    measured = replace(measured, components={role: asdict(found) for role, found in ready.component_origins.items()})
    if (vae := ready.vae_origin) is not None:
        measured = replace(measured, vae_weights=vae.weights, vae_weights_from=vae.name)
    return [picture.tobytes() for picture in pictures], effective.read(ready.pipeline), measured


def pasted(code, folder, monkeypatch):
    """Run the code as a program in a folder; return the pictures that it saved, and its effective settings."""
    monkeypatch.chdir(folder)
    (folder / "pasted.py").write_text(code, encoding="utf-8")
    names = runpy.run_path("pasted.py", run_name="__main__")
    files = sorted(folder.glob("image-*.png"))
    return [Image.open(file).convert("RGB").tobytes() for file in files], effective.read(names["pipe"])


def assert_same(case, tmp_path, monkeypatch):
    expected_pictures, expected_settings, measured = harness(case)
    flags.set_default_flags()
    pictures, settings = pasted(snippet(case, measured), tmp_path, monkeypatch)
    assert pictures == expected_pictures
    assert settings == expected_settings


@pytest.mark.parametrize("name", HERE)
def test_the_code_of_an_optimization_draws_what_the_harness_drew(name, saved_pipeline, tmp_path, monkeypatch):
    assert_same(case_of(saved_pipeline, optimizations=(name,)), tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"dtype": "bfloat16"},
        {"dtype": "float16"},
        {"scheduler": "DDIMScheduler"},
        {"scheduler": "DPMSolverMultistepScheduler", "scheduler_config": {"use_karras_sigmas": True}},
        {"scheduler_config": {"timestep_spacing": "trailing"}},
        {"scheduler": "DPMSolverSDEScheduler", "seed": 7},
        {"scheduler": "DPMSolverSDEScheduler", "scheduler_config": {"noise_sampler_seed": 5}},
        {"scheduler": "DPMSolverSDEScheduler", "seed": (3, 4), "call": {**CALL, "num_images_per_prompt": 2}},
        {"seed": 7, "generator_device": "cpu"},
        {"seed": (3, 4), "call": {**CALL, "num_images_per_prompt": 2}},
        {"seed": 5, "call": {**CALL, "prompt": ("a cat", 'a "dog"\nin the rain'), "negative_prompt": ("", "x")}},
        {"call": {**CALL, "height": 48, "width": 40, "guidance_scale": 3.5, "guidance_rescale": 0.5}},
        {"optimizations": ("channels_last", "attention_slicing", "vae_slicing", "vae_tiling")},
    ],
    ids=str,
)
def test_the_code_of_a_case_draws_what_the_harness_drew(settings, saved_pipeline, tmp_path, monkeypatch):
    assert_same(case_of(saved_pipeline, **settings), tmp_path, monkeypatch)


def test_the_code_draws_the_noise_of_a_pipeline_that_ignores_the_generator(zoo_folder, tmp_path, monkeypatch):
    call = zoo.ZOO["DiTPipeline"].call
    assert_same(case_of(zoo_folder("DiTPipeline"), seed=7, call=call), tmp_path, monkeypatch)


PHOTO = {"synthetic": "photo-like", "height": 32, "width": 48, "seed": 1}


@pytest.mark.parametrize(
    ("pipeline", "call"),
    [
        ("StableDiffusionImg2ImgPipeline", {"image": PHOTO, "strength": 0.9}),
        ("StableDiffusionImg2ImgPipeline", {"image": [PHOTO, {**PHOTO, "seed": 2}], "prompt": ["a", "b"]}),
        ("StableDiffusionInpaintPipeline", {"image": PHOTO, "mask_image": {**PHOTO, "synthetic": "mask"}}),
    ],
)
def test_the_code_of_a_case_with_pictures_draws_what_the_harness_drew(
    pipeline, call, saved_pipeline, tmp_path, monkeypatch
):
    assert_same(case_of(saved_pipeline, pipeline=pipeline, call={**CALL, **call}), tmp_path, monkeypatch)


def test_the_code_of_a_case_with_a_file_draws_what_the_harness_drew(saved_pipeline, tmp_path, monkeypatch):
    file = tmp_path / 'a "cat".png'
    Image.effect_noise((48, 32), 80).save(file)
    call = {**CALL, "image": {"path": str(file), "height": 32, "width": 32}}
    assert_same(case_of(saved_pipeline, pipeline="StableDiffusionImg2ImgPipeline", call=call), tmp_path, monkeypatch)


LATENTS = {
    "sdxl": CALL,
    "sd3": {**CALL, "height": 32, "width": 32},
    "flux": {**CALL, "height": 34, "width": 30},
}


@pytest.mark.parametrize("name", LATENTS)
def test_the_code_decodes_latents_the_way_the_pipeline_does(name, tmp_path, monkeypatch):
    getattr(small, name)().save_pretrained(tmp_path / "pipeline")
    call = {**LATENTS[name], "output_type": "latent"}
    assert_same(case_of(tmp_path / "pipeline", call=call), tmp_path, monkeypatch)


def test_the_code_says_where_the_way_from_latents_to_pictures_is_unknown():
    settings = Settings(device="cpu", weights="folder", weights_from="/models/ddpm", pipeline="DDPMPipeline")
    code = snippet(case_of("/models/ddpm", call={"output_type": "latent"}), settings)
    assert "# It is not known how DDPMPipeline turns these latents into pictures." in code
    assert "image.save" not in code


@pytest.mark.parametrize("output_type", ["np", "pt", "latent"])
def test_pictures_are_saved_for_every_output_type(output_type, saved_pipeline, tmp_path, monkeypatch):
    assert_same(case_of(saved_pipeline, call={**CALL, "output_type": output_type}), tmp_path, monkeypatch)


def test_a_replacement_autoencoder_is_loaded(saved_pipeline, saved_autoencoder, tmp_path, monkeypatch):
    assert_same(case_of(saved_pipeline, vae=str(saved_autoencoder)), tmp_path, monkeypatch)


@pytest.mark.slow
def test_the_code_is_a_complete_program(saved_pipeline, tmp_path):
    case = case_of(saved_pipeline, scheduler="DDIMScheduler", optimizations=("channels_last",))
    pictures, _, measured = harness(case)
    (tmp_path / "pasted.py").write_text(snippet(case, measured), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([sys.executable, "pasted.py"], cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert Image.open(tmp_path / "image-0.png").tobytes() == pictures[0]


@pytest.mark.parametrize("name", TABLE)
def test_the_code_of_every_optimization_is_valid_python(name):
    code = TABLE[name].code.format(denoiser="unet", autoencoder="vae")
    assert code.strip()
    compile(code, name, "eval" if TABLE[name].when == optimizations.When.AROUND else "exec")


CUDA_ROW = Settings(device="cuda", threads=8, size="full", pipeline="StableDiffusionPipeline")
HUB = Case("test", "case", "somebody/something", call=CALL)
HUB_ROW = replace(CUDA_ROW, weights="hub", weights_from="somebody/something")


def test_random_weights_are_mentioned_and_the_published_ones_loaded():
    row = replace(CUDA_ROW, weights="random", weights_from="stable-diffusion-v1-4")
    code = snippet(Case("test", "case", "stable-diffusion-v1-4", call=CALL), row)
    assert "# The weights were random, in the published shapes of stable-diffusion-v1-4.\n" in code
    assert '"CompVis/stable-diffusion-v1-4"' in code


def test_random_weights_of_the_autoencoder_are_mentioned():
    row = replace(HUB_ROW, vae_weights="random", vae_weights_from="taesd")
    code = snippet(replace(HUB, vae="taesd"), row)
    assert "# The weights of the autoencoder were random.\n# This code loads the trained ones.\n" in code


def test_a_tiny_model_is_mentioned_and_the_code_is_for_full_size():
    row = replace(CUDA_ROW, weights="random", weights_from="tiny-sd", size="tiny")
    code = snippet(Case("test", "case", "stable-diffusion-v1-5", call={**CALL, "height": 512}), row)
    assert "# test/case. Only its tiny model was measured" in code
    assert "height=512" in code


def test_a_revision_on_the_hub_is_pinned():
    assert 'revision="0123abc"' in snippet(HUB, replace(HUB_ROW, revision="0123abc"))


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        ("StableDiffusionPipeline", True),
        ("StableDiffusionXLPipeline", False),
        ("LatentConsistencyModelPipeline", True),
        ("FluxPipeline", False),
        ("SomebodysOwnPipeline", False),
    ],
)
def test_a_safety_checker_is_left_out_of_pipelines_that_have_one(pipeline, expected):
    assert ("safety_checker=None" in snippet(HUB, replace(HUB_ROW, pipeline=pipeline))) is expected


@pytest.mark.parametrize(("folder", "loaded"), [("sd", "./sd"), ("/models/sd", "/models/sd")])
def test_a_folder_is_loaded_as_a_folder(folder, loaded):
    row = replace(CUDA_ROW, weights="folder", weights_from=folder)
    assert f'    "{loaded}",' in snippet(Case("test", "case", f"./{folder}", call=CALL), row)


def test_a_pipeline_on_a_device_map_is_not_moved():
    code = snippet(replace(HUB, load={"device_map": "cuda"}), HUB_ROW)
    assert 'device_map="cuda"' in code
    assert "pipe.to(" not in code


def test_the_number_of_threads_is_not_set_on_an_accelerator():
    assert "set_num_threads" not in snippet(HUB, HUB_ROW)


KEY = 'timestep_spacing="leading"); open("x", "w"); dict(a'
FOLDER = Settings(device="cpu", weights="folder", weights_from="/models/sd", pipeline="StableDiffusionPipeline")


@pytest.mark.parametrize(
    "settings",
    [
        {"scheduler_config": {KEY: None}},
        {"call": {KEY: 1}},
        {"load": {KEY: 1}},
        {"call": {"class": 1}},
        {"call": {"guidance_scale": float("nan")}},
        {"call": {"guidance_scale": float("inf")}},
        {"call": {"prompt": b"bytes"}},
        {"dtype": 'float16); open("x", "w"); (torch.float16'},
        {"scheduler": 'DDIMScheduler; open("x", "w")'},
        {"seed": '0); open("x", "w"); (0'},
        {"seed": (0, "1")},
    ],
    ids=str,
)
def test_a_setting_that_is_not_a_literal_never_becomes_code(settings):
    with pytest.raises(InputError):
        snippet(case_of("/models/sd", **settings), FOLDER)


@pytest.mark.parametrize(
    "keyword", ["use_safetensors=False", 'revision="other"', 'variant="fp16"', 'vae=open("x", "w")'], ids=str
)
def test_a_program_that_would_load_something_else_is_not_printed(monkeypatch, keyword):
    monkeypatch.setattr(python_code, "keywords", lambda arguments: [keyword] if "use_safetensors" in arguments else [])
    with pytest.raises(InputError, match="cannot be written as a program"):
        snippet(case_of("/models/sd", call={}), FOLDER)


def test_a_program_never_loads_pickled_weights():
    assert "use_safetensors=True" in snippet(case_of("/models/sd", load={"use_safetensors": False}), FOLDER)


def test_threads_that_are_not_a_number_never_become_code():
    with pytest.raises(InputError, match="threads"):
        snippet(case_of("/models/sd"), replace(FOLDER, threads='1); open("x", "w"); (1'))


def test_a_name_with_a_line_break_stays_a_comment():
    case = replace(case_of("/models/sd"), name='a\nopen("x", "w")\r\u2028\u202e')
    assert 'open("x", "w")' not in [line.strip() for line in snippet(case, FOLDER).splitlines()]


def test_a_prompt_has_no_bidirectional_mark_in_the_code():
    code = snippet(case_of("/models/sd", call={"prompt": "a \u202ecat\x9b \u6a21\u578b"}), FOLDER)
    assert code.isprintable() or all(line.isprintable() for line in code.split("\n"))
    assert r"\u202e" in code
