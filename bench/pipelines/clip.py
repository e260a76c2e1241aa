"""How well pictures show what the prompt says: the CLIP score, where the hub's cache has a CLIP model; no download.

Computed on the CPU: the device may be full, and it is seconds' work, after the measurement.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

MODELS = ("openai/clip-vit-large-patch14", "openai/clip-vit-base-patch16", "openai/clip-vit-base-patch32")
"""The best first. Scores of different models cannot be compared, so the row names its own."""

_NEEDED = ("config.json", "model.safetensors", "preprocessor_config.json", "tokenizer_config.json")


def cached() -> tuple[str, Path] | None:
    """Return the first of `MODELS` that the hub's cache holds in safetensors, with its folder; None for none."""
    from huggingface_hub import try_to_load_from_cache

    for name in MODELS:
        found = [try_to_load_from_cache(name, file) for file in _NEEDED]
        if all(isinstance(path, str) for path in found):
            return name, Path(str(found[0])).parent
    return None


def score(pictures: Sequence[Any], prompts: Sequence[str], folder: Path) -> float:
    """Return the mean over the pictures of max(100 * cos(picture, prompt), 0).

    Hessel et al. 2021 (arXiv:2104.08718), scaled as torchmetrics' CLIPScore does: by 100, not by 2.5.

    Args:
        pictures: PIL pictures, those of the first prompt first, as pipelines return them.
        prompts: as many for each as there are pictures for one.
        folder: of the saved CLIP model.

    Raises:
        ValueError: the pictures cannot be dealt out to the prompts.
    """
    import torch

    each, left = divmod(len(pictures), len(prompts))
    if left or not each:
        raise ValueError(f"{len(pictures)} pictures of {len(prompts)} prompts")
    told = [prompt for prompt in prompts for _ in range(each)]
    with torch.no_grad():
        seen, read = _embeddings(pictures, told, folder)
    cosines = torch.nn.functional.cosine_similarity(seen, read)
    return float((100 * cosines).clamp(min=0).mean())


def _embeddings(pictures: Sequence[Any], prompts: Sequence[str], folder: Path) -> tuple[Any, Any]:
    """Return the embeddings of pictures and of prompts, a row each; a prompt longer than CLIP reads is cut."""
    from transformers import CLIPModel, CLIPProcessor

    model = CLIPModel.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()
    processor = CLIPProcessor.from_pretrained(folder, local_files_only=True)
    longest = model.config.text_config.max_position_embeddings
    text = {"text": list(prompts), "padding": True, "truncation": True, "max_length": longest}
    inputs = processor(images=list(pictures), return_tensors="pt", **text)
    found = model(**inputs)
    return found.image_embeds, found.text_embeds
