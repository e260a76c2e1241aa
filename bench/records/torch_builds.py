"""Which builds of torch an NVIDIA card and its driver can run, and which to install.

Imports only the standard library, because `tools/setup.py` uses it before anything is installed.
"""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from bench.records.cards import Card, Cards, visible

OLDEST_DRIVER = {12: 525, 13: 580}
"""CUDA -> the first branch of the driver that runs programs built for it (NVIDIA, CUDA Compatibility, table 1)."""
OLDEST_CARD = {12: (7, 0), 13: (7, 5)}
"""CUDA -> the oldest compute capability in the wheels of torch since 2.9 (RELEASE.md of torch): Volta, Turing."""
LAST_CUDA_12, FIRST_CUDA_13 = "2.10.0", "2.11.0"
"""The versions of torch between which the wheels on PyPI changed from CUDA 12 to CUDA 13.

Those for CUDA 12 exist for x86_64 only; for other processors, the earlier ones are CPU builds.
"""
SIBLINGS = ("torchvision", "torchaudio")
"""Each of their builds is for one version of torch, so they are replaced together with it."""


class Obstacle(Enum):
    """What is too old for a build."""

    CARD = "card"
    DRIVER = "driver"


@dataclass(frozen=True)
class Host:
    """What decides which wheel runs.

    Attributes:
        processor: as `platform.machine()` returns it.
        driver: version of NVIDIA's driver; None if unknown, which is assumed to be new enough.
        capability: compute capability of the card, with the same assumption.
    """

    processor: str
    driver: str | None = None
    capability: tuple[int, ...] | None = None

    def obstacle(self, cuda: str) -> Obstacle | None:
        """Return why a build for a version of CUDA, such as 13.0, does not run here; None if it does."""
        built_for = 13 if release(cuda) >= (13,) else 12
        if self.capability is not None and self.capability < OLDEST_CARD[built_for]:
            return Obstacle.CARD
        if self.driver is not None and release(self.driver)[0] < OLDEST_DRIVER[built_for]:
            return Obstacle.DRIVER
        return None

    def fitting(self, torch: str) -> str | None:
        """Return the version on PyPI that uses the card and is nearest to a wanted one; None if there is none."""
        public, x86 = ".".join(map(str, release(torch))) or LAST_CUDA_12, self.processor == "x86_64"
        if self.obstacle("13") is None:
            return public if x86 else max(public, FIRST_CUDA_13, key=release)
        return min(public, LAST_CUDA_12, key=release) if x86 and self.obstacle("12") is None else None


@dataclass(frozen=True)
class WrongBuild:
    """A build of torch that uses none of the machine's cards.

    Attributes:
        torch: its version.
        build: what it was built for, such as `cpu` or `cuda 13.0`.
        cards: that it could use, at least one.
        host: with the first of them.
        siblings: packages that have to be replaced together with torch.
    """

    torch: str
    build: str
    cards: Sequence[Card]
    host: Host
    siblings: Sequence[str] = ()

    @property
    def obstacle(self) -> Obstacle | None:
        """What is too old for the CUDA of this build; None if nothing is, or if it has none."""
        kind, _, cuda = self.build.partition(" ")
        return self.host.obstacle(cuda) if kind == "cuda" else None


def wrong_build(
    facts: Mapping[str, Any], cards: Cards, variables: Mapping[str, str], processor: str
) -> WrongBuild | None:
    """Return what is wrong with torch if a worker that was free to choose a device took the CPU beside a card.

    Args:
        facts: what the worker reported about itself.
        cards: of the machine.
        variables: the environment, which may hide cards.
        processor: as `platform.machine()` returns it.
    """
    found = visible(cards.cards, variables)
    if facts["device"] != "cpu" or not found:
        return None
    capability = found[0].compute_capability
    host = Host(processor, cards.driver, None if capability is None else release(capability))
    siblings = [name for name in SIBLINGS if name in facts]
    return WrongBuild(facts["torch"], facts["torch_build"], found, host, siblings)


def remedy(host: Host, torch: str, python: str, siblings: Iterable[str] = ()) -> str:
    """Return what to do so that an interpreter uses the card.

    In the command, `===` does not match a version with a local part: a CPU build, where pip knows an index of those.
    """
    fitting = host.fitting(torch)
    if fitting is not None:
        command = " ".join([shlex.quote(python), "-m pip install", f"'torch==={fitting}'", *siblings])
        return f"install a build that fits with `{command}`"
    if Obstacle.CARD in {host.obstacle("12"), host.obstacle("13")}:
        return "no build of torch 2.9 or later on PyPI supports this card"
    return f"update the driver to {OLDEST_DRIVER[13]} or later"


def release(version: str) -> tuple[int, ...]:
    """Return the numbers with which a version begins: (2, 10, 0) of 2.10.0+cu128, and of 2.10.0a0 as well."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found.group().split("."))) if found else ()
