"""Which schedulers a model's own scheduler can be exchanged for, as diffusers itself lists them."""

import json
from pathlib import Path

from bench.errors import InputError
from bench.pipelines import architectures


def compatible(model: str) -> list[str]:
    """Return the class names of the schedulers that are compatible with a model's own, sorted.

    Also those whose optional package is missing: they become rows that say so.

    Raises:
        InputError: the model has no published facts and is no local folder, so its scheduler is not known.
    """
    import diffusers

    own = getattr(diffusers, _own(model))
    return sorted({name for name in (*own._compatibles, own.__name__) if hasattr(diffusers, name)})  # noqa: SLF001


def _own(model: str) -> str:
    facts = architectures.find_model(model)
    if facts is not None:
        return architectures.component(facts.components["scheduler"]).cls.split(".")[1]
    index = Path(model).expanduser() / "model_index.json"
    if not index.is_file():
        raise InputError(
            f"'scheduler: compatible' cannot be asked of '{model}', which is not here; name the schedulers"
        )
    return str(json.loads(index.read_text(encoding="utf-8"))["scheduler"][1])
