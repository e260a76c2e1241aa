"""Documents of strangers: valid ones of which parts are replaced, and what must be true of them once they are read.

Tests import it as `fuzz.untrusted`. FUZZ_EXAMPLES sets how many examples each test has.
"""

import copy
import io
import json
import os
import re
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import partial
from time import thread_time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.cli import app
from bench.errors import InputError

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "2000"))
TEXTS = st.sampled_from(
    [
        "", "..", ".", "/etc/passwd", "../../escape", "a/b", "a\x00b", "CON", "nul.txt", "A" * 5_000, "9" * 5_000,
        "::error::x", "##[x]", "##vso[x]", "\x1b[31m", "\x9b1m", "\u202e", "\ud800", "=1+1", "@SUM(1)", "<img src=x>",
        "![i](https://a.example)", "{{ 7*7 }}", "a\n::error::b", "a\r::error::b", "a\u2028::error::b", "[bold]", "[/x]",
        "custom_pipeline", "trust_remote_code", "1e999", "NaN", "-1", "~nobody/x", "nvidia-smi", "\ufeff", "%s{0}",
    ]
)  # fmt: skip
NUMBERS = st.sampled_from(
    [0, 1, -1, 0.0, 5e-324, 1e-300, 1e-9, 1e9, 1e300, 1.7e308, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 10**30, 0.1, 3, 1.5]
)
UNTRUSTED = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**20, max_value=10**40),
    st.floats(),
    st.text(max_size=20),
    TEXTS,
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=8), st.one_of(st.none(), st.text(max_size=8)), max_size=3),
    st.just([[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]),
)  # fmt: skip
LONGEST_S = 1.0
"""Of CPU time, for anything that is sent."""
COMMAND = re.compile(r"^\s*::|##\w*\[")
BYTES = st.one_of(st.binary(max_size=300), st.text(max_size=100).map(lambda text: text.encode(errors="surrogatepass")))


def fuzz(strategy, share=1):
    """Run a test once per example, a fixture's folder shared by them; `share` is smaller where examples take longer."""
    quiet = settings(
        max_examples=max(1, int(EXAMPLES * share)),
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: quiet(given(example=strategy)(test))


def places(value, path=()):
    """Return where the parts of a document are, the inner ones too."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


def like(value):
    """Return values of the same type, which get further into the program than others."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return NUMBERS
    return TEXTS if isinstance(value, str) else UNTRUSTED


@st.composite
def changed(draw, document):
    """Return a document of which one to three parts are replaced, removed, or have another key."""
    made = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        found = places(made)
        path = draw(st.sampled_from(found))
        if not path:
            continue
        parent = made
        for key in path[:-1]:
            parent = parent[key]
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "remove":
                del parent[path[-1]]
            case "add" if isinstance(parent, dict):
                parent[str(draw(UNTRUSTED))] = copy.deepcopy(draw(UNTRUSTED))
            case _:
                parent[path[-1]] = copy.deepcopy(draw(st.one_of(UNTRUSTED, like(parent[path[-1]]))))
    return made


def refused(read, *arguments, longest_s=LONGEST_S):
    """Read what somebody sent, in bounded time; return None if it was refused, in words that are inert when printed."""
    found, said, began_s = None, "", thread_time()
    try:
        found = read(*arguments)
    except InputError as error:
        said = printed(partial(app._refuse, str(error)))
    used_s = thread_time() - began_s  # of the CPU, so other programs do not count
    assert used_s < longest_s
    assert commands(said) == []
    return found


def printed(say):
    """Return what a function prints, on both streams."""
    with redirect_stdout(io.StringIO()) as said, redirect_stderr(said), suppress(SystemExit):
        say()
    return said.getvalue()


def commands(text):
    """Return the lines of a printed text that a terminal or a CI runner would obey."""
    return [line for line in text.split("\n") if not line.isprintable() or COMMAND.search(line)]


def as_json(document):
    return json.dumps(document).encode()
