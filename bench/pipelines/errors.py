"""What can prevent a case from being measured as it was requested."""


class UnsupportedError(Exception):
    """This machine or this pipeline cannot do what the case requests; the case is skipped with this reason."""


class NotInEffectError(Exception):
    """A setting was applied without an error but has no effect; the case fails."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")


def raised_in(error: BaseException, *libraries: str) -> bool:
    """Return whether an exception was raised by the code of one of these libraries."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    module = frame.tb_frame.f_globals.get("__name__", "") if frame is not None else ""
    return module.partition(".")[0] in libraries
