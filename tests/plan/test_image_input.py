"""What a scenario may say about the pictures of a call: everything else is refused with file and line."""

import json

import pytest
from PIL import Image
from plan.refusals import assert_refused

from bench.pipelines import diffusers_api
from bench.plan.load import load

REST = "{prompt: a, mask_image: {synthetic: mask, height: 8, width: 8}}"
CASES = f"cases: {{a: {{call: {REST}}}}}\n"
HEAD = f"title: t\nmodel: stable-diffusion-v1-5\npipeline: StableDiffusionInpaintPipeline\n{CASES}"


def loaded(path):
    return load([path], diffusers_api.vocabulary(), lambda model: []).cases[0].call


@pytest.fixture
def scenario(tmp_path):
    """A scenario beside a picture, whose last line a test writes."""
    (tmp_path / "sub").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "sub" / "cat.png")

    def write(call, head=HEAD):
        path = tmp_path / "sub" / "s.yaml"
        path.write_text(f"{head}call: {call}\n")
        return path

    return write


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("{image: {synthetic: photo}}", ["synthetic", "photo-like"]),
        ("{image: {synthetic: noise}}", ["no size", "height"]),
        ("{image: {synthetic: noise, height: 8}}", ["only one"]),
        ("{image: {synthetic: noise, height: 0, width: 8}}", ["height"]),
        ("{image: {synthetic: noise, height: 99999, width: 8}}", ["height"]),
        ("{image: {synthetic: noise, path: a.png, height: 8, width: 8}}", ["either"]),
        ("{image: {synthetic: noise, hight: 8, width: 8}}", ["hight"]),
        ("{image: {path: cat.png, frames: 3}}", ["one frame"]),
        ("{image: nowhere.png}", ["nowhere.png", "no file"]),
        ("{image: .}", ["no file"]),
        ("{image: 3}", ["path of a picture"]),
        ("{image: []}", ["1 to"]),
        ("{image: [cat.png, 3]}", ["path of a picture"]),
        ("{negative_prompt: {synthetic: noise, height: 8, width: 8}}", ["takes no picture"]),
        ("{imag: cat.png}", ["imag", "did you mean 'image'"]),
    ],
)
def test_what_cannot_be_a_picture_is_refused(scenario, call, words):
    path = scenario(call)
    assert_refused(path, f"{path}:5", *words)


def test_a_path_is_relative_to_the_scenario(scenario, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    assert loaded(scenario("{image: ./cat.png}"))["image"] == {"path": str(tmp_path / "sub" / "cat.png")}


def test_a_path_may_be_relative_to_the_current_directory(scenario, tmp_path, monkeypatch):
    Image.new("RGB", (8, 8)).save(tmp_path / "here.png")
    monkeypatch.chdir(tmp_path)
    assert loaded(scenario("{image: here.png}"))["image"] == {"path": str(tmp_path / "here.png")}


def test_a_path_is_relative_to_the_file_that_names_it(scenario, tmp_path):
    scenario("{image: cat.png}")
    (tmp_path / "over.yaml").write_text("extends: sub/s.yaml\ntitle: other\n")
    assert loaded(tmp_path / "over.yaml")["image"] == {"path": str(tmp_path / "sub" / "cat.png")}


def test_pictures_can_be_an_axis(scenario, tmp_path):
    path = tmp_path / "sub" / "axis.yaml"
    path.write_text(HEAD + "matrix:\n  strength: [0.5, 1.0]\ncall: {image: cat.png}\n")
    cases = load([path], diffusers_api.vocabulary(), lambda model: []).cases
    assert {json.dumps(case.call["image"]) for case in cases} == {
        json.dumps({"path": str(tmp_path / "sub" / "cat.png")})
    }


def test_an_unknown_pipeline_is_refused(scenario):
    path = scenario("{image: cat.png}", HEAD.replace("InpaintPipeline", "InpaintPipelin"))
    assert_refused(path, f"{path}:3", "did you mean 'StableDiffusionInpaintPipeline'")


def test_a_picture_for_a_text_pipeline_is_refused(scenario):
    path = scenario("{image: cat.png}", HEAD.replace("pipeline: StableDiffusionInpaintPipeline\n", ""))
    assert_refused(path, f"{path}:4", "StableDiffusionPipeline takes no call argument 'image'")


@pytest.mark.parametrize(
    ("pipeline", "arguments"),
    [
        ("StableDiffusionImg2ImgPipeline", {"image", "ip_adapter_image"}),
        ("StableDiffusionInpaintPipeline", {"image", "mask_image", "ip_adapter_image"}),
        ("StableDiffusionPipeline", {"ip_adapter_image"}),
        ("FluxFillPipeline", {"image", "mask_image"}),
        ("WanImageToVideoPipeline", {"image"}),
        ("AnimateDiffVideoToVideoPipeline", {"video", "ip_adapter_image"}),
    ],
)
def test_the_arguments_that_take_pictures_are_read_from_diffusers(pipeline, arguments):
    assert diffusers_api.image_arguments(pipeline) == arguments
