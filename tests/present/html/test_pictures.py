"""All pictures of a page: encoded alike, within the budget, each once."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from bench.present.html.pictures import BUDGET, LADDER, album


def noise(seed, side=64):
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


@pytest.fixture
def saved(tmp_path):
    def save(*pictures):
        paths = [tmp_path / f"{number}.png" for number in range(len(pictures))]
        for path, picture in zip(paths, pictures, strict=True):
            Image.fromarray(picture).save(path)
        return paths

    return save


def decoded(css):
    """Return the pictures in a style sheet as arrays."""
    data = re.findall(r"base64,([^)]*)", css)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(each))).convert("RGB")) for each in data]


def test_few_small_pictures_are_kept_as_they_are(saved):
    (found,) = decoded(album(saved(noise(0))).css)
    assert (found == noise(0)).all()


def test_the_same_picture_is_embedded_once(saved):
    assert len(decoded(album(saved(noise(0), noise(1), noise(0))).css)) == 2


def test_pictures_of_the_same_bytes_and_another_shape_are_two(saved):
    wide = noise(0).reshape(32, 128, 3)
    assert len(decoded(album(saved(noise(0), wide)).css)) == 2


def test_many_large_pictures_stay_within_the_budget_and_are_encoded_alike(saved):
    made = album(saved(*(noise(seed, 512) for seed in range(30))))
    assert (made.side, made.quality) in LADDER[1:]
    assert {picture.shape[0] for picture in decoded(made.css)} == {made.side}
    assert len(made.css) < 1.1 * BUDGET


def test_a_picture_remembers_its_own_size(saved):
    (path,) = saved(noise(0, 600))
    picture = album([path]).by_path[path]
    assert picture.width == 600
    assert picture.height == 600


def test_the_encoding_is_named(saved):
    assert album(saved(noise(0))).encoding == "WebP, lossless, at most 512 pixels per side"


def test_without_pictures_there_is_nothing():
    assert album([]).css == ""
