"""Documents of strangers: valid ones of which parts are replaced, and what must be true of them once they are read.

Tests import it as `fuzz.untrusted`. FUZZ_EXAMPLES sets how many examples each test has.
"""

import copy
import io
import json
import os
import re
import struct
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import partial
from random import Random
from time import thread_time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.cli import app
from bench.errors import InputError

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "2000"))
TEXTS = (
    "", "..", ".", "/etc/passwd", "../../escape", "a/b", "a\x00b", "CON", "nul.txt", "A" * 5_000, "9" * 5_000,
    "::error::x", "##[x]", "##vso[x]", "\x1b[31m", "\x9b1m", "\u202e", "\ud800", "=1+1", "@SUM(1)", "<img src=x>",
    "![i](https://a.example)", "{{ 7*7 }}", "a\n::error::b", "a\r::error::b", "a\u2028::error::b", "[bold]", "[/x]",
    "custom_pipeline", "trust_remote_code", "1e999", "NaN", "-1", "~nobody/x", "nvidia-smi", "\ufeff", "%s{0}",
    "\x1b]8;;https://a.example\x1b\\x", "a ", " a", "a.", "aux.png",
)  # fmt: skip
NUMBERS = (
    0, 1, -1, 0.0, 5e-324, 1e-300, 1e-9, 1e9, 1e300, 1.7e308, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 10**30, 0.1, 3, 1.5,
)  # fmt: skip
NESTED = [[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]
OTHERS = [None, True, False, [], {}, [0, 1], {"": None}, {"a": "b"}, NESTED, float("nan"), float("inf"), -float("inf")]
LONGEST_S = 1.0
"""Of CPU time, for anything that is sent."""
COMMAND = re.compile(r"^\s*::|##\w*\[")
SAME_TYPE = 0.4
"""The share of values that are replaced by one of the same type."""
SEEDS = st.integers(0, 2**64 - 1)
"""Of examples that this module makes. Drawing every choice takes hypothesis as long as reading the document."""
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


def changed(document):
    """Return examples of a document of which one to three parts are replaced, removed, or have another key."""
    return SEEDS.map(partial(mutated, document))


def mutated(document, seed):
    """Return a document of which parts are changed, always the same ones for a seed."""
    random, made = Random(seed), json.loads(json.dumps(document))  # noqa: S311 - must be repeatable
    for _ in range(random.randint(1, 3)):
        found = places(made)[1:]
        if not found:
            continue
        parent, key = random.choice(found)
        kind = random.randrange(3)
        if kind == 0:
            del parent[key]
        elif kind == 1 and isinstance(parent, dict):
            parent[str(untrusted(random))] = untrusted(random)
        else:
            parent[key] = like(parent[key], random) if random.random() < SAME_TYPE else untrusted(random)
    return made


def places(value, parent=None, key=None):
    """Return where the parts of a document are, the inner ones too: what contains them, and under which key."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(parent, key), *(place for name, part in inner for place in places(part, value, name))]


def like(value, random):
    """Return a value of the same type, which gets further into the program than others."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return random.choice(NUMBERS)
    return random.choice(TEXTS) if isinstance(value, str) else untrusted(random)


def untrusted(random):
    """Return any value that JSON can hold."""
    match random.randrange(6):
        case 0:
            return random.choice(TEXTS)
        case 1:
            return random.choice(NUMBERS)
        case 2:
            return random.randint(-(10**40), 10**40) >> random.randrange(140)
        case 3:
            return struct.unpack("d", random.randbytes(8))[0]
        case 4:
            return "".join(map(chr, random.choices(range(0x110000), k=random.randrange(20))))
        case _:
            return copy.deepcopy(random.choice(OTHERS))


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
