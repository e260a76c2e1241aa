"""How many images a call makes, by whatever argument decides it."""

import pytest

from bench.plan.case import batch_size

PHOTO = {"synthetic": "photo-like", "height": 64, "width": 64}


@pytest.mark.parametrize(
    ("call", "images"),
    [
        ({}, 1),
        ({"prompt": "a cat"}, 1),
        ({"prompt": ["a cat", "a dog"]}, 2),
        ({"prompt": ("a cat", "a dog"), "num_images_per_prompt": 3}, 6),
        ({"batch_size": 4}, 4),
        ({"class_labels": [1, 2, 3]}, 3),
        ({"class_labels": 207}, 1),
        ({"prompt": "a cat", "num_videos_per_prompt": 2}, 2),
        ({"image": [PHOTO, PHOTO]}, 2),
        ({"image": PHOTO}, 1),
        ({"prompt": "a cat", "image": [PHOTO, PHOTO]}, 1),
        ({"prompt": ["a cat", "a dog"], "batch_size": 2}, 2),
    ],
    ids=str,
)
def test_a_call_makes_as_many_images_as_its_arguments_say(call, images):
    assert batch_size(call) == images
