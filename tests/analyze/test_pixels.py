"""Faults that a mean over the whole picture hides are found; what another precision does is not a fault."""

import sys

import numpy as np
import pytest
from analyze.pictures import GRAY, PHOTO, cast, noise, part
from scipy.ndimage import shift

from bench.analyze.pixels import closeness, lpips_weights
from bench.analyze.similarity import ALARM_DB, alarms
from bench.records.outcomes import RemarkKind


def close(picture, other, *, perceptual=False):
    return closeness([other], [picture], perceptual=perceptual)


def faults(picture, other):
    return [remark.kind for remark in alarms(close(picture, other))]


@pytest.mark.parametrize(
    ("picture", "other"),
    [
        (PHOTO, part(PHOTO, lambda square: square + 80, 52)),
        (PHOTO, part(PHOTO, lambda square: 255 - square, 16)),
        (GRAY, part(GRAY, lambda square: square * 0, 30)),
    ],
    ids=["an error of 80 levels in 52 x 52", "an inverted square of 16 x 16", "a black hole of 30 x 30 in gray"],
)
def test_a_fault_in_a_small_region_is_found_by_the_worst_window(picture, other):
    assert close(picture, other).psnr_db > ALARM_DB
    assert faults(picture, other) == [RemarkKind.REGION_DIFFERS]


@pytest.mark.parametrize("picture", [PHOTO, GRAY], ids=["photo", "gray"])
def test_a_red_cast_is_found_by_the_mean_color(picture):
    other = cast(picture, 13)
    assert close(picture, other).psnr_db > ALARM_DB
    assert faults(picture, other) == [RemarkKind.COLOR_DIFFERS]


@pytest.mark.parametrize("picture", [PHOTO, GRAY], ids=["photo", "gray"])
@pytest.mark.parametrize("decibels", [45, 40, 35])
def test_the_noise_of_another_precision_is_not_a_fault(picture, decibels):
    assert faults(picture, noise(picture, decibels)) == []


def test_fine_detail_that_moves_a_little_is_not_a_fault():
    moved = np.clip(shift(PHOTO.astype(float), (0.25, 0.25, 0), order=1, mode="nearest"), 0, 255).astype(np.uint8)
    assert faults(PHOTO, moved) == []


def test_identical_pictures_are_as_close_as_can_be():
    found = close(PHOTO, PHOTO)
    assert found.psnr_db == float("inf")
    assert found.ssim == 1.0
    assert found.ssim_min == 1.0
    assert found.color_shift == 0.0


def test_the_shift_of_the_mean_color_is_that_of_cie_lab():
    """Gray 128 is L 53.585, a 0, b 0 (sRGB, D65); gray 129 is L 53.977."""
    assert close(GRAY, GRAY + 1).color_shift == pytest.approx(0.392, abs=1e-3)


def test_the_worst_of_several_pictures_counts_in_each_metric():
    found = closeness([part(GRAY, lambda _: 0, 30), cast(GRAY, 13)], [GRAY, GRAY], perceptual=False)
    assert [remark.kind for remark in alarms(found)] == [RemarkKind.REGION_DIFFERS, RemarkKind.COLOR_DIFFERS]


@pytest.mark.parametrize("side", [6, 7, 30])
def test_small_pictures_are_compared_as_far_as_they_can_be(side):
    found = close(PHOTO[:side, :side], PHOTO[:side, :side])
    assert found.psnr_db == float("inf")
    assert found.ssim_min == (None if side < 7 else 1.0)


def test_lpips_is_left_out_where_its_weights_are_not(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert close(PHOTO, cast(PHOTO, 5), perceptual=True).lpips is None


def test_lpips_is_left_out_where_it_is_not_installed(lpips, monkeypatch):
    monkeypatch.delitem(sys.modules, "lpips")
    monkeypatch.setattr("bench.analyze.pixels.find_spec", lambda _: None)
    assert lpips_weights() is None
    assert close(PHOTO, cast(PHOTO, 5), perceptual=True).lpips is None


def test_lpips_is_given_pictures_from_minus_one_to_one(lpips):
    found = close(np.zeros_like(GRAY), np.full_like(GRAY, 255), perceptual=True)
    assert found.lpips == 2.0  # what the package of these tests returns: the mean distance
