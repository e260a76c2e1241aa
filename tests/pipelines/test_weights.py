"""Random weights of the published architectures."""

from dataclasses import replace

import pytest
import torch

from bench.pipelines import architectures, weights


@pytest.fixture(scope="module")
def unet():
    return weights.build(architectures.component("unet.tiny"), torch.float32, "cpu")


def test_weights_have_the_requested_dtype():
    vae = weights.build(architectures.component("vae.tiny"), torch.bfloat16, "cpu")
    assert {parameter.dtype for parameter in vae.parameters()} == {torch.bfloat16}


def test_nothing_is_left_on_the_meta_device(unet):
    assert not any(tensor.is_meta for tensor in (*unet.parameters(), *unet.buffers()))


def test_no_matrix_is_zero(unet):
    assert all(parameter.any() for parameter in unet.parameters() if parameter.ndim > 1)


def test_a_component_always_has_the_same_weights(unet):
    again = weights.build(architectures.component("unet.tiny"), torch.float32, "cpu")
    assert all(torch.equal(a, b) for a, b in zip(unet.parameters(), again.parameters(), strict=True))


def test_weights_in_half_precision_are_the_rounded_float32_weights(unet):
    half = weights.build(architectures.component("unet.tiny"), torch.float16, "cpu")
    assert all(torch.equal(a.half(), b) for a, b in zip(unet.parameters(), half.parameters(), strict=True))


def test_position_ids_are_computed_and_not_random():
    text = weights.build(architectures.component("text.tiny"), torch.float32, "cpu")
    ids = next(buffer for name, buffer in text.named_buffers() if name.endswith("position_ids"))
    assert ids.flatten().tolist() == list(range(77))


def test_weights_require_no_gradient(unet):
    assert not any(parameter.requires_grad for parameter in unet.parameters())


def test_the_tokenizer_pads_to_77_with_the_published_special_tokens():
    tokenizer = weights.build(architectures.component("tok.clip-eot"), None, "cpu")
    ids = tokenizer("a cat", padding="max_length", max_length=77, truncation=True).input_ids
    assert len(ids) == 77
    assert ids[0] == 49406
    assert ids[-1] == 49407


def test_a_saved_tokenizer_can_be_loaded(tmp_path):
    from transformers import CLIPTokenizer

    tokenizer = weights.build(architectures.component("tok.clip-bang"), None, "cpu")
    tokenizer.save_pretrained(tmp_path)
    loaded = CLIPTokenizer.from_pretrained(tmp_path)
    assert loaded("ein Bär", padding="max_length").input_ids == tokenizer("ein Bär", padding="max_length").input_ids


@pytest.mark.parametrize("draw", [2, 28, 89, 93])
def test_a_tiny_autoencoder_of_random_weights_draws_more_than_one_color(draw):
    """These draws were black before the colors were moved from 0 to the middle of their range."""
    component = replace(architectures.component("vae.tiny-tae"), name=str(draw))
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    picture = weights.build(component, torch.float32, "cpu").decode(latents).sample
    colors = ((picture / 2 + 0.5).clamp(0, 1) * 255).round()
    assert colors.amin() < colors.amax()
