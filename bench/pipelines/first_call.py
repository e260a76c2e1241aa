"""Watch the first call from outside: which modules run how often, on what shapes, and in which type they compute."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, is_dataclass
from typing import Any

from bench.pipelines import roles
from bench.pipelines.operations import CODERS, Visits
from bench.pipelines.parts import wrapped
from bench.pipelines.roles import Role

COUNTED = (Role.TEXT_ENCODER, Role.IMAGE_ENCODER, Role.DENOISER, Role.AUTOENCODER, Role.CONTROLNET)
"""Whose operations are counted."""
STEPS = ("step", "step_pred", "step_correct")


@dataclass
class FirstCall:
    """What was seen during the first call, by hooks that are gone before the samples.

    Attributes:
        visits: of every model that ran, by its path in the pipeline; of an autoencoder, by the path of what ran in it.
        roles: of what ran, by the same paths.
        dtypes: the types of their outputs.
        scheduler_steps: of the scheduler that a case may replace.
        images: how many the call made, or how many videos.
        frames: of each video; None for images.
        pictures: the images, as PIL images, if they will be scored.
    """

    visits: dict[str, Visits] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    dtypes: dict[str, str] = field(default_factory=dict)
    scheduler_steps: int = 0
    images: int = 1
    frames: int | None = None
    pictures: list[Any] = field(default_factory=list)

    @property
    def denoisers(self) -> list[str]:
        """The paths of the denoisers that ran: by their classes, else the unknown component that ran most often."""
        known, unknown = self._ran(Role.DENOISER), self._ran(Role.UNKNOWN)
        return known or sorted(unknown, key=lambda path: -self.visits[path].calls)[:1]

    @property
    def unknown(self) -> list[str]:
        """The paths of what ran although nobody knows what for."""
        return [path for path in self._ran(Role.UNKNOWN) if path not in self.denoisers]

    @property
    def denoiser_calls(self) -> int | None:
        """How often the denoisers ran, all together; None if none is known."""
        return sum(self.visits[path].calls for path in self.denoisers) or None

    @property
    def denoiser_dtype(self) -> str | None:
        """The type of the output of the denoiser that ran last."""
        return next((self.dtypes[path] for path in reversed(self.denoisers) if path in self.dtypes), None)

    @property
    def counted(self) -> dict[str, Visits]:
        """The visits whose operations are counted."""
        return {
            path: visits
            for path, visits in self.visits.items()
            if self.roles[path] in COUNTED or path in self.denoisers
        }

    @property
    def vae_decodes(self) -> int:
        """How often a decoder ran: more than once if a batch is sliced or an image tiled."""
        ran = [path for path in self._ran(Role.AUTOENCODER) if path.rpartition(".")[2].startswith("decode")]
        return sum(self.visits[path].calls for path in ran)

    def _ran(self, role: Role) -> list[str]:
        return [path for path, found in self.roles.items() if found is role]


@contextmanager
def watched(pipeline: Any) -> Iterator[FirstCall]:
    """Observe calls of the pipeline through forward hooks, which are removed at the end.

    The hooks are on the pipeline's own attributes, that is on torch.compile's wrapper where there is one, because hooks
    on the module inside would break the graph. A pipeline calls an autoencoder's methods, hence hooks on its halves.
    """
    seen = FirstCall()
    with ExitStack() as stack:
        for path, module in roles.modules(pipeline).items():
            role = roles.role(module)
            if role is Role.AUTOENCODER:
                _watch_autoencoder(stack, seen, path, module)
            elif role is not Role.SAFETY_CHECKER:
                stack.enter_context(_hooked(seen, path, module, role))
        for method in STEPS:
            stack.enter_context(wrapped(roles.scheduler(pipeline), method, "", _counting(seen)))
        yield seen


def _watch_autoencoder(stack: ExitStack, seen: FirstCall, path: str, module: Any) -> None:
    """Hook both halves of an autoencoder, or note the calls of its methods if it is not made of halves."""
    for half, method in zip(CODERS[:2], CODERS[2:], strict=True):
        inner = getattr(module, half, None)
        if callable(getattr(inner, "register_forward_hook", None)):
            stack.enter_context(_hooked(seen, f"{path}.{half}", inner, Role.AUTOENCODER))
        else:
            note = _noting(seen, f"{path}.{method}", Role.AUTOENCODER)
            stack.enter_context(wrapped(module, method, "", lambda _: nullcontext(), note))


@contextmanager
def _hooked(seen: FirstCall, path: str, module: Any, role: Role) -> Iterator[None]:
    """Note the arguments before a call, because some modules change lists that they are given."""
    note = _noting(seen, path, role)
    hooks = [
        module.register_forward_pre_hook(lambda _, args, kwargs: note(args, kwargs), with_kwargs=True),
        module.register_forward_hook(lambda _module, _args, output: _note_dtype(seen, path, output)),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _noting(seen: FirstCall, path: str, role: Role) -> Callable[[Any, Any], None]:
    """Return a function that counts a call of a module and keeps its shapes."""

    def note(args: Any, kwargs: Any) -> None:
        seen.roles[path] = role
        seen.visits.setdefault(path, Visits()).add(args, kwargs)

    return note


def _note_dtype(seen: FirstCall, path: str, output: Any) -> None:
    import torch
    from torch.utils._pytree import tree_leaves

    leaves = tree_leaves(vars(output) if is_dataclass(output) else output)
    tensor = next((leaf for leaf in leaves if isinstance(leaf, torch.Tensor)), None)
    if tensor is not None:
        seen.dtypes[path] = str(tensor.dtype).removeprefix("torch.")


def _counting(seen: FirstCall) -> Callable[[str], Any]:
    def count(_name: str) -> Any:
        seen.scheduler_steps += 1
        return nullcontext()

    return count
