"""How an interpreter is started: with this package, without the current directory, without secrets.

The other side of a gate has its own packages. It gets this package by its file, not by a folder in its import path, in
which a whole environment's packages could lie next to it. The current directory is often a checkout under test, so
nothing is imported from there.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from bench.text import without_secrets
from bench.version import PACKAGE

_SYSTEMS = ("GITHUB_", "ACTIONS_", "RUNNER_", "GITLAB_", "CI_", "BUILDKITE_", "CIRCLE_", "JENKINS_", "AGENT_")
"""Prefixes of the variables of CI systems: their files and tokens are not for code under test."""
_SECRET = re.compile(r"(?i)(TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|API_?KEY|ACCESS_KEY|PRIVATE_KEY)(_|$)")
_HUB = ("HF_", "HUGGING_FACE_", "HUGGINGFACE_")
"""A worker downloads gated models, so it keeps the hub's own token."""
LARGEST_LOG = 64 * 1024**2
"""Characters that are kept of a log that has to be masked."""
SHORTEST_SECRET = 8
"""Shorter values are words such as `true`, which would be masked in every log."""

_START = """\
import importlib.util, runpy, sys
found = importlib.util.spec_from_file_location("bench", {init!r}, submodule_search_locations=[{package!r}])
sys.modules["bench"] = importlib.util.module_from_spec(found)
found.loader.exec_module(sys.modules["bench"])
sys.argv[0] = {module!r}
runpy.run_module({module!r}, run_name="__main__")
"""


def command(python: str, module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this very package in another interpreter (Python 3.11 or newer)."""
    start = _START.format(init=str(PACKAGE / "__init__.py"), package=str(PACKAGE), module=module)
    return [python, "-P", "-c", start, *arguments]


def environment(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables for a worker: without secrets, and so that importing diffusers does not touch the driver."""
    kept = {name: value for name, value in variables.items() if not is_withheld(name)}
    if "PYTHONPATH" in kept:  # an empty entry stands for the current directory
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, kept["PYTHONPATH"].split(os.pathsep)))
    if kept.get("PYTHONOPTIMIZE", "").isdecimal():  # 2 removes docstrings, which transformers reads on import
        kept["PYTHONOPTIMIZE"] = str(min(int(kept["PYTHONOPTIMIZE"]), 1))
    # xFormers asks the driver for the card when it is imported, unless it is told that Triton may be used.
    return {"XFORMERS_ENABLE_TRITON": "1", **kept, "PYTORCH_NVML_BASED_CUDA_CHECK": "1", "PYTHONSAFEPATH": "1"}


def is_withheld(name: str) -> bool:
    """Return whether a worker does not get an environment variable."""
    return not name.startswith(_HUB) and (name.startswith(_SYSTEMS) or _SECRET.search(name) is not None)


def masked(text: str) -> str:
    """Return a text of a worker without credentials, and without any secret of this environment."""
    for secret in secrets():
        text = text.replace(secret, "***")
    return without_secrets(text)


def mask_log(path: Path) -> None:
    """Take the secrets out of what a worker and its libraries have printed, which no code of ours could prevent."""
    if path.is_file():
        with path.open("r+", encoding="utf-8", errors="surrogateescape") as file:
            before = file.read(LARGEST_LOG)
            if (after := masked(before)) != before or file.read(1):
                file.seek(0)
                file.write(after)
                file.truncate()


def secrets(variables: Mapping[str, str] = os.environ) -> frozenset[str]:
    """Return the values of this environment that no file may contain."""
    found = {value for name, value in variables.items() if _SECRET.search(name) and not Path(value).exists()}
    return frozenset(value for value in found if len(value) >= SHORTEST_SECRET)
