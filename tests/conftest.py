"""What many tests share. Expensive things are made once per session: the fork server, one small run."""

import os

import pytest
from support import SCENARIO, bench

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test asks the hub
os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")  # so that tests may fork after importing diffusers


def pytest_collection_modifyitems(items):
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="no CUDA device here"))


@pytest.fixture
def write(tmp_path):
    """Write a file below the test's folder and return its path."""

    def write_file(text, name="scenario.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """The folder of a small finished run on the CPU, and the process that made it. Read it only."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "small.yaml").write_text(SCENARIO, encoding="utf-8")
    process = bench("run", "small.yaml", "--device", "cpu", "--output", "run", cwd=folder)
    assert process.returncode == 0, process.stderr
    return folder / "run", process


@pytest.fixture(scope="session")
def client():
    """The client of a fork server that has the libraries imported."""
    from bench.execute.client import WorkerClient

    with WorkerClient() as running:
        yield running


@pytest.fixture(scope="session")
def saved_pipeline(tmp_path_factory):
    """The folder of a small pipeline that diffusers itself made and saved; nothing of this project is in it."""
    import torch
    from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(0)
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    words = {word: index for index, word in enumerate([*letters, *(f"{letter}</w>" for letter in letters)])}
    words |= {"<|startoftext|>": len(words), "<|endoftext|>": len(words) + 1}
    unet = UNet2DConditionModel(
        sample_size=16, in_channels=4, out_channels=4, block_out_channels=(8, 16), layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16, attention_head_dim=2, norm_num_groups=4,
    )  # fmt: skip
    vae = AutoencoderKL(block_out_channels=(8, 8), down_block_types=("DownEncoderBlock2D",) * 2,
                        up_block_types=("UpDecoderBlock2D",) * 2, latent_channels=4, norm_num_groups=4)  # fmt: skip
    text = CLIPTextModel(CLIPTextConfig(vocab_size=len(words), hidden_size=16, intermediate_size=16,
                                        num_hidden_layers=1, num_attention_heads=2))  # fmt: skip
    pipeline = StableDiffusionPipeline(
        unet=unet, vae=vae, text_encoder=text, tokenizer=CLIPTokenizer(vocab=words, merges=[], model_max_length=77),
        scheduler=EulerDiscreteScheduler(), safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("saved") / "pipeline"
    pipeline.save_pretrained(folder)
    return folder
