"""From what a pipeline returns to pictures."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from bench.pipelines import tiny
from bench.pipelines.build import build
from bench.pipelines.images import BrokenImageError, pictures, save
from bench.plan.case import Case
from bench.plan.settings import RunSettings


def output(images):
    return SimpleNamespace(images=images)


def test_a_black_picture_is_broken():
    with pytest.raises(BrokenImageError, match="image 0 has a single color"):
        pictures(output([Image.new("RGB", (8, 8))]), None, "pil")


def test_every_picture_is_checked():
    good = Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3))
    with pytest.raises(BrokenImageError, match="image 1"):
        pictures(output([good, Image.new("RGB", (8, 8), (9, 9, 9))]), None, "pil")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_image_with_values_that_are_not_finite_is_broken(bad):
    values = np.random.default_rng(0).random((1, 8, 8, 3), dtype=np.float32)
    values[0, 3, 3, 1] = bad
    with pytest.raises(BrokenImageError, match="NaN or infinite"):
        pictures(output(values), None, "np")


def test_an_array_becomes_a_picture():
    values = np.random.default_rng(0).random((2, 8, 16, 3), dtype=np.float32)
    assert [picture.size for picture in pictures(output(values), None, "np")] == [(16, 8), (16, 8)]


def test_pictures_are_numbered_from_zero(tmp_path):
    picture = Image.new("RGB", (8, 8))
    save([picture, picture], tmp_path / "scenario", "case")
    assert sorted(path.name for path in (tmp_path / "scenario").iterdir()) == ["case-0.png", "case-1.png"]


@pytest.mark.parametrize("kind", ["latent", "pt", "np", "pil"])
def test_every_output_type_becomes_a_picture(kind):
    call = {"prompt": "a cat", "num_inference_steps": 5, "output_type": kind}
    case, size = tiny.resolve(Case("test", "case", "stable-diffusion-v1-5", dtype="bfloat16", call=call), "tiny")
    ready = build(case, size, RunSettings("cpu", "tiny"))
    ready.seed()
    assert pictures(ready.call(), ready.pipeline, kind)[0].size == (64, 64)
