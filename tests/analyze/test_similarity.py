"""Pictures compared with the baseline's: real PNG files in a run's folder, no model."""

import hashlib
import math
from dataclasses import replace

import numpy as np
import pytest
from analyze.make import case, make_folder, measured
from analyze.pictures import GRAY, PHOTO, cast, part
from PIL import Image, PngImagePlugin

from bench.analyze import similarity
from bench.analyze.results import results
from bench.analyze.run import open_run
from bench.analyze.similarity import by_design, differs, open_picture, psnr_between, similarity_between
from bench.errors import InputError
from bench.records.case_result import Similarity
from bench.records.outcomes import Expectation, RemarkKind, Status

PIXELS = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


def noisy(amplitude):
    noise = np.random.default_rng(1).integers(-amplitude, amplitude + 1, PIXELS.shape)
    return np.clip(PIXELS.astype(int) + noise, 0, 255).astype(np.uint8)


def by_definition(other):
    return pytest.approx(10 * math.log10(255**2 / np.mean((PIXELS.astype(float) - other) ** 2)))


def draw(folder, name, arrays):
    (folder / "images" / "sd").mkdir(parents=True, exist_ok=True)
    for index, array in enumerate(arrays):
        Image.fromarray(array).save(folder / "images" / "sd" / f"{name}-{index}.png")
    return folder


def compared(tmp_path, pictures, other_pictures, **settings):
    """Return the result of the case `fp16`, its pictures and the baseline's given as arrays."""
    cases = [case(call={"prompt": "a cat"}), case("fp16", **{"call": {"prompt": "a cat"}, **settings})]
    folder = make_folder(tmp_path / "run", cases, [measured("baseline", 2.0), measured("fp16", 1.0)])
    draw(folder, "baseline", pictures)
    draw(folder, "fp16", other_pictures)
    return next(result for result in results(open_run(folder)) if result.case == "fp16")


def test_identical_pictures_have_infinite_psnr(tmp_path):
    assert compared(tmp_path, [PIXELS], [PIXELS]).similarity.psnr_db == math.inf


def test_identical_pictures_have_an_ssim_of_one(tmp_path):
    assert compared(tmp_path, [PIXELS], [PIXELS]).similarity.ssim == pytest.approx(1.0)


def test_psnr_is_that_of_its_definition(tmp_path):
    assert compared(tmp_path, [PIXELS], [noisy(4)]).similarity.psnr_db == by_definition(noisy(4))


def test_the_worst_of_several_pictures_counts(tmp_path):
    several = compared(tmp_path, [PIXELS, PIXELS], [PIXELS, noisy(40)])
    assert several.similarity.psnr_db == by_definition(noisy(40))


def test_a_difference_that_no_setting_explains_is_remarked(tmp_path):
    remark, *_ = compared(tmp_path, [PIXELS], [noisy(60)]).remarks
    assert remark.kind is RemarkKind.IMAGE_DIFFERS
    assert remark.value == by_definition(noisy(60))
    assert remark.subject == ""


def test_tiling_explains_a_difference(tmp_path):
    remarks = compared(tmp_path, [PIXELS], [noisy(60)], optimizations=("vae_tiling",)).remarks
    assert {remark.subject for remark in remarks} == {"vae_tiling"}


def test_a_small_difference_is_not_remarked(tmp_path):
    assert compared(tmp_path, [PIXELS], [noisy(2)]).remarks == ()


def test_a_difference_by_design_is_not_remarked(tmp_path):
    assert compared(tmp_path, [PIXELS], [noisy(60)], scheduler="DDIMScheduler").remarks == ()


def test_another_scheduler_makes_another_image_by_design(tmp_path):
    found = compared(tmp_path, [PIXELS], [noisy(60)], scheduler="DDIMScheduler").similarity
    assert found.expected_image is Expectation.ANOTHER
    assert found.changed_by == ("scheduler",)


def test_another_size_makes_another_image_by_design(tmp_path):
    found = compared(tmp_path, [PIXELS], [PIXELS[:16]], call={"prompt": "a cat", "height": 256}).similarity
    assert found.changed_by == ("height",)


@pytest.mark.parametrize(
    ("settings", "expected"), [({}, Expectation.SAME), ({"scheduler": "DDIMScheduler"}, Expectation.ANOTHER)]
)
def test_which_image_is_expected_is_known_without_pictures(tmp_path, settings, expected):
    assert compared(tmp_path, [], [], **settings).similarity.expected_image is expected


def test_the_baseline_is_its_own_reference(tmp_path):
    run = open_run(make_folder(tmp_path / "run", [case()], [measured("baseline", 2.0)]))
    assert results(run)[0].similarity.expected_image is Expectation.REFERENCE


@pytest.mark.parametrize("pictures", [[], [PIXELS[:16]]], ids=["none", "another size"])
def test_pictures_that_do_not_match_are_not_compared(tmp_path, pictures):
    assert compared(tmp_path, [PIXELS], pictures).similarity.psnr_db is None


def test_a_result_has_the_hash_of_its_first_pictures_pixels(tmp_path):
    found = compared(tmp_path, [PIXELS], [noisy(2), PIXELS]).similarity
    assert found.image_sha256 == hashlib.sha256(noisy(2).tobytes()).hexdigest()


