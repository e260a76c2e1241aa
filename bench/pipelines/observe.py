"""Watch the first call from outside: count the denoiser's and the decoder's calls, see in which type it computes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.pipelines.in_force import FirstCall, denoiser


@contextmanager
def first_call(pipeline: Any) -> Iterator[FirstCall]:
    """Observe calls of the pipeline by forward hooks, removed at the end.

    The hooks sit on the pipeline's own attributes, that is on torch.compile's wrapper where there is one: hooks on the
    module inside would break the graph. A pipeline calls `vae.decode`, not the VAE, hence the hook on its decoder.
    """
    seen = FirstCall()

    def at_denoiser(_module: Any, _inputs: Any, output: Any) -> None:
        seen.denoiser_calls += 1
        sample = output[0]
        seen.denoiser_dtype = str(sample.dtype).removeprefix("torch.")

    def at_decoder(*_call: Any) -> None:
        seen.vae_decodes += 1

    hooks = [denoiser(pipeline).register_forward_hook(at_denoiser)]
    decoder = getattr(getattr(pipeline, "vae", None), "decoder", None)
    if decoder is not None:
        hooks.append(decoder.register_forward_hook(at_decoder))
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()
