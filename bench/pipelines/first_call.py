"""Watch the first call from outside: which modules run how often, on what shapes, and in which type they compute."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.pipelines.effective import DENOISERS
from bench.pipelines.operations import Visits
from bench.plan.case import ROLES

DECODER, ENCODER = "vae.decoder", "vae.encoder"


@dataclass
class FirstCall:
    """What was seen during the first call, by hooks that are gone before the samples.

    Attributes:
        visits: of the text encoders, the denoiser and the VAE's decoder, by their path in the pipeline.
        denoiser_dtype: the type of the denoiser's output.
        images: how many the call made, or how many videos.
        frames: of each video; None for images.
        pictures: the images, as PIL images, if they will be scored.
    """

    visits: dict[str, Visits] = field(default_factory=dict)
    denoiser_dtype: str | None = None
    images: int = 1
    frames: int | None = None
    pictures: list[Any] = field(default_factory=list)

    @property
    def denoiser_calls(self) -> int:
        return sum(self.visits[name].calls for name in DENOISERS if name in self.visits)

    @property
    def vae_decodes(self) -> int:
        """How often the VAE's decoder ran: more than once if a batch is sliced or an image tiled."""
        return self.visits[DECODER].calls if DECODER in self.visits else 0


@contextmanager
def watched(pipeline: Any) -> Iterator[FirstCall]:
    """Observe calls of the pipeline through forward hooks, which are removed at the end.

    The hooks are on the pipeline's own attributes, that is on torch.compile's wrapper where there is one, because hooks
    on the module inside would break the graph. A pipeline calls `vae.decode`, not the VAE, hence the decoder's hook.
    """
    seen = FirstCall()
    watched = {path: module for path in _paths(pipeline) if (module := _module(pipeline, path)) is not None}
    hooks = [module.register_forward_hook(_watch(seen, path), with_kwargs=True) for path, module in watched.items()]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _paths(pipeline: Any) -> list[str]:
    encoders = [name for name in pipeline.components if name.startswith("text_encoder")]
    return [*dict.fromkeys([*encoders, *DENOISERS, *ROLES]), DECODER, ENCODER]


def _module(pipeline: Any, path: str) -> Any:
    found = pipeline
    for part in path.split("."):
        found = getattr(found, part, None)
    return found


def _watch(seen: FirstCall, path: str) -> Callable[..., None]:
    """Return a hook that counts the calls of a module and keeps their shapes."""

    def hook(_module: Any, args: Any, kwargs: Any, output: Any) -> None:
        seen.visits.setdefault(path, Visits()).add(args, kwargs)
        if path in DENOISERS:
            seen.denoiser_dtype = str(output[0].dtype).removeprefix("torch.")

    return hook
