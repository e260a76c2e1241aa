import json
import shutil

import pytest

from bench.execute.client import WorkerClient
from bench.execute.runner import Runner
from bench.plan.case import Case
from bench.plan.order import Job
from bench.plan.settings import RunSettings

CASE = Case("test", "case", "stable-diffusion-v1-5", samples=1, call={"prompt": "a cat", "num_inference_steps": 15})


class Nobody:
    def begin(self, job): ...
    def event(self, job, event): ...
    def end(self, job, outcome): ...


def diagnosed(server, folder, case, settings):
    """Measure a case and return its row."""
    runner = Runner(folder, settings, server, WorkerClient)
    return next(iter(runner.run([Job(case, 0)], Nobody()))).process


@pytest.fixture(scope="module")
def row(server, tmp_path_factory):
    settings = RunSettings("cpu", "tiny", diagnose=True)
    return diagnosed(server, tmp_path_factory.mktemp("diagnosed"), CASE, settings)


def test_every_call_of_the_denoiser_has_its_seconds(row):
    assert len(json.loads(row["breakdown_denoiser_calls_s"])) == row["denoiser_calls"]


def test_the_calls_of_the_denoiser_are_what_its_part_of_the_split_is(row):
    assert sum(json.loads(row["breakdown_denoiser_calls_s"])) == pytest.approx(row["breakdown_denoiser_s"], rel=1e-5)


def test_a_tiny_twin_that_nobody_asked_to_diagnose_is_not_split(server, tmp_path):
    assert "breakdown_denoiser_calls_s" not in diagnosed(server, tmp_path, CASE, RunSettings("cpu", "tiny"))


@pytest.fixture(scope="module")
def clip_model(saved_pipeline, tmp_path_factory):
    """The folder of a toy CLIP model with random weights, that reads lower-case letters."""
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
    """A hub cache with that model in the place of one of OpenAI's, as the hub's own client lays it out."""
    repository = tmp_path_factory.mktemp("hub") / "models--openai--clip-vit-base-patch16"
    shutil.copytree(clip_model, repository / "snapshots" / "0123456789")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0123456789")
    return repository.parent


def with_cache(cache, folder, model, size="full", call=None):
    """Measure a model through a server that knows this hub cache; return the row."""
    call = {"prompt": "a cat", "num_inference_steps": 2, **(call or {})}
    case = Case("test", "case", str(model), samples=1, call=call)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_CACHE", str(cache))
        with WorkerClient() as own:
            return diagnosed(own, folder, case, RunSettings("cpu", size))


def cosine_by_hand(picture, prompt, folder):
    """Return the cosine of the picture's and the prompt's embeddings, from what CLIP calls its logits."""
    import torch
    from PIL import Image
    from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

    model = CLIPModel.from_pretrained(folder)
    pixels = CLIPImageProcessorPil.from_pretrained(folder)(Image.open(picture), return_tensors="pt")
    tokens = CLIPTokenizer.from_pretrained(folder)(prompt, return_tensors="pt")
    with torch.no_grad():
        return float(model(**tokens, **pixels).logits_per_image / model.logit_scale.exp())


@pytest.fixture(scope="module")
def scored(saved_pipeline, hub_cache, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scored")
    return with_cache(hub_cache, folder, saved_pipeline, call={"num_images_per_prompt": 2}), folder / "images" / "test"


def test_the_clip_score_is_the_mean_over_the_pictures_of_their_cosines_with_the_prompt(scored, clip_model):
    row, pictures = scored
    cosines = [cosine_by_hand(pictures / f"case-{index}.png", "a cat", clip_model) for index in range(2)]
    assert cosines[0] > 0
    assert row["clip_score"] == pytest.approx(100 * sum(max(0, cosine) for cosine in cosines) / 2, rel=1e-4)


def test_the_row_names_the_clip_model(scored):
    assert scored[0]["clip_model"] == "openai/clip-vit-base-patch16"


def test_without_a_clip_model_in_the_cache_there_is_no_score(saved_pipeline, tmp_path):
    row = with_cache(tmp_path / "empty", tmp_path, saved_pipeline)
    assert (row["status"], row["undiagnosed"], "clip_score" in row) == ("ok", "", False)


def test_a_twin_of_random_weights_has_no_score(hub_cache, tmp_path):
    row = with_cache(hub_cache, tmp_path, "stable-diffusion-v1-5", size="tiny")
    assert (row["status"], "clip_score" in row) == ("ok", False)
