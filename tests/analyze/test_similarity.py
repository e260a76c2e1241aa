"""Pictures against the baseline's: real PNG files in a run's folder, no model."""

import hashlib
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from analyze.make import case, make_folder, measured
from PIL import Image

from bench.analyze.results import results
from bench.analyze.run import open_run
from bench.analyze.similarity import _warning, by_design, open_picture, similarity

PIXELS = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


def row(tmp_path, pictures, other_pictures, other=None, **facts):
    """Return fp16's row, its pictures and the baseline's given as arrays."""
    other = other or case("fp16", dtype="float16")
    outcomes = [measured("baseline", 2.0), measured("fp16", 1.0, **facts)]
    folder = make_folder(tmp_path / "run", [case(), other], outcomes)
    (folder / "images" / "sd").mkdir(parents=True)
    for name, arrays in (("baseline", pictures), ("fp16", other_pictures)):
        for index, array in enumerate(arrays):
            Image.fromarray(array).save(folder / "images" / "sd" / f"{name}-{index}.png")
    return results(open_run(folder)).set_index("case").loc["fp16"]


def noisy(amplitude):
    noise = np.random.default_rng(1).integers(-amplitude, amplitude + 1, PIXELS.shape)
    return np.clip(PIXELS.astype(int) + noise, 0, 255).astype(np.uint8)


def test_identical_pictures_have_infinite_psnr(tmp_path):
    found = row(tmp_path, [PIXELS], [PIXELS])
    assert (found["psnr_db"], found["ssim"]) == (math.inf, pytest.approx(1.0))


def test_psnr_is_that_of_its_definition(tmp_path):
    other = noisy(4)
    error = np.mean((PIXELS.astype(float) - other) ** 2)
    assert row(tmp_path, [PIXELS], [other])["psnr_db"] == pytest.approx(10 * math.log10(255**2 / error))


def test_the_worst_of_several_pictures_counts(tmp_path):
    several = row(tmp_path, [PIXELS, PIXELS], [PIXELS, noisy(40)])
    assert several["psnr_db"] < 30


def test_a_difference_that_no_setting_explains_is_remarked(tmp_path):
    found = row(tmp_path, [PIXELS], [noisy(60)], remarks="first")
    assert found["remarks"].startswith("first; image differs: ")
    assert found["remarks"].endswith("although no setting explains it")


def test_a_small_difference_is_not_remarked(tmp_path):
    assert pd.isna(row(tmp_path, [PIXELS], [noisy(2)])["remarks"])


def test_another_scheduler_makes_another_image_by_design(tmp_path):
    found = row(tmp_path, [PIXELS], [noisy(60)], other=case("fp16", scheduler="DDIMScheduler"))
    assert (found["similarity"].startswith("another image by design: scheduler"), pd.isna(found["remarks"])) == (
        True,
        True,
    )


def test_pictures_of_another_size_are_not_compared(tmp_path):
    assert pd.isna(row(tmp_path, [PIXELS], [PIXELS[:16]])["psnr_db"])


def test_a_row_has_the_hash_of_its_first_pictures_pixels(tmp_path):
    found = row(tmp_path, [PIXELS], [noisy(2), PIXELS])
    assert found["image_sha256"] == hashlib.sha256(noisy(2).tobytes()).hexdigest()


def test_without_pictures_it_is_known_which_image_is_meant_and_not_how_near_it_is(tmp_path):
    found = row(tmp_path / "same", [], [])
    assert (found["similarity"], pd.isna(found["psnr_db"])) == ("the same image expected", True)
    other = row(tmp_path / "other", [], [], other=case("fp16", scheduler="DDIMScheduler"))
    assert other["similarity"] == "another image by design: scheduler"


def test_pictures_of_another_size_are_another_image_by_design(tmp_path):
    small = case("fp16", call={"prompt": "a cat", "height": 256})
    assert "height" in row(tmp_path, [PIXELS], [PIXELS[:16]], other=small)["similarity"]


@pytest.mark.parametrize(("at", "data"), [(11, b"\x05"), (0, b"\x88"), (20, b"\xff\xff\xff\xff")])
def test_a_damaged_picture_is_as_good_as_absent(tmp_path, at, data):
    folder_with(tmp_path, PIXELS)
    path = tmp_path / "images" / "sd" / "a-0.png"
    content = path.read_bytes()
    path.write_bytes(content[:at] + data + content[at + len(data) :])
    assert open_picture(path) is None


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"dtype": "float16", "optimizations": ("tf32",)}, []),
        ({"call": {"prompt": "a cat", "output_type": "pt"}}, []),
        ({"vae": "taesd", "seed": 1}, ["vae", "seed"]),
        ({"call": {"prompt": "a cat", "num_inference_steps": 20}}, ["num_inference_steps"]),
    ],
)
def test_settings_that_change_the_image_are_named(settings, expected):
    base = case(call={"prompt": "a cat"})
    assert by_design(replace(base, name="other", **settings), base) == expected


@pytest.mark.parametrize(("weights", "told"), [("random", True), ("hub", False)])
def test_with_random_weights_fidelity_is_numeric_agreement_and_says_so(tmp_path, weights, told):
    assert ("numeric agreement only" in row(tmp_path, [PIXELS], [PIXELS], weights=weights)["similarity"]) is told


def folder_with(folder, pixels):
    (folder / "images/sd").mkdir(parents=True)
    Image.fromarray(pixels).save(folder / "images/sd/a-0.png")
    return folder


def test_two_runs_pictures_of_a_case_are_compared(tmp_path):
    other = noisy(4)
    folders = folder_with(tmp_path / "base", PIXELS), folder_with(tmp_path / "new", other)
    error = np.mean((PIXELS.astype(float) - other) ** 2)
    assert similarity(*folders, "sd/a") == pytest.approx(10 * math.log10(255**2 / error))


def test_nothing_is_said_of_pictures_that_one_run_has_not(tmp_path):
    assert similarity(folder_with(tmp_path / "base", PIXELS), tmp_path / "new", "sd/a") is None


def test_nothing_is_said_of_pictures_of_another_size(tmp_path):
    folders = folder_with(tmp_path / "base", PIXELS), folder_with(tmp_path / "new", PIXELS[:-8])
    assert similarity(*folders, "sd/a") is None


def test_tiling_explains_a_difference(tmp_path):
    assert "tiles are decoded apart" in _warning(25.0, case("t", optimizations=("vae_tiling",)), case())
