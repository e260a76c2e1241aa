"""What can keep a case from being measured as it was asked for."""


class UnsupportedError(Exception):
    """This machine or this pipeline cannot do what the case asks; the case becomes a `skipped` row with the reason."""


class NotInForceError(Exception):
    """A setting was applied without an error and yet has no effect; the case becomes a `failed` row."""

    def __init__(self, asked: str, found: str) -> None:
        super().__init__(f"asked for {asked}, found {found}")
