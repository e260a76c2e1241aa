"""Pipelines of other classes than Stable Diffusion, measured whole: what a record says of their calls."""

from dataclasses import replace

import pytest
import small
import zoo
from execute.make import ActOnce
from PIL import Image

from bench.execute.client import WorkerClient
from bench.execute.runner import Runner
from bench.plan.case import Case
from bench.plan.order import Job
from bench.plan.settings import RunSettings
from bench.records.outcomes import Remark, RemarkKind

pytestmark = pytest.mark.slow

PROMPT = {"prompt": "a cat", "num_inference_steps": 2, "height": 32, "width": 32}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return the folder of a small pipeline by its name."""
    root = tmp_path_factory.mktemp("pipelines")

    def folder(name):
        if not (root / name).exists():
            getattr(small, name)().save_pretrained(root / name)
        return root / name

    return folder


@pytest.fixture
def measure(client, saved, tmp_path):
    """Measure one call of a small pipeline, given by its name or its folder, and return its record."""

    def record(model, call, **settings):
        folder = saved(model) if isinstance(model, str) else model
        case = Case("test", "case", str(folder), samples=1, call=call, **settings)
        run = replace(RunSettings("cpu", "full"), diagnose=True)
        (found,) = Runner(tmp_path, run, client, WorkerClient).run([Job(case, 0)], ActOnce())
        assert found.status == "ok", found.reason
        return found

    return record


def remarks(record, *kinds):
    return [remark for remark in record.remarks if remark.kind in kinds]


@pytest.mark.parametrize(
    ("name", "call", "images"),
    [
        ("ddpm", {"batch_size": 4, "num_inference_steps": 2}, 4),
        ("dit", {"class_labels": [1, 2], "num_inference_steps": 2}, 2),
        ("flux", {**PROMPT, "prompt": ["a cat", "a dog"], "num_images_per_prompt": 2}, 4),
    ],
)
def test_every_image_of_a_call_has_its_seed_and_its_picture(measure, tmp_path, name, call, images):
    record = measure(name, call, seed=tuple(range(images)))
    assert record.settings.images == len(list((tmp_path / "images" / "test").glob("case-*.png"))) == images


@pytest.mark.parametrize(
    ("name", "call", "steps"),
    [
        ("flux", {"sigmas": [1.0, 0.7, 0.3]}, 3),
        ("sd3", {"sigmas": [1.0, 0.7, 0.3]}, 3),
        ("sd", {"timesteps": [900, 600, 300, 1]}, 4),
        ("sd", {"sigmas": [10.0, 3.0, 1.0, 0.0]}, 3),
        ("ddpm", {"num_inference_steps": 2}, 2),
    ],
)
def test_the_steps_are_those_that_ran(measure, name, call, steps):
    record = measure(name, call if name == "ddpm" else {"prompt": "a cat", "height": 32, "width": 32, **call})
    assert record.settings.steps == steps
    assert record.effective.denoiser_calls == steps


def test_a_call_with_sigmas_is_diagnosed(measure):
    record = measure("flux", {**PROMPT, "sigmas": [1.0, 0.5]})
    assert record.undiagnosed is None
    assert len(record.breakdown.denoiser_calls_s) == 2
    assert record.work.operations > 1e6


def test_a_size_that_the_pipeline_rounds_is_remarked(measure, tmp_path):
    record = measure("flux", {**PROMPT, "height": 34, "width": 46})
    assert record.settings.width == 44
    assert record.settings.height == 32
    with Image.open(tmp_path / "images" / "test" / "case-0.png") as picture:
        assert picture.size == (44, 32)
    assert remarks(record, RemarkKind.RESIZED) == [Remark(RemarkKind.RESIZED, subject="46x34")]


@pytest.mark.parametrize(("side", "found"), [(37, [Remark(RemarkKind.RESIZED, subject="43x37")]), (32, [])])
def test_a_picture_that_the_pipeline_rounds_is_remarked(measure, side, found):
    photo = {"synthetic": "photo-like", "height": side, "width": 43 if found else 40}
    call = {"prompt": "a cat", "num_inference_steps": 2, "image": photo}
    record = measure("sd", call, pipeline="StableDiffusionImg2ImgPipeline")
    assert (record.settings.height, record.settings.width) == ((36, 42) if found else (32, 40))
    assert remarks(record, RemarkKind.RESIZED) == found


def test_a_picture_that_is_enlarged_by_design_is_not_remarked(measure, zoo_folder):
    call = zoo.ZOO["StableDiffusionUpscalePipeline"].call
    record = measure(zoo_folder("StableDiffusionUpscalePipeline"), call)
    assert record.settings.height > call["image"]["height"]
    assert remarks(record, RemarkKind.RESIZED) == []


@pytest.mark.parametrize(("frames", "found"), [(8, [Remark(RemarkKind.OTHER_LENGTH, 8)]), (5, [])])
def test_another_number_of_frames_than_was_asked_for_is_remarked(measure, zoo_folder, frames, found):
    record = measure(zoo_folder("WanPipeline"), {**PROMPT, "num_frames": frames})
    assert record.settings.frames == (9 if found else 5)
    assert remarks(record, RemarkKind.OTHER_LENGTH) == found


def test_a_video_of_each_picture_of_a_list_has_its_seed(measure, zoo_folder):
    photo = {"synthetic": "photo-like", "height": 32, "width": 32}
    call = {**zoo.ZOO["StableVideoDiffusionPipeline"].call, "image": [photo, {**photo, "seed": 1}]}
    assert measure(zoo_folder("StableVideoDiffusionPipeline"), call, seed=(0, 1)).settings.images == 2


def test_a_size_that_was_drawn_as_asked_is_not_remarked(measure):
    assert remarks(measure("flux", PROMPT), RemarkKind.RESIZED, RemarkKind.NO_PICTURE) == []


def test_latents_that_nobody_can_decode_are_measured_without_a_picture(measure, tmp_path):
    record = measure("ddpm", {"batch_size": 2, "num_inference_steps": 2, "output_type": "latent"})
    assert record.settings.images == 2
    assert not (tmp_path / "images").exists()
    assert remarks(record, RemarkKind.NO_PICTURE) == [Remark(RemarkKind.NO_PICTURE, subject="DDPMPipeline")]
