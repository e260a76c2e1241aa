"""Enter a recorder around the parts of a pipeline, from outside, and remove it again.

Modules are observed through forward hooks on the pipeline's own attributes: on torch.compile's wrapper where there is
one, because hooks inside would break its graph. What a pipeline calls as a method (the scheduler's step, the VAE's
decode, the image processor) is wrapped on the instance. The wrapper can be inspected and copied like the method itself:
pipelines look for `sigmas`, `eta` or `generator` in a scheduler's signatures, and some copy their scheduler.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import wraps
from types import MethodType
from typing import Any

from bench.pipelines import roles
from bench.pipelines.roles import Role

TEXT, DENOISER, SCHEDULER, VAE, IMAGE = "text_encoder", "denoiser", "scheduler", "vae", "image"
OTHER = "other"
"""What has no part of its own: ControlNets, image encoders, safety checkers, and components that are not known."""
PARTS = (TEXT, DENOISER, SCHEDULER, VAE, IMAGE, OTHER)

Part = Callable[[str], AbstractContextManager[None]]
Note = Callable[[Any, Any], None]
"""Takes the positional and the keyword arguments of a call."""
_CALLED = {Role.TEXT_ENCODER: TEXT, Role.DENOISER: DENOISER, Role.SCHEDULER: None, Role.AUTOENCODER: None}
"""The part of a component that is called itself, if not `OTHER`; of the last two, methods are called."""
_METHODS = {
    Role.TEXT_ENCODER: (TEXT, ("generate", "get_text_features")),
    Role.IMAGE_ENCODER: (OTHER, ("get_image_features",)),
    Role.SCHEDULER: (SCHEDULER, ("set_timesteps", "scale_model_input", "step")),
    Role.AUTOENCODER: (VAE, ("encode", "decode")),
}
_CONVERSIONS = ("postprocess", "postprocess_video", "numpy_to_pil")


@contextmanager
def visited(pipeline: Any, part: Part, denoisers: Collection[str] = ()) -> Iterator[None]:
    """Enter `part(name)` around every visit of a part of the pipeline.

    Args:
        pipeline: whose components are observed.
        part: returns what is entered.
        denoisers: paths of components that are not known as denoisers by their classes, but ran as such.
    """
    with ExitStack() as stack:
        for path, component in roles.components(pipeline).items():
            role = Role.DENOISER if path in denoisers else roles.role(component)
            name = _CALLED.get(role, OTHER)
            if name is not None and hasattr(component, "register_forward_hook"):
                stack.enter_context(_hooked(component, name, part))
            label, methods = _METHODS.get(role, ("", ()))
            for method in methods:
                stack.enter_context(wrapped(component, method, label, part))
        for owner in _converting(pipeline):
            for method in _CONVERSIONS:
                stack.enter_context(wrapped(owner, method, IMAGE, part))
        yield


def _converting(pipeline: Any) -> list[Any]:
    """Return what converts arrays to pictures: the image processors of all pipelines, or the pipelines themselves."""
    found = {id(each): each for each in roles.pipelines(pipeline).values()}
    for each in list(found.values()):
        found |= {id(value): value for value in vars(each).values() if hasattr(value, "postprocess")}
    return list(found.values())


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
def wrapped(owner: Any, method: str, name: str, part: Part, note: Note | None = None) -> Iterator[None]:
    """Wrap a method on the instance; do nothing if there is no such method.

    Args:
        owner: the instance, or None.
        method: its name.
        name: what `part` is called with.
        part: returns what is entered around every call.
        note: called before every call with its arguments.
    """
    original = getattr(owner, method, None)
    if original is None:
        yield
        return
    replaced = vars(owner).get(method)  # by an optimization, or by a library that wraps it too
    setattr(owner, method, _visiting(original, name, part, note))
    try:
        yield
    finally:
        delattr(owner, method)
        if replaced is not None:
            setattr(owner, method, replaced)


def _visiting(original: Any, name: str, part: Part, note: Note | None) -> Any:
    """Return a callable that enters the part around `original`; a bound method, so that a copied owner has its own."""
    function = getattr(original, "__func__", original)
    bound = int(function is not original)

    @wraps(function)
    def visiting(*args: Any, **kwargs: Any) -> Any:
        if note is not None:
            note(args[bound:], kwargs)
        with part(name):
            return function(*args, **kwargs)

    return MethodType(visiting, original.__self__) if function is not original else visiting
