"""What the tests of refused scenarios share."""

import re

import pytest

from bench.errors import InputError
from bench.pipelines.diffusers_api import vocabulary
from bench.plan.load import load


def refusal(path):
    """Return the message with which loading a scenario is refused."""
    with pytest.raises(InputError) as caught:
        load([path], vocabulary(), compatible=list)
    return str(caught.value)


def assert_refused(path, place, *words):
    """Assert that a scenario is refused with the place first, then what is wrong, then a semicolon and what to do."""
    message = refusal(path)
    assert message.startswith(f"{place}: "), message
    missing = [word for word in words if word not in message]
    assert not missing, f"{missing} not in: {message}"
    assert re.search(r"; \S", message), f"no remedy in: {message}"
