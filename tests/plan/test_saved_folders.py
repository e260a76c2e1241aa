"""Folders that cannot be loaded are refused before anything is built, each with what to do."""

import json

import pytest
from plan.refusals import assert_refused

from bench.pipelines.diffusers_api import vocabulary
from bench.plan.load import load

SD = "StableDiffusionPipeline"
PARTS = {
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
    "scheduler": ["diffusers", "DDIMScheduler"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "safety_checker": [None, None],
}
FILES = {
    "unet": "diffusion_pytorch_model.safetensors",
    "vae": "diffusion_pytorch_model.safetensors",
    "scheduler": "scheduler_config.json",
    "tokenizer": "vocab.json",
    "text_encoder": "model.safetensors",
}


@pytest.fixture
def scenario(write, tmp_path):
    """Return a function that writes a model's folder and a scenario, the model of which is on line 2."""

    def path(files=(), parts=(), name=SD, load="{}", extra=""):
        for part, file in (FILES | dict(files)).items():
            if file is not None:
                write("", f"sd/{part}/{file}")
        write(json.dumps({"_class_name": name, **PARTS, **dict(parts)}), "sd/model_index.json")
        return write(f"title: t\nmodel: ./sd\nload: {load}\ncall: {{prompt: a}}\ncases: {{a: {{}}}}\n{extra}")

    return path


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"files": {"unet": "diffusion_pytorch_model-00001-of-00002.safetensors"}},
        {"files": {"unet": "diffusion_pytorch_model.fp16.safetensors"}, "load": "{variant: fp16}"},
        {"parts": {"safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"]}},
        {"parts": {"unheard_of": ["diffusers", "NobodysModel"]}},  # the pipeline takes no such component
    ],
    ids=["plain", "sharded", "variant", "checker that is left out", "component that is not taken"],
)
def test_a_folder_that_can_be_loaded_is_accepted(scenario, changes):
    assert load([scenario(**changes)], vocabulary(), list).cases


@pytest.mark.parametrize(
    ("changes", "line", "words"),
    [
        ({"files": {"unet": "diffusion_pytorch_model.fp16.safetensors"}}, 2, ["'fp16'", "load: {variant: fp16}"]),
        ({"files": {"unet": "diffusion_pytorch_model.fp16-00001-of-00002.safetensors"}}, 2, ["variant: fp16"]),
        ({"files": {"unet": "diffusion_pytorch_model.fp16.safetensors"}, "load": "{variant: bf16}"}, 3, ["'fp16'"]),
        ({"files": {"unet": "diffusion_pytorch_model.bin"}}, 2, [".bin", "save_pretrained"]),
        ({"files": {"text_encoder": "pytorch_model.bin"}}, 2, [".bin", "text_encoder"]),
        ({"files": {"unet": "config.json"}}, 2, ["unet", "no weights"]),
        ({"files": {"unet": None}}, 2, ["no folder for its component 'unet'"]),
        ({"files": {"unet": "my_unet.py"}, "parts": {"unet": ["my_unet", "MyUNet"]}}, 2, ["my_unet.py", "never run"]),
        ({"parts": {"unet": ["mymodule", "MyUNet"]}}, 2, ["'mymodule'", "never run"]),
        ({"parts": {"vae": ["diffusers", "AutoencoderKLNew"]}}, 2, ["AutoencoderKLNew", "newer diffusers"]),
        ({"name": "StableDiffusion9Pipeline"}, 2, ["no StableDiffusion9Pipeline", "pipeline:"]),
        ({"name": ["mine", "MyPipeline"]}, 2, ["mine.py", "never run"]),
        ({"name": None}, 2, ["pipeline's class"]),
    ],
)
def test_a_folder_that_cannot_be_loaded_is_refused(scenario, changes, line, words):
    path = scenario(**changes)
    assert_refused(path, f"{path}:{line}", *words)


def test_a_folder_of_an_unknown_class_can_be_loaded_as_another(scenario):
    assert load([scenario(name="NewPipeline", extra=f"pipeline: {SD}\n")], vocabulary(), list).cases


@pytest.mark.parametrize(
    ("file", "config", "words"),
    [
        ("diffusion_pytorch_model.bin", {}, [".bin", "save_pretrained"]),
        ("diffusion_pytorch_model.fp16.safetensors", {}, ["'fp16'", "remove '.fp16'"]),
        ("diffusion_pytorch_model.safetensors", {"_class_name": "AutoencoderNew"}, ["AutoencoderNew", "newer"]),
        ("diffusion_pytorch_model.safetensors", {"auto_map": {}}, ["never run"]),
    ],
)
def test_an_autoencoder_that_cannot_be_loaded_is_refused(scenario, write, file, config, words):
    write("", f"vae/{file}")
    write(json.dumps({"_class_name": "AutoencoderKL", **config}), "vae/config.json")
    path = scenario(extra="vae: ./vae\n")
    assert_refused(path, f"{path}:6", *words)
