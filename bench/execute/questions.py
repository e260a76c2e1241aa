"""Questions that only torch or diffusers can answer, asked of a worker process: the doors import neither."""

from bench.errors import InputError
from bench.execute.server import Server, ServerError


def compatible_schedulers(model: str) -> list[str]:
    """Return the class names of the schedulers compatible with a model's own, from a server of its own."""
    with Server() as server:
        return ask_compatible(server, model)


def ask_compatible(server: Server, model: str) -> list[str]:
    """Return the class names of the schedulers compatible with a model's own.

    Raises:
        InputError: they cannot be told, with the reason.
    """
    try:
        answer = server.ask({"op": "compatible", "models": [model]})
    except ServerError as error:
        raise InputError(f"scheduler: compatible: {error}") from error
    return list(answer[model])
