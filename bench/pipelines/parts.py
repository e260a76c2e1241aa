"""Enter a recorder around the parts of a pipeline, from outside, and remove it again.

Modules are observed through forward hooks on the pipeline's own attributes: on torch.compile's wrapper where there is
one, because hooks inside would break its graph. What a pipeline calls as a method (the scheduler's step, the VAE's
decode, the image processor) is wrapped on the instance. The wrapper can be inspected and copied like the method itself:
pipelines look for `sigmas`, `eta` or `generator` in a scheduler's signatures, and some copy their scheduler.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import wraps
from types import MethodType
from typing import Any

from bench.pipelines.effective import DENOISERS

TEXT, DENOISER, SCHEDULER, VAE, IMAGE = "text_encoder", "denoiser", "scheduler", "vae", "image"
PARTS = (TEXT, DENOISER, SCHEDULER, VAE, IMAGE)

Part = Callable[[str], AbstractContextManager[None]]
_METHODS = (
    (SCHEDULER, "scheduler", ("set_timesteps", "scale_model_input", "step")),
    (VAE, "vae", ("decode",)),
    (IMAGE, "image_processor", ("postprocess",)),
    (IMAGE, "video_processor", ("postprocess_video",)),
)


@contextmanager
def visited(pipeline: Any, part: Part) -> Iterator[None]:
    """Enter `part(name)` around every visit of a part of the pipeline."""
    with ExitStack() as stack:
        for name, component in pipeline.components.items():
            if name.startswith("text_encoder") and component is not None:
                stack.enter_context(_hooked(component, TEXT, part))
            elif name in DENOISERS and component is not None:
                stack.enter_context(_hooked(getattr(pipeline, name), DENOISER, part))
        for label, owner, methods in _METHODS:
            for method in methods:
                stack.enter_context(_wrapped(getattr(pipeline, owner, None), method, label, part))
        yield


@contextmanager
def _hooked(module: Any, name: str, part: Part) -> Iterator[None]:
    """Enter the part in a hook before the module's forward, and leave it in one after."""
    open_parts: list[AbstractContextManager[None]] = []

    def before(*_call: Any) -> None:
        open_parts.append(part(name))
        open_parts[-1].__enter__()

    def after(*_call: Any) -> None:
        open_parts.pop().__exit__(None, None, None)

    hooks = module.register_forward_pre_hook(before), module.register_forward_hook(after)
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _wrapped(owner: Any, method: str, name: str, part: Part) -> Iterator[None]:
    """Wrap a method on the instance; do nothing if there is no such method."""
    original = getattr(owner, method, None)
    if original is None:
        yield
        return
    replaced = vars(owner).get(method)  # by an optimization, or by a library that wraps it too
    setattr(owner, method, _visiting(original, name, part))
    try:
        yield
    finally:
        delattr(owner, method)
        if replaced is not None:
            setattr(owner, method, replaced)


def _visiting(original: Any, name: str, part: Part) -> Any:
    """Return a callable that enters the part around `original`; a bound method, so that a copied owner has its own."""
    function = getattr(original, "__func__", original)

    @wraps(function)
    def visiting(*args: Any, **kwargs: Any) -> Any:
        with part(name):
            return function(*args, **kwargs)

    return MethodType(visiting, original.__self__) if function is not original else visiting
