"""From a request to settings: a GPU that torch cannot use is named, and weights that cannot be loaded are refused."""

import json
import shutil
import sys
from types import SimpleNamespace

import pytest

from bench.errors import InputError
from bench.plan.case import Case
from bench.records.cards import VISIBLE
from bench.session import settings
from bench.session.card_listing import list_cards
from bench.session.progress import Notices
from bench.session.request import AUTO, RunRequest
from bench.session.settings import settings_for

FACTS = {"device": "cpu", "torch": "2.13.0+cpu", "torch_build": "cpu", "started_by": "fork"}


class Client:
    """A worker client whose worker has no GPU, with an interpreter of its own."""

    python = "/env/bin/python"

    def ask(self, _question):
        return FACTS


class NVMLError(Exception):
    pass


NVML = SimpleNamespace(
    NVMLError=NVMLError,
    nvmlInit=lambda: None,
    nvmlShutdown=lambda: None,
    nvmlSystemGetDriverVersion=lambda: "550.54.15",
    nvmlDeviceGetCount=lambda: 1,
    nvmlDeviceGetHandleByIndex=lambda index: index,
    nvmlDeviceGetUUID=lambda _: "GPU-0",
    nvmlDeviceGetName=lambda _: "NVIDIA A100",
)
"""The management library on a machine with one card."""


@pytest.fixture
def card(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", NVML)
    monkeypatch.setattr(settings, "machine_cards", list_cards)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.delenv(VISIBLE, raising=False)


def said(capsys, build):
    """Return what a run on the CPU says with a build of torch."""
    client = Client()
    client.ask = lambda _question: {**FACTS, "torch_build": build}
    settings_for(client, [], RunRequest(size="tiny"), Notices())
    return capsys.readouterr().out


def warnings(capsys, device=AUTO):
    settings_for(Client(), [], RunRequest(device=device, size="tiny"), Notices())
    return capsys.readouterr().err


def test_a_cpu_build_beside_a_card_is_said_with_the_command_of_the_workers_interpreter(card, capsys):
    said = warnings(capsys)
    assert "NVIDIA A100, but torch 2.13.0+cpu is a CPU build" in said
    assert "`/env/bin/python -m pip install 'torch===2.10.0'`" in said


def test_whoever_chose_the_cpu_is_not_warned(card, capsys):
    assert warnings(capsys, "cpu") == ""


def test_whoever_hid_the_card_is_not_warned(card, capsys, monkeypatch):
    monkeypatch.setenv(VISIBLE, "")
    assert warnings(capsys) == ""


def test_a_variable_that_hides_the_card_is_said(card, capsys, monkeypatch):
    monkeypatch.setenv(VISIBLE, "")
    assert (
        said(capsys, "cuda 13.0") == "CUDA_VISIBLE_DEVICES= hides every card, so everything is measured on the CPU.\n"
    )


def test_a_variable_that_hides_the_cards_of_amd_is_said(capsys, monkeypatch):
    monkeypatch.setenv("HIP_VISIBLE_DEVICES", "")
    assert said(capsys, "rocm 7.0").startswith("HIP_VISIBLE_DEVICES= hides every card")


MODEL = "stable-diffusion-v1-5"


@pytest.fixture
def refused(saved_pipeline, tmp_path):
    """Return why `--weights` is refused for a case, given what was done to a copy of a saved pipeline in its folder."""

    def reason(damage, **settings):
        folder = shutil.copytree(saved_pipeline, tmp_path / "models" / MODEL)
        damage(folder)
        case = Case("s", "a", MODEL, **settings)
        request = RunRequest(device="cpu", weights=str(tmp_path / "models"))
        with pytest.raises(InputError) as error:
            settings_for(Client(), [case], request, None)
        return str(error.value)

    return reason


def renamed(old, new):
    return lambda folder: (folder / old).rename(folder / new)


def of_class(name):
    def change(folder):
        index = json.loads((folder / "model_index.json").read_text())
        (folder / "model_index.json").write_text(json.dumps({**index, "_class_name": name}))

    return change


UNET = "unet/diffusion_pytorch_model"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (renamed(f"{UNET}.safetensors", f"{UNET}.bin"), "has .bin weights only, and none but safetensors are read"),
        (renamed(f"{UNET}.safetensors", "unet/notes.txt"), "has no weights (*.safetensors); complete the folder"),
        (renamed("unet", "unet_old"), "has no folder for its component 'unet'"),
        (of_class("StableDiffusion9Pipeline"), "the installed diffusers has no StableDiffusion9Pipeline"),
        (
            of_class("StableDiffusionPAGPipeline"),
            f"PAGPipeline, but {MODEL} is a StableDiffusionPipeline",
        ),
    ],
    ids=["pickled", "none", "component", "unknown class", "another class"],
)
def test_saved_models_that_cannot_be_loaded_are_refused_before_anything_is_built(refused, damage, words):
    reason = refused(damage)
    assert reason.startswith("--weights ")
    assert words in reason


def test_a_saved_autoencoder_that_cannot_be_loaded_is_refused(refused):
    def add_autoencoder(folder):
        vae = shutil.copytree(folder / "vae", folder.parent / "taesd")
        (vae / "diffusion_pytorch_model.safetensors").unlink()

    assert "taesd' has no weights" in refused(add_autoencoder, vae="taesd")


def test_a_file_instead_of_a_folder_of_saved_models_is_refused(tmp_path):
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(InputError, match=r"--weights .*: is not a folder"):
        settings_for(Client(), [], RunRequest(weights=str(tmp_path / "model.safetensors")), None)


def test_saved_models_that_can_be_loaded_are_accepted(saved_pipeline):
    cases = [Case("s", "a", MODEL), Case("s", "b", str(saved_pipeline))]
    found, _ = settings_for(Client(), cases, RunRequest(device="cpu", weights=str(saved_pipeline)), None)
    assert found.weights == str(saved_pipeline)


def test_a_folder_without_the_model_is_left_to_its_case(tmp_path):
    found, _ = settings_for(Client(), [Case("s", "a", MODEL)], RunRequest(device="cpu", weights=str(tmp_path)), None)
    assert found.weights == str(tmp_path)
