"""The code to paste, run for real, beside the harness: the same pictures, and the same in effect."""

import os
import runpy
import subprocess
import sys

import pytest
import torch
from diffusers import AutoencoderKL
from PIL import Image
from pipelines.test_optimizations import CUDA, HERE

from bench.pipelines import effective, images, optimizations
from bench.pipelines.build import build
from bench.pipelines.optimizations import TABLE
from bench.pipelines.snippet import snippet
from bench.plan.case import Case
from bench.plan.settings import RunSettings

DEVICE = "cuda" if CUDA else "cpu"
CALL = {"prompt": "a cat", "num_inference_steps": 2}


@pytest.fixture(autouse=True)
def default_flags():
    optimizations.set_default_flags()
    yield
    optimizations.set_default_flags()


@pytest.fixture(scope="session")
def saved_autoencoder(tmp_path_factory):
    """The folder of another autoencoder than the saved pipeline's."""
    torch.manual_seed(1)
    vae = AutoencoderKL(block_out_channels=(8, 8), down_block_types=("DownEncoderBlock2D",) * 2,
                        up_block_types=("UpDecoderBlock2D",) * 2, latent_channels=4, norm_num_groups=2)  # fmt: skip
    folder = tmp_path_factory.mktemp("saved-vae") / "vae"
    vae.save_pretrained(folder)
    return folder


def case_of(folder, **settings):
    return Case("test", "case", str(folder), **{"call": CALL, **settings})


def harness(case):
    """Return what the harness draws, what is in effect then, and the row's columns that the code is written from."""
    ready = build(case, "full", RunSettings(DEVICE, "full"))
    ready.seed()
    output = ready.call()
    pictures = images.pictures(output, ready.pipeline, case.call.get("output_type", "pil"))
    row = {"device": DEVICE, "threads": 1, "weights": ready.origin.weights, "weights_from": ready.origin.name}
    if ready.vae_origin is not None:
        row |= {"vae_weights": ready.vae_origin.weights, "vae_weights_from": ready.vae_origin.name}
    return [picture.tobytes() for picture in pictures], effective.read(ready.pipeline), row


def pasted(code, folder, monkeypatch):
    """Run the code as a program in a folder; return the pictures that it saved, and what was in effect."""
    monkeypatch.chdir(folder)
    (folder / "pasted.py").write_text(code, encoding="utf-8")
    names = runpy.run_path("pasted.py", run_name="__main__")
    files = sorted(folder.glob("image-*.png"))
    return [Image.open(file).convert("RGB").tobytes() for file in files], effective.read(names["pipe"])


def assert_same(case, tmp_path, monkeypatch):
    pictures, live, row = harness(case)
    optimizations.set_default_flags()
    assert pasted(snippet(case, row), tmp_path, monkeypatch) == (pictures, live)


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


@pytest.mark.parametrize("output_type", ["np", "pt", "latent"])
def test_pictures_are_saved_whatever_the_call_returns(output_type, saved_pipeline, tmp_path, monkeypatch):
    assert_same(case_of(saved_pipeline, call={**CALL, "output_type": output_type}), tmp_path, monkeypatch)


def test_an_exchanged_autoencoder_is_loaded(saved_pipeline, saved_autoencoder, tmp_path, monkeypatch):
    assert_same(case_of(saved_pipeline, vae=str(saved_autoencoder)), tmp_path, monkeypatch)


def test_the_code_is_a_program_of_its_own(saved_pipeline, tmp_path):
    case = case_of(saved_pipeline, scheduler="DDIMScheduler", optimizations=("channels_last",))
    pictures, _, row = harness(case)
    (tmp_path / "pasted.py").write_text(snippet(case, row), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([sys.executable, "pasted.py"], cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert Image.open(tmp_path / "image-0.png").tobytes() == pictures[0]


@pytest.mark.parametrize("name", TABLE)
def test_every_optimization_has_code_that_is_python(name):
    code = TABLE[name].code.format(denoiser="unet")
    assert code.strip()
    compile(code, name, "eval" if TABLE[name].when == optimizations.When.AROUND else "exec")


ROW = {"device": "cuda", "threads": 8, "size": "full", "pipeline": "StableDiffusionPipeline"}


def test_random_weights_are_told_and_the_published_ones_loaded():
    row = {**ROW, "weights": "random", "weights_from": "stable-diffusion-v1-4"}
    code = snippet(Case("test", "case", "stable-diffusion-v1-4", call=CALL), row)
    assert "# Measured with random weights of stable-diffusion-v1-4's published shapes" in code
    assert '"CompVis/stable-diffusion-v1-4"' in code


def test_a_twin_is_told_and_the_case_written_in_full_size():
    row = {**ROW, "weights": "random", "weights_from": "tiny-sd", "size": "tiny"}
    call = {**CALL, "height": 512}
    code = snippet(Case("test", "case", "stable-diffusion-v1-5", call=call), row)
    assert ("Measured was a tiny twin" in code, "height=512" in code) == (True, True)


def test_a_revision_of_the_hub_is_pinned():
    row = {**ROW, "weights": "hub", "weights_from": "somebody/something", "revision": "0123abc"}
    assert 'revision="0123abc"' in snippet(Case("test", "case", "somebody/something", call=CALL), row)


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
    row = {**ROW, "weights": "hub", "weights_from": "somebody/something", "pipeline": pipeline}
    assert ("safety_checker=None" in snippet(Case("test", "case", "somebody/something", call=CALL), row)) is expected


@pytest.mark.parametrize(("folder", "loaded"), [("sd", "./sd"), ("/models/sd", "/models/sd")])
def test_a_folder_is_loaded_as_a_folder(folder, loaded):
    row = {**ROW, "weights": "folder", "weights_from": folder}
    assert f'    "{loaded}",' in snippet(Case("test", "case", f"./{folder}", call=CALL), row)


def test_a_pipeline_on_a_device_map_is_not_moved():
    row = {**ROW, "weights": "hub", "weights_from": "somebody/something"}
    code = snippet(Case("test", "case", "somebody/something", call=CALL, load={"device_map": "cuda"}), row)
    assert ('device_map="cuda"' in code, "pipe.to(" in code) == (True, False)


def test_no_thread_is_set_on_an_accelerator():
    row = {**ROW, "weights": "hub", "weights_from": "somebody/something"}
    assert "set_num_threads" not in snippet(Case("test", "case", "somebody/something", call=CALL), row)
