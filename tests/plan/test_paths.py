"""A model or an autoencoder that is a folder: found beside its scenario, absolute in the plan, and never a hub id."""

import json
from pathlib import Path

import pytest
from plan.refusals import assert_refused

from bench.pipelines.diffusers_api import vocabulary
from bench.plan.load import load

TEXT = "title: t\nmodel: {}\ncall: {{prompt: a}}\ncases: {{a: {{}}}}\n"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Make the current directory another one than the scenario's."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")


def save_index(folder):
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}), encoding="utf-8")
    return folder


def save_autoencoder(folder):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"_class_name": "AutoencoderKL"}), encoding="utf-8")
    (folder / "diffusion_pytorch_model.safetensors").touch()
    return folder


def case_of(path):
    return load([path], vocabulary(), lambda model: []).cases[0]


@pytest.mark.parametrize("written", ["./sd", "sd", "sd/", "models/sd", "../{here}/sd"])
def test_a_folder_beside_the_scenario_is_absolute_in_the_plan(write, tmp_path, written):
    folder = save_index(tmp_path / ("models/sd" if written.startswith("models") else "sd"))
    model = case_of(write(TEXT.format(written.format(here=tmp_path.name)))).model
    assert Path(model).resolve() == folder  # which a relative path would not be: the current directory is another


def test_a_folder_in_the_current_directory_is_absolute_in_the_plan(write, tmp_path):
    folder = save_index(tmp_path / "elsewhere" / "sd")
    assert case_of(write(TEXT.format("./sd"))).model == str(folder)


def test_the_folder_beside_the_scenario_comes_before_the_one_in_the_current_directory(write, tmp_path):
    save_index(tmp_path / "elsewhere" / "sd")
    folder = save_index(tmp_path / "sd")
    assert case_of(write(TEXT.format("sd"))).model == str(folder)


def test_a_folder_is_relative_to_the_file_in_which_it_was_written(write, tmp_path):
    folder = save_index(tmp_path / "below" / "sd")
    write(TEXT.format("./sd"), "below/parent.yaml")
    assert case_of(write("extends: below/parent.yaml\ntitle: above\n", "above.yaml")).model == str(folder)


def test_a_folder_on_an_axis_is_absolute_in_the_plan(write, tmp_path):
    folder = save_index(tmp_path / "sd")
    path = write("title: t\ncall: {prompt: a}\nmatrix: {model: [sd]}\n")
    assert case_of(path).model == str(folder)


def test_the_compatible_schedulers_are_those_of_the_folder(write, tmp_path):
    folder, asked = save_index(tmp_path / "sd"), []
    path = write("title: t\nmodel: ./sd\ncall: {prompt: a}\nmatrix: {scheduler: compatible}\n")
    load([path], vocabulary(), lambda model: asked.append(model) or ["DDIMScheduler"])
    assert asked == [str(folder)]


def test_the_folder_of_an_autoencoder_is_absolute_in_the_plan(write, tmp_path):
    folder = save_autoencoder(tmp_path / "vae")
    assert case_of(write(TEXT.format("stable-diffusion-v1-5") + "vae: ./vae\n")).vae == str(folder)


def test_a_known_name_is_not_hidden_by_a_folder_that_is_not_a_model(write, tmp_path):
    (tmp_path / "stable-diffusion-v1-5").mkdir()
    assert case_of(write(TEXT.format("stable-diffusion-v1-5"))).model == "stable-diffusion-v1-5"


def test_a_hub_id_stays_one_where_no_folder_has_the_name_of_its_owner(write):
    assert case_of(write(TEXT.format("someone/new"))).model == "someone/new"


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("./sd", "correct the path"),
        ("../sd", "correct the path"),
        ("~/no-such-folder", "correct the path"),
        ("/no/such/folder", "correct the path"),
        ("someone/new/", "correct the path"),
        ("models/sd", "rename the folder 'models'"),
        ("models\\sd", "write it with '/'"),
        ("C:/models/sd", "correct the path"),
    ],
)
@pytest.mark.parametrize("key", ["model", "vae"])
def test_a_name_that_looks_like_a_folder_is_never_taken_for_a_hub_id(write, tmp_path, key, written, remedy):
    (tmp_path / "models").mkdir()
    model = written if key == "model" else "stable-diffusion-v1-5"
    path = write(TEXT.format(model) + (f"vae: {written}\n" if key == "vae" else ""))
    assert_refused(path, f"{path}:{2 if key == 'model' else 5}", "there is no folder", remedy)
