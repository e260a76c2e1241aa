"""The versions that pip is held to: what is there already, what the driver runs, and otherwise what was tested."""

import os
import platform
import re
import sys
from pathlib import Path

from driver import driver_version, oldest_capability
from packages import ROOT, TORCH_FAMILY, name_of, requirements

sys.path.append(str(ROOT))  # for one module that needs nothing but the standard library

from bench.records.torch_builds import FIRST_CUDA_13, OLDEST_DRIVER, Host, Obstacle, release, remedy

CONSTRAINTS = ROOT / "constraints.txt"


def constraints(kept: dict[str, str]) -> list[str]:
    """Return the constraints for pip: torch as it is or as it fits, and the tested version of every missing package.

    A machine that sets PIP_CONSTRAINT, such as NVIDIA's images, gets its own list instead of the tested versions: two
    lists of exact versions rarely agree.
    """
    exact = [f"{name}=={kept[name]}" for name in sorted(TORCH_FAMILY & kept.keys())]
    if "torch" not in kept:
        exact.append(f"torch=={torch_to_install()}")
    if os.environ.get("PIP_CONSTRAINT"):
        say("ignoring constraints.txt because PIP_CONSTRAINT is set")
        return exact + usable(given() or [])
    return exact + [line for line in tested() if name_of(line) not in kept.keys() | {"torch"}]


def torch_to_install() -> str:
    """Return the tested version of torch, or an older one if the card or its driver needs that, after saying so."""
    (wanted,) = (line.partition("==")[2] for line in tested() if name_of(line) == "torch")
    here = host()
    fitting = here.fitting(wanted)
    if fitting is None:
        say(f"no torch on PyPI fits this GPU ({describe(here)}): {remedy(here, wanted, sys.executable)}")
    elif fitting != wanted:
        update = f"; for the newest, update the driver to {OLDEST_DRIVER[13]} or later and run `make clean setup`"
        by_driver = here.obstacle("13") is Obstacle.DRIVER
        say(f"installing torch {fitting}, the newest for this GPU ({describe(here)}){update * by_driver}")
    return fitting or wanted


def is_too_new(torch: str | None) -> bool:
    """Return whether our own torch came from PyPI and is too new for the driver, but an older one is not.

    That happens in a home that several machines share. What was installed for an old driver runs with a new one, too.
    The card is not looked at, because nvidia-smi can take seconds, and this is asked every time.
    """
    if torch is None or "+" in torch or release(torch) < release(FIRST_CUDA_13):
        return False
    return Host(platform.machine(), driver_version()).fitting(torch) not in {torch, None}


def host() -> Host:
    """Return what decides which torch runs here."""
    return Host(platform.machine(), driver_version(), oldest_capability())


def describe(here: Host) -> str:
    capability = None if here.capability is None else f"compute capability {'.'.join(map(str, here.capability))}"
    return ", ".join(filter(None, [here.driver and f"NVIDIA driver {here.driver}", capability]))


def tested() -> list[str]:
    return [line for line in CONSTRAINTS.read_text().splitlines() if not line.startswith("#")]


def given() -> list[str] | None:
    """Return the lines of PIP_CONSTRAINT; None if it is unset or only pip can read it: addresses, or files in files."""
    files = [Path(name) for name in os.environ.get("PIP_CONSTRAINT", "").split()]
    if not files or not all(file.is_file() for file in files):
        return None
    lines = [re.sub(r"(^|\s)#.*", "", line).strip() for file in files for line in file.read_text().splitlines()]
    return None if any(line.startswith("-") for line in lines) else [line for line in lines if line]


def usable(lines: list[str]) -> list[str]:
    """Return given constraints without those of torch, which is known better here, and without impossible ones.

    NVIDIA's images demand versions of a few packages that are older than this project's requirements. `.venv` gets new
    ones, which hide those of the image.
    """
    impossible = [line for line in lines if is_too_old(line)]
    if impossible:
        say(f"ignoring what PIP_CONSTRAINT says about packages that have to be newer: {', '.join(impossible)}")
    return [line for line in lines if line not in impossible and name_of(line) not in TORCH_FAMILY]


def is_too_old(constraint: str) -> bool:
    """Return whether a constraint is an exact version below the project's requirement."""
    demanded = re.search(r"==\s*([\w.+!]+)", constraint)
    required = re.search(r">=\s*([\w.]+)", requirements().get(name_of(constraint), ""))
    if demanded is None or required is None or name_of(constraint) in TORCH_FAMILY:
        return False
    return release(demanded[1]) < release(required[1])


def pip_environment() -> dict[str, str]:
    """Return the variables for pip, without PIP_CONSTRAINT if its lines are among the constraints already."""
    read = given() is not None
    return {name: value for name, value in os.environ.items() if not (read and name == "PIP_CONSTRAINT")}


def say(what: str) -> None:
    print(f"setup: {what} ...", file=sys.stderr)
