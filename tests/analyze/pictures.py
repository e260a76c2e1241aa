"""Pictures with a fault that is planted, for the tests of similarity."""

import numpy as np
from skimage.data import astronaut

PHOTO = astronaut()
"""512 x 512, part of scikit-image."""
GRAY = np.full((512, 512, 3), 128, np.uint8)


def part(picture, change, side):
    """Return the picture with a square of `side` pixels changed."""
    found = picture.astype(int)
    found[100 : 100 + side, 120 : 120 + side] = change(found[100 : 100 + side, 120 : 120 + side])
    return np.clip(found, 0, 255).astype(np.uint8)


def cast(picture, levels):
    """Return the picture with more red."""
    return np.clip(picture + np.array([levels, 0, 0]), 0, 255).astype(np.uint8)


def noise(picture, decibels):
    """Return the picture with even noise, as another precision makes it."""
    spread = np.random.default_rng(0).normal(0, 255 * 10 ** (-decibels / 20), picture.shape)
    return np.clip(np.rint(picture + spread), 0, 255).astype(np.uint8)
