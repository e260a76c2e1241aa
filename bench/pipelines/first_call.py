"""Watch the first call from outside: which modules run how often, on what shapes, and in which type they compute."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.pipelines.effective import DENOISERS, FirstCall
from bench.pipelines.operations import Visit, on_meta


@contextmanager
def watched(pipeline: Any) -> Iterator[FirstCall]:
    """Observe calls of the pipeline by forward hooks, removed at the end.

    The hooks sit on the pipeline's own attributes, that is on torch.compile's wrapper where there is one: hooks on the
    module inside would break the graph. A pipeline calls `vae.decode`, not the VAE, hence the hook on its decoder.
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
    return [*encoders, *DENOISERS, "vae.decoder"]


def _module(pipeline: Any, path: str) -> Any:
    found = pipeline
    for part in path.split("."):
        found = getattr(found, part, None)
    return found


def _watch(seen: FirstCall, path: str) -> Callable[..., None]:
    """Return a hook that counts the calls of a module and keeps the shapes of its first one."""

    def hook(_module: Any, args: Any, kwargs: Any, output: Any) -> None:
        if path in seen.visits:
            seen.visits[path].count += 1
        else:
            seen.visits[path] = Visit(on_meta(args), on_meta(kwargs))
        if path in DENOISERS:
            seen.denoiser_dtype = str(output[0].dtype).removeprefix("torch.")

    return hook
