"""What can keep a case from being measured as it was asked for."""


class UnsupportedError(Exception):
    """This machine or this pipeline cannot do what the case asks; the case becomes a `skipped` row with the reason."""


class NotInEffectError(Exception):
    """A setting was applied without an error and yet has no effect; the case becomes a `failed` row."""

    def __init__(self, asked: str, found: str) -> None:
        super().__init__(f"asked for {asked}, found {found}")


def raised_in(error: BaseException, *libraries: str) -> bool:
    """Say whether an exception was raised by the code of one of these libraries, and not by this project's."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    module = frame.tb_frame.f_globals.get("__name__", "") if frame is not None else ""
    return module.partition(".")[0] in libraries
