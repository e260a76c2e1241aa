"""The CLIP score: how well pictures show what the prompt says. Needs a CLIP model in the hub's cache; never downloads.

It is computed on the CPU, because the device may be full and it only takes seconds after the measurement.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

MODELS = ("openai/clip-vit-large-patch14", "openai/clip-vit-base-patch16", "openai/clip-vit-base-patch32")
"""The best first. Scores of different models are not comparable, so a row names its model."""

_NEEDED = ("config.json", "model.safetensors", "preprocessor_config.json", "tokenizer_config.json")


def cached() -> tuple[str, Path] | None:
    """Return the first of `MODELS` that the hub's cache has in safetensors, and its folder; None if it has none."""
    from huggingface_hub import try_to_load_from_cache

    for name in MODELS:
        found = [try_to_load_from_cache(name, file) for file in _NEEDED]
        if all(isinstance(path, str) for path in found):
            return name, Path(str(found[0])).parent
    return None


def score(pictures: Sequence[Any], prompts: Sequence[str], folder: Path) -> float:
    """Return the mean over all pictures of max(100 * cos(picture, prompt), 0).

    Hessel et al. 2021 (arXiv:2104.08718), scaled by 100 as in torchmetrics' CLIPScore, not by 2.5.

    Args:
        pictures: PIL images, first those of the first prompt, as pipelines return them.
        prompts: each for the same number of pictures.
        folder: of the saved CLIP model.

    Raises:
        ValueError: the number of pictures is not a multiple of the number of prompts.
    """
    import torch

    each, left = divmod(len(pictures), len(prompts))
    if left or not each:
        raise ValueError(f"{len(pictures)} pictures cannot be divided among {len(prompts)} prompts")
    with torch.no_grad():
        seen, read = _embeddings(pictures, [prompt for prompt in prompts for _ in range(each)], folder)
    cosines = torch.nn.functional.cosine_similarity(seen, read)
    return float((100 * cosines).clamp(min=0).mean())


def _embeddings(pictures: Sequence[Any], prompts: Sequence[str], folder: Path) -> tuple[Any, Any]:
    """Return the embeddings of pictures and prompts, one per row; a prompt that is too long for CLIP is truncated."""
    from transformers import CLIPModel, CLIPProcessor

    model = CLIPModel.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()
    processor = CLIPProcessor.from_pretrained(folder, local_files_only=True)
    longest = model.config.text_config.max_position_embeddings
    text = {"text": list(prompts), "padding": True, "truncation": True, "max_length": longest}
    inputs = processor(images=list(pictures), return_tensors="pt", **text)
    found = model(**inputs)
    return found.image_embeds, found.text_embeds
