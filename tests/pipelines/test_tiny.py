"""Scaling a case down to its tiny model."""

from bench.pipelines import tiny
from bench.plan.case import Case


def case(model="stable-diffusion-v1-5", **call):
    return Case("test", "case", model, call=call)


def test_sides_are_divided_by_eight_and_steps_by_five():
    scaled = tiny.scale(case(height=512, width=768, num_inference_steps=50))
    assert dict(scaled.call) == {"height": 64, "width": 96, "num_inference_steps": 10}


def test_steps_are_rounded_up():
    assert tiny.scale(case(num_inference_steps=21)).call["num_inference_steps"] == 5


def test_sides_are_rounded_up_to_a_multiple_of_eight():
    assert tiny.scale(case(height=520, width=8)).call["height"] == 72


def test_a_missing_setting_is_the_scaled_default_of_the_pipeline():
    assert dict(tiny.scale(case("stable-diffusion-xl-base-1.0")).call) == {
        "height": 128,
        "width": 128,
        "num_inference_steps": 10,
    }


def test_the_batch_size_stays_the_same():
    assert tiny.scale(case(num_images_per_prompt=8)).call["num_images_per_prompt"] == 8


def test_a_model_without_a_tiny_model_is_not_scaled():
    unknown = case("somebody/something", height=512)
    assert tiny.resolve(unknown, "tiny") == (unknown, "full")


def test_a_full_size_run_is_not_scaled():
    known = case(height=512)
    assert tiny.resolve(known, "full") == (known, "full")
