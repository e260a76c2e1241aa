"""From what a pipeline returns to pictures."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from bench.pipelines import tiny
from bench.pipelines.build import build
from bench.pipelines.images import BrokenImageError, NothingDrawnError, drawn, save
from bench.plan.case import Case
from bench.plan.settings import RunSettings


def output(images):
    return SimpleNamespace(images=images)


def test_a_black_picture_is_broken():
    with pytest.raises(BrokenImageError, match="image 0 has a single color"):
        drawn(output([Image.new("RGB", (8, 8))]), None, "pil", {})


def test_every_picture_is_checked():
    good = Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3))
    with pytest.raises(BrokenImageError, match="image 1"):
        drawn(output([good, Image.new("RGB", (8, 8), (9, 9, 9))]), None, "pil", {})


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_image_with_values_that_are_not_finite_is_broken(bad):
    values = np.random.default_rng(0).random((1, 8, 8, 3), dtype=np.float32)
    values[0, 3, 3, 1] = bad
    with pytest.raises(BrokenImageError, match="NaN or infinite"):
        drawn(output(values), None, "np", {})


def test_an_array_becomes_a_picture():
    values = np.random.default_rng(0).random((2, 8, 16, 3), dtype=np.float32)
    assert [picture.size for picture in drawn(output(values), None, "np", {}).pictures] == [(16, 8), (16, 8)]


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
    assert drawn(ready.call(), ready.pipeline, kind, call).pictures[0].size == (64, 64)


def frames(count=5, videos=1):
    """Return videos as an array of (videos, frames, height, width, channels)."""
    return np.random.default_rng(0).random((videos, count, 8, 16, 3), dtype=np.float32)


def as_pil(values):
    return [[Image.fromarray((frame * 255).astype(np.uint8)) for frame in video] for video in values]


def as_pt(values):
    return torch.from_numpy(values).permute(0, 1, 4, 2, 3)


VIDEOS = {"pil": as_pil, "np": lambda values: values, "pt": as_pt}


@pytest.mark.parametrize("kind", VIDEOS)
def test_the_frames_of_a_video_are_counted(kind):
    assert drawn(SimpleNamespace(frames=VIDEOS[kind](frames())), None, kind, {}).frames == 5


@pytest.mark.parametrize("kind", VIDEOS)
def test_three_frames_of_each_video_are_kept(kind):
    kept = drawn(SimpleNamespace(frames=VIDEOS[kind](frames(videos=2))), None, kind, {})
    assert (kept.images, [picture.size for picture in kept.pictures]) == (2, [(16, 8)] * 6)


@pytest.mark.parametrize("kind", VIDEOS)
def test_the_first_the_middle_and_the_last_frame_are_kept(kind):
    values = np.linspace(0, 1, 5 * 8 * 16 * 3, dtype=np.float32).reshape(1, 5, 8, 16, 3)
    means = [
        np.asarray(picture).mean()
        for picture in drawn(SimpleNamespace(frames=VIDEOS[kind](values)), None, kind, {}).pictures
    ]
    assert means == pytest.approx([25.5, 127.5, 229.5], abs=1)


@pytest.mark.parametrize("kind", VIDEOS)
def test_a_single_video_without_a_batch_is_one_video(kind):
    assert drawn(SimpleNamespace(frames=VIDEOS[kind](frames())[0]), None, kind, {}).images == 1


@pytest.mark.parametrize("count", [1, 2])
def test_a_short_video_keeps_what_it_has(count):
    assert len(drawn(SimpleNamespace(frames=frames(count)), None, "np", {}).pictures) == count


def test_a_view_from_all_sides_is_a_video():
    assert drawn(output(as_pil(frames())), None, "pil", {}).frames == 5


def test_a_black_frame_is_broken():
    values = frames()
    values[0, 2] = 0
    with pytest.raises(BrokenImageError):
        drawn(SimpleNamespace(frames=values), None, "np", {})


@pytest.mark.parametrize("kind", ["np", "pt"])
def test_a_frame_with_nan_is_broken_also_if_it_is_not_kept(kind):
    values = frames()
    values[0, 1, 3, 3, 0] = np.nan
    with pytest.raises(BrokenImageError, match="NaN"):
        drawn(SimpleNamespace(frames=VIDEOS[kind](values)), None, kind, {})


def test_latents_of_a_video_have_no_picture():
    values = torch.ones(2, 4, 3, 8, 8)
    found = drawn(SimpleNamespace(frames=values), None, "latent", {})
    assert (found.images, found.frames, found.pictures) == (2, None, [])


def test_a_pipeline_that_draws_nothing_is_named():
    with pytest.raises(NothingDrawnError, match="NoneType returned neither images nor frames"):
        drawn(SimpleNamespace(audios=[1]), None, "pil", {})
