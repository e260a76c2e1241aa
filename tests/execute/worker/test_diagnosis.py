"""What is found out after the samples: the breakdown of a call, the roofline, and the CLIP score."""

import shutil
from contextlib import contextmanager
from dataclasses import replace

import pytest
from execute.make import CASE, TINY, ActOnce

from bench.execute.client import WorkerClient
from bench.execute.runner import Runner
from bench.plan.case import Case
from bench.plan.order import Job
from bench.plan.settings import RunSettings
from bench.records.models import Breakdown, ClipScore, Work
from bench.records.outcomes import Status

pytestmark = pytest.mark.slow


def record_of(client, folder, case, settings):
    """Measure a case and return its record."""
    runner = Runner(folder, settings, client, WorkerClient)
    return next(iter(runner.run([Job(case, 0)], ActOnce())))


@pytest.fixture(scope="module")
def record(client, tmp_path_factory):
    case = replace(CASE, samples=1, call={"prompt": "a cat", "num_inference_steps": 15})
    return record_of(client, tmp_path_factory.mktemp("diagnosed"), case, replace(TINY, diagnose=True))


def test_every_call_of_the_denoiser_has_its_seconds(record):
    assert len(record.breakdown.denoiser_calls_s) == record.effective.denoiser_calls


def test_the_calls_of_the_denoiser_add_up_to_its_part(record):
    assert sum(record.breakdown.denoiser_calls_s) == pytest.approx(record.breakdown.denoiser_s, rel=1e-5)


def test_the_parts_and_the_rest_add_up_to_the_whole(record):
    found = record.breakdown
    parts = (
        found.text_encoder_s + found.denoiser_s + found.scheduler_s + found.vae_s + found.image_s + (found.other_s or 0)
    )
    assert parts + found.rest_s == pytest.approx(found.whole_s)


def test_the_weights_are_read_by_every_call_of_the_denoiser(record):
    found = record.effective
    assert record.work.weight_bytes == 4 * found.denoiser_parameters * found.denoiser_calls


def test_the_operations_are_counted_with_the_types_they_are_computed_in(record):
    assert record.work.operations > 1e6
    assert record.work.matrix_types == ("float32",)


def test_a_tiny_model_is_diagnosed_only_on_request(client, tmp_path):
    record = record_of(client, tmp_path, replace(CASE, samples=1), TINY)
    assert record.breakdown == Breakdown()
    assert record.work == Work()


@pytest.fixture(scope="module")
def clip_model(saved_pipeline, tmp_path_factory):
    """The folder of a tiny CLIP model with random weights that reads lower-case letters."""
    import torch
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    torch.manual_seed(1)
    width = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**width, "vocab_size": 54, "bos_token_id": 52, "eos_token_id": 53, "pad_token_id": 53}
    vision = {**width, "image_size": 32, "patch_size": 16}
    folder = tmp_path_factory.mktemp("clip") / "model"
    shutil.copytree(saved_pipeline / "tokenizer", folder)
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8)).save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def hub_cache(clip_model, tmp_path_factory):
    """A hub cache with that model in the place of one of OpenAI's, laid out as the hub's own client does."""
    repository = tmp_path_factory.mktemp("hub") / "models--openai--clip-vit-base-patch16"
    shutil.copytree(clip_model, repository / "snapshots" / "0123456789")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0123456789")
    return repository.parent


@contextmanager
def client_with_cache(cache):
    """Start a fork server that uses this hub cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_CACHE", str(cache))
        with WorkerClient() as client:
            yield client


@pytest.fixture(scope="module")
def scoring_client(hub_cache):
    with client_with_cache(hub_cache) as client:
        yield client


def prompted(model, **call):
    return Case("test", "case", str(model), samples=1, call={"prompt": "a cat", "num_inference_steps": 2, **call})


def cosine_by_hand(picture, prompt, folder):
    """Return the cosine between the embeddings of picture and prompt, from what CLIP calls its logits."""
    import torch
    from PIL import Image
    from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

    model = CLIPModel.from_pretrained(folder)
    pixels = CLIPImageProcessorPil.from_pretrained(folder)(Image.open(picture), return_tensors="pt")
    tokens = CLIPTokenizer.from_pretrained(folder)(prompt, return_tensors="pt")
    with torch.no_grad():
        return float(model(**tokens, **pixels).logits_per_image / model.logit_scale.exp())


@pytest.fixture(scope="module")
def scored(saved_pipeline, scoring_client, tmp_path_factory):
    """A record with a score, and the folder of its pictures."""
    folder = tmp_path_factory.mktemp("scored")
    case = prompted(saved_pipeline, num_images_per_prompt=2)
    return record_of(scoring_client, folder, case, RunSettings("cpu", "full")), folder / "images" / "test"


def test_the_clip_score_is_the_mean_over_the_pictures_of_their_cosines_with_the_prompt(scored, clip_model):
    record, pictures = scored
    cosines = [cosine_by_hand(pictures / f"case-{index}.png", "a cat", clip_model) for index in range(2)]
    assert cosines[0] > 0
    assert record.score.clip_score == pytest.approx(100 * sum(max(0, cosine) for cosine in cosines) / 2, rel=1e-4)


def test_the_record_names_the_clip_model(scored):
    assert scored[0].score.clip_model == "openai/clip-vit-base-patch16"


def test_without_a_clip_model_in_the_cache_there_is_no_score(saved_pipeline, tmp_path):
    with client_with_cache(tmp_path / "empty") as client:
        record = record_of(client, tmp_path, prompted(saved_pipeline), RunSettings("cpu", "full"))
    assert record.status == Status.OK
    assert record.score == ClipScore()
    assert record.undiagnosed is None


def test_a_tiny_model_of_random_weights_has_no_score(scoring_client, tmp_path):
    record = record_of(scoring_client, tmp_path, prompted("stable-diffusion-v1-5"), TINY)
    assert record.status == Status.OK
    assert record.score == ClipScore()
