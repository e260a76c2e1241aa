"""What is missing in the hub's cache."""

from dataclasses import replace

import pytest

from bench.pipelines.fetching import Download, missing
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
