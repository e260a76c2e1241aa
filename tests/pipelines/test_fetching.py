"""What is missing in the hub's cache."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from bench.pipelines.fetching import Download, missing, size_bytes
from bench.plan.case import Case
from bench.plan.settings import RunSettings

CASE = Case("test", "case", "somebody/something")
FULL = RunSettings("cpu", "full", hub_reachable=True)
TINY = replace(FULL, size="tiny")
SD15 = replace(CASE, model="stable-diffusion-v1-5")


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_a_repository_that_many_cases_need_is_fetched_once():
    assert missing([CASE, replace(CASE, name="fp16", dtype="float16")], FULL) == [Download("somebody/something")]


def test_a_known_model_is_fetched_by_its_hub_id():
    assert [download.name for download in missing([SD15], FULL)] == ["stable-diffusion-v1-5/stable-diffusion-v1-5"]


def test_another_variant_is_another_download():
    assert len(missing([CASE, replace(CASE, load={"variant": "fp16"})], FULL)) == 2


def test_a_replacement_autoencoder_is_fetched_too():
    assert Download("somebody/vae", autoencoder=True) in missing([replace(CASE, vae="somebody/vae")], FULL)


def test_a_model_without_a_tiny_model_is_fetched_even_if_the_run_is_tiny():
    assert missing([SD15, CASE], TINY) == [Download("somebody/something")]


def test_a_known_autoencoder_is_not_fetched_if_the_run_is_tiny():
    assert missing([replace(SD15, vae="taesd")], TINY) == []


@pytest.mark.parametrize("settings", [replace(FULL, hub_reachable=False), replace(FULL, weights="random")])
def test_nothing_is_fetched_if_the_hub_is_not_used(settings):
    assert missing([CASE], settings) == []


def test_nothing_is_fetched_for_a_saved_pipeline(saved_pipeline):
    assert missing([replace(CASE, model=str(saved_pipeline))], FULL) == []


def test_a_cached_repository_is_not_fetched(empty_cache):
    repository = empty_cache / "models--somebody--something"
    for name, text in {"snapshots/abc/model_index.json": "{}", "refs/main": "abc"}.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(text)
    assert missing([CASE], FULL) == []


FILES = {
    "README.md": 10**3, "v1-5-pruned.safetensors": 10**9, "v1-5-pruned.ckpt": 10**9,
    "model_index.json": 1, "unet/config.json": 1, "tokenizer/vocab.json": 1,
    "unet/diffusion_pytorch_model.safetensors": 100, "unet/diffusion_pytorch_model.fp16.safetensors": 50,
    "unet/diffusion_pytorch_model.non_ema.safetensors": 100, "unet/diffusion_pytorch_model.bin": 100,
    "text_encoder/model-00001-of-00002.safetensors": 1000, "text_encoder/model.fp16-00001-of-00002.safetensors": 500,
    "safety_checker/model.safetensors": 7,
}  # fmt: skip


@pytest.fixture
def hub(monkeypatch):
    """A hub with one repository of these files; return what a download of it is told to take."""

    def model_info(_api, name, **options):
        if name != "somebody/something":
            raise OSError("no such repository")
        assert options["timeout"] <= 10
        return SimpleNamespace(siblings=[SimpleNamespace(rfilename=file, size=size) for file, size in FILES.items()])

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", model_info)


def test_a_download_takes_the_safetensors_of_components(hub):
    assert size_bytes(Download("somebody/something")) == 1102


def test_a_variant_takes_its_own_files_instead(hub):
    assert size_bytes(Download("somebody/something", load={"variant": "fp16"})) == 552


def test_the_safety_checker_counts_if_it_is_used(hub):
    assert size_bytes(Download("somebody/something", safety_checker=True)) == 1109


def test_the_size_is_unknown_if_the_hub_does_not_say(hub):
    assert size_bytes(Download("somebody/else")) is None


def test_the_file_of_a_lora_is_fetched_alone():
    lora = ({"path": "somebody/lora", "weight": 1.0, "fused": False},)
    file = "pytorch_lora_weights.safetensors"
    assert Download("somebody/lora", file=file) in missing([replace(CASE, lora=lora)], FULL)


def test_an_ip_adapter_is_fetched_with_its_image_encoder():
    adapter = {"path": "somebody/ip", "subfolder": "models", "weight_name": "ip.safetensors", "weight": 1.0}
    fetched = [download.file for download in missing([replace(CASE, ip_adapter=adapter)], FULL) if download.file]
    encoder = ["models/image_encoder/config.json", "models/image_encoder/model.safetensors"]
    assert fetched == ["models/ip.safetensors", *encoder]


def test_nothing_is_fetched_for_random_weights():
    lora = ({"rank": 4, "weight": 1.0, "fused": False},)
    assert [each.name for each in missing([replace(CASE, lora=lora)], FULL)] == [CASE.model]