@pytest.mark.parametrize(("at", "data"), [(11, b"\x05"), (0, b"\x88"), (20, b"\xff\xff\xff\xff")])
def test_a_damaged_picture_is_as_good_as_absent(tmp_path, at, data):
    path = draw(tmp_path, "a", [PIXELS]) / "images" / "sd" / "a-0.png"
    content = path.read_bytes()
    path.write_bytes(content[:at] + data + content[at + len(data) :])
    assert open_picture(path) is None


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"dtype": "float16", "optimizations": ("tf32",)}, []),
        ({"call": {"prompt": "a cat", "output_type": "pt"}}, []),
        ({"vae": "taesd", "seed": 1}, ["vae", "seed"]),
        ({"lora": ({"rank": 8, "weight": 1.0, "fused": False},)}, ["lora"]),
        ({"lora": ({"rank": 4, "weight": 1.0, "fused": True},)}, []),
        ({"ip_adapter": {"path": "a.safetensors", "weight": 0.5}}, ["ip_adapter"]),
        ({"call": {"prompt": "a cat", "num_inference_steps": 20}}, ["num_inference_steps"]),
    ],
)
def test_settings_that_change_the_image_are_named(settings, expected):
    base = case(call={"prompt": "a cat"}, lora=({"rank": 4, "weight": 1.0, "fused": False},))
    assert by_design(replace(base, name="other", **settings), base) == expected


def test_pictures_of_a_case_are_compared_between_runs(tmp_path):
    base, new = draw(tmp_path / "base", "a", [PIXELS]), draw(tmp_path / "new", "a", [noisy(4)])
    assert psnr_between(new, "sd/a", base, "sd/a") == by_definition(noisy(4))


@pytest.mark.parametrize("pictures", [[], [PIXELS[:-8]], [PIXELS, PIXELS]], ids=["none", "another size", "more"])
def test_pictures_that_do_not_match_between_runs_are_not_compared(tmp_path, pictures):
    base, new = draw(tmp_path / "base", "a", [PIXELS]), draw(tmp_path / "new", "a", pictures)
    assert psnr_between(new, "sd/a", base, "sd/a") is None


def test_the_pictures_that_both_cases_have_are_compared(tmp_path):
    folder = draw(draw(tmp_path, "one", [PIXELS]), "batch", [noisy(4), noisy(60)])
    assert similarity_between(folder, "sd/batch", "sd/one", shared=True).psnr_db == by_definition(noisy(4))


def test_pictures_that_only_one_case_has_are_not_left_out_unasked(tmp_path):
    folder = draw(draw(tmp_path, "one", [PIXELS]), "batch", [noisy(4), noisy(60)])
    assert similarity_between(folder, "sd/batch", "sd/one") == Similarity()


def test_a_case_of_whose_picture_a_part_differs_is_not_fast_but_wrong(tmp_path):
    found = compared(tmp_path, [GRAY], [part(GRAY, lambda _: 0, 30)])
    assert [remark.kind for remark in found.remarks] == [RemarkKind.REGION_DIFFERS]
    assert differs(found.similarity)


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({"optimizations": ("channels_last", "attention_slicing")}, Status.DIFFERS),
        ({"optimizations": ("fuse_qkv", "vae_tiling")}, Status.OK),
        ({"optimizations": ("fuse_qkv", "autocast")}, Status.OK),
        ({"optimizations": ("fuse_qkv",), "dtype": "float16"}, Status.OK),
        ({"optimizations": ("fuse_qkv",), "load": {"variant": "fp16"}}, Status.OK),
        ({"optimizations": ("fuse_qkv",), "scheduler": "DDIMScheduler"}, Status.OK),
        ({}, Status.OK),
    ],
    ids=str,
)
def test_a_case_is_not_ok_if_only_optimizations_can_have_changed_its_picture(tmp_path, settings, status):
    assert compared(tmp_path, [PIXELS], [noisy(60)], **settings).status is status


def test_numeric_noise_of_an_optimization_is_ok(tmp_path):
    assert compared(tmp_path, [PIXELS], [noisy(4)], optimizations=("fuse_qkv",)).status is Status.OK


def test_lpips_is_not_computed_for_random_weights(tmp_path, lpips):
    assert compared(tmp_path, [PHOTO], [cast(PHOTO, 5)]).similarity.lpips is None


def test_a_small_file_of_a_huge_picture_is_as_good_as_absent(tmp_path):
    Image.new("1", (13_000, 13_000)).save(tmp_path / "bomb.png")
    assert open_picture(tmp_path / "bomb.png") is None


def test_too_many_pictures_are_not_compared(tmp_path, monkeypatch):
    monkeypatch.setattr(similarity, "MOST_PIXELS", 3 * PIXELS.shape[0] * PIXELS.shape[1])
    assert compared(tmp_path, [PIXELS] * 4, [PIXELS] * 4).similarity.psnr_db is None


def test_a_picture_that_is_a_link_is_refused(tmp_path):
    path = draw(tmp_path, "a", [PIXELS]) / "images" / "sd" / "a-0.png"
    path.rename(tmp_path / "elsewhere.png")
    path.symlink_to(tmp_path / "elsewhere.png")
    with pytest.raises(InputError, match="is a link"):
        similarity.psnr_between(tmp_path, "sd/a", tmp_path, "sd/a")


def test_a_picture_that_is_mostly_text_is_not_read(tmp_path):
    texts = PngImagePlugin.PngInfo()
    texts.add_text("note", "x" * 500_000)
    Image.new("RGB", (64, 64)).save(tmp_path / "padded.png", pnginfo=texts)
    assert open_picture(tmp_path / "padded.png") is None


def test_a_picture_that_is_hard_to_compress_is_read(tmp_path):
    Image.effect_noise((300, 300), 100).convert("RGBA").save(tmp_path / "noise.png", compress_level=0)
    assert open_picture(tmp_path / "noise.png").size == (300, 300)
