"""A CLIP tokenizer that needs no download: bytes as its vocabulary, the special tokens at their published ids.

It makes about five times as many tokens as the real one, but pipelines pad and truncate to 77 either way, so the text
encoder does the same work.
"""

from collections.abc import Mapping
from typing import Any

_BYTES = 256


def byte_clip_tokenizer(config: Mapping[str, Any]) -> Any:
    """Return a `CLIPTokenizer` over single bytes.

    Args:
        config: `bos_token`, `eos_token`, `bos_id`, `eos_id`, `pad_token`, `unk_token` and `model_max_length`.
    """
    from transformers import CLIPTokenizer

    letters = _printable_bytes()
    vocabulary = {token: index for index, token in enumerate([*letters, *(f"{letter}</w>" for letter in letters)])}
    vocabulary[config["bos_token"]] = config["bos_id"]
    vocabulary[config["eos_token"]] = config["eos_id"]
    special = {key: config[key] for key in ("bos_token", "eos_token", "unk_token", "pad_token", "model_max_length")}
    return CLIPTokenizer(vocab=vocabulary, merges=[], **special)


def _printable_bytes() -> list[str]:
    """Return one printable character a byte, as GPT-2's byte-level BPE assigns them (its encoder.py)."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(_BYTES) if byte not in plain]
    return [chr(byte) for byte in plain] + [chr(_BYTES + index) for index in range(len(others))]
