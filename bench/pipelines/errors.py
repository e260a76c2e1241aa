"""What can prevent a case from being measured as it was requested."""

from traceback import walk_tb


class UnsupportedError(Exception):
    """This machine or this pipeline cannot do what the case requests; the case is skipped with this reason."""


class NotInEffectError(Exception):
    """A setting was applied without an error but has no effect; the case fails."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")


def refusal(error: Exception) -> str | None:
    """Return why an optimization cannot be applied here; None if that is not what the exception says."""
    import torch

    message = " ".join(str(error).split())
    if isinstance(error, torch.OutOfMemoryError):
        return None
    if isinstance(error, ImportError) or passed_through(error, "xformers"):
        return message or type(error).__name__
    if isinstance(error, (ValueError, NotImplementedError)) and raised_in(error, "diffusers", "accelerate"):
        return f"rejected by diffusers: {message}"
    return None


def graph_break(error: Exception) -> str | None:
    """Return why torch.compile cannot make one graph of a model; None if that is not what the exception says."""
    from torch._dynamo.exc import Unsupported

    return str(error).partition("\n")[0] if isinstance(error, Unsupported) else None


def raised_in(error: BaseException, *libraries: str) -> bool:
    """Return whether an exception was raised by the code of one of these libraries."""
    return bool({*_packages(error)[-1:]} & {*libraries})


def passed_through(error: BaseException, library: str) -> bool:
    """Return whether an exception came through the code of this library, whoever raised it."""
    return library in _packages(error)


def _packages(error: BaseException) -> list[str]:
    """Return the packages of the frames of an exception, that of the one that raised it last."""
    frames = (frame for frame, _ in walk_tb(error.__traceback__))
    return [frame.f_globals.get("__name__", "").partition(".")[0] for frame in frames]
