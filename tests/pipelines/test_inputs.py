"""Pictures that a call is given: normalized when read, equal when made, and small for a tiny model."""

import runpy
from dataclasses import replace

import pytest
from PIL import Image

from bench.errors import InputError
from bench.pipelines import inputs, synthetic, tiny
from bench.pipelines.pasted import lines
from bench.plan.case import Case

SIZED = {"height": 24, "width": 40}


def case(**call):
    return Case("s", "a", "stable-diffusion-v1-5", call=call)


def prepared(**call):
    return inputs.prepare(case(**call), int)


@pytest.fixture
def file(tmp_path):
    """A picture that a camera turned: 4 x 6 pixels, shown as 6 x 4."""
    picture = Image.new("RGBA", (4, 6), (200, 10, 10, 128))
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn it by 90 degrees
    picture.save(tmp_path / "cat.png", exif=exif)
    return str(tmp_path / "cat.png")


def test_a_file_is_turned_upright(file):
    assert prepared(image={"path": file})["image"].size == (6, 4)


def test_a_file_with_transparency_becomes_rgb(file):
    assert prepared(image={"path": file})["image"].mode == "RGB"


def test_a_mask_has_one_channel(file):
    assert prepared(mask_image={"path": file})["mask_image"].mode == "L"


def test_a_file_is_resized_where_the_scenario_says_so(file):
    assert prepared(image={"path": file, **SIZED})["image"].size == (40, 24)


@pytest.mark.parametrize("contents", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + 20 * b"\0"])
def test_a_file_that_is_no_picture_is_refused(tmp_path, contents):
    (tmp_path / "cat.png").write_bytes(contents)
    with pytest.raises(InputError, match=r"cat\.png: is not a picture"):
        prepared(image={"path": str(tmp_path / "cat.png")})


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path):
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    with pytest.raises(InputError, match="pixels"):
        prepared(image={"path": str(tmp_path / "bomb.png")})


@pytest.mark.parametrize("kind", synthetic.MAKERS)
def test_a_synthetic_picture_has_the_size_that_was_asked_for(kind):
    assert prepared(image={"synthetic": kind, **SIZED})["image"].size == (40, 24)


@pytest.mark.parametrize("kind", synthetic.MAKERS)
def test_a_synthetic_picture_repeats(kind):
    made = [prepared(image={"synthetic": kind, **SIZED})["image"].tobytes() for _ in range(2)]
    assert made[0] == made[1]


@pytest.mark.parametrize("kind", synthetic.MAKERS)
def test_another_seed_makes_another_picture(kind):
    made = [prepared(image={"synthetic": kind, **SIZED, "seed": seed})["image"].tobytes() for seed in (0, 1)]
    assert made[0] != made[1]


@pytest.mark.parametrize("kind", synthetic.MAKERS)
def test_the_frames_of_a_synthetic_video_differ(kind):
    frames = prepared(video={"synthetic": kind, **SIZED, "frames": 3})["video"]
    assert len({frame.tobytes() for frame in frames}) == 3


def test_a_photo_like_picture_is_smoother_than_noise():
    import numpy as np

    def jumps(kind):
        pixels = np.asarray(prepared(image={"synthetic": kind, "height": 64, "width": 64})["image"], dtype=float)
        return np.abs(np.diff(pixels, axis=0)).mean()

    assert jumps("photo-like") < jumps("noise") / 2


def test_a_mask_covers_a_part_of_the_picture():
    histogram = prepared(mask_image={"synthetic": "mask", "height": 64, "width": 64})["mask_image"].histogram()
    assert 0.1 < histogram[255] / sum(histogram) < 0.3


def test_a_synthetic_picture_has_the_size_of_the_call():
    assert prepared(image={"synthetic": "noise"}, **SIZED)["image"].size == (40, 24)


def test_a_list_stays_a_list():
    listed = prepared(image=[{"synthetic": "noise", **SIZED}, {"synthetic": "edges", **SIZED}])["image"]
    assert [picture.size for picture in listed] == [(40, 24), (40, 24)]


def test_a_tiny_model_gets_a_small_picture():
    wanted = case(image={"synthetic": "noise", "height": 512, "width": 768})
    made = inputs.prepare(wanted, lambda pixels: tiny.side(wanted.model, pixels))
    assert made["image"].size == (96, 64)


def test_other_arguments_are_left_as_they_are():
    assert prepared(prompt="a cat", strength=0.5) == {"prompt": "a cat", "strength": 0.5}


def test_a_row_tells_pictures_apart():
    wanted = case(image={"synthetic": "noise", **SIZED}, mask_image={"synthetic": "mask", **SIZED})
    found = inputs.described(inputs.prepare(wanted, int), wanted)
    assert found["image"][0]["sha256"] != found["mask_image"][0]["sha256"]


def test_a_row_says_size_and_mode():
    wanted = case(mask_image={"synthetic": "mask", **SIZED})
    (found,) = inputs.described(inputs.prepare(wanted, int), wanted)["mask_image"]
    assert {key: found[key] for key in ("width", "height", "mode")} == {"width": 40, "height": 24, "mode": "L"}


def test_a_row_without_pictures_says_nothing():
    assert inputs.described(prepared(prompt="a cat"), case(prompt="a cat")) is None


@pytest.mark.parametrize("kind", synthetic.MAKERS)
def test_the_printed_lines_make_the_same_pictures(kind, file, tmp_path):
    wanted = case(
        image=[{"path": file}, {"path": file, **SIZED}, {"synthetic": kind, **SIZED, "frames": 2}],
        mask_image={"synthetic": kind, **SIZED, "seed": 3},
    )
    (tmp_path / "made.py").write_text("\n".join(lines(wanted)))
    made = runpy.run_path(str(tmp_path / "made.py"))
    given = inputs.prepare(wanted, int)
    assert [picture.tobytes() for picture in (*made["image"], made["mask_image"])] == [
        picture.tobytes() for picture in (*given["image"], given["mask_image"])
    ]


def test_a_plan_with_pictures_is_compared_by_what_it_says():
    assert case(image={"path": "/a.png"}) != replace(case(image={"path": "/b.png"}))
