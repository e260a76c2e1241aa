"""What a look at the machine found, and what a run would do on it. Facts only: `bench.analyze.checkup` judges them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bench.records.cards import Card, Cards, hidden_by, visible
from bench.records.environment import Span
from bench.records.outcomes import Status, Tiny
from bench.records.torch_builds import WrongBuild, wrong_build


class Hub(StrEnum):
    """What a run can expect of the hub."""

    UNUSED = "unused"  # no weights would come from there
    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"
    OFFLINE = "offline"  # HF_HUB_OFFLINE forbids to ask


@dataclass(frozen=True)
class Place:
    """A folder that is written to.

    Attributes:
        path: of the folder, which need not exist yet.
        free_bytes: on its disk; None if unknown.
        refusal: the system's reason for which a file cannot be written there; None if it can.
    """

    path: str
    exists: bool = True
    free_bytes: int | None = None
    refusal: str | None = None


@dataclass(frozen=True)
class CaseOutlook:
    """What would become of a case.

    Attributes:
        status: how it would end before anything is loaded, for example as skipped; None if it would be measured.
        time: of all its processes; None if unknown.
        left_out: whether a budget has no time for it.
    """

    scenario: str
    case: str
    status: Status | None = None
    reason: str | None = None
    time: Span | None = None
    left_out: bool = False

    @property
    def key(self) -> str:
        return f"{self.scenario}/{self.case}"

    @property
    def measured(self) -> bool:
        """Whether it would be measured."""
        return self.status is None and not self.left_out


@dataclass(frozen=True)
class RunOutlook:
    """What a run would do.

    Attributes:
        tiny: how many of the cases would be measured as tiny models.
        weights: the policy, or a folder.
        processes: in all.
        samples: per process; None follows scenarios and rules.
        time: in all, without downloads; None if unknown.
        unknown: cases of unknown length, which are taken to be like the others.
        uncached: what would have to come from the hub.
        downloads: of that what would be downloaded, in bytes; None if unknown.
    """

    cases: tuple[CaseOutlook, ...]
    tiny: Tiny
    weights: str = "auto"
    processes: int = 0
    samples: int | None = None
    time: Span | None = None
    unknown: int = 0
    uncached: tuple[str, ...] = ()
    downloads: Mapping[str, int | None] = field(default_factory=dict)

    @property
    def measured(self) -> tuple[CaseOutlook, ...]:
        """The cases that would be measured."""
        return tuple(case for case in self.cases if case.measured)

    @property
    def download_bytes(self) -> int:
        """Bytes of the downloads whose size is known."""
        return sum(size for size in self.downloads.values() if size is not None)


@dataclass(frozen=True)
class Checkup:
    """What was found.

    Attributes:
        facts: of the host and its libraries, as an environment records them; of the CPU if the device failed.
        processor: as `platform.machine()` returns it.
        requested: the device that was asked for, which may be `auto`.
        card: that a run would measure on; None if unknown.
        idle: the indices of other visible cards that are idle.
        cards: of the machine, visible or not.
        driver_loaded: whether the kernel has NVIDIA's driver.
        nvml_installed: whether nvidia-ml-py can be imported.
        busy_cores: that other programs kept busy.
        temporary: the folder for temporary files; None if Python finds none.
        ignored_tmpdir: the folder that the environment names for them, if Python cannot use it.
        results: where a run would go.
        shared_memory: `/dev/shm`; None where there is none.
        cache: the hub's; None if it is unknown.
        missing_libraries: what a worker needs and cannot be found.
        worker_failure: why no worker process could start or answer.
        device_failure: why the requested device cannot be used.
        outlook: of a run; None if nothing could be measured.
    """

    facts: Mapping[str, Any]
    results: Place
    temporary: Place | None
    processor: str = "x86_64"
    requested: str = "auto"
    card: Card | None = None
    idle: tuple[int, ...] = ()
    cards: Cards = field(default_factory=Cards)
    driver_loaded: bool = False
    nvml_installed: bool = True
    busy_cores: float = 0.0
    ignored_tmpdir: str | None = None
    shared_memory: Place | None = None
    cache: Place | None = None
    hub: Hub = Hub.UNUSED
    missing_libraries: tuple[str, ...] = ()
    worker_failure: str | None = None
    device_failure: str | None = None
    outlook: RunOutlook | None = None

    @property
    def device(self) -> str | None:
        """The device that a run would use; None if it could not."""
        failed = self.worker_failure is not None or self.device_failure is not None
        return None if failed else self.facts.get("device")

    @property
    def wrong_build(self) -> WrongBuild | None:
        """The build of torch, if the worker that reported the facts used the CPU beside a card, hidden or not."""
        return wrong_build(self.facts, self.cards, {}, self.processor) if "torch_build" in self.facts else None

    @property
    def visible_cards(self) -> tuple[Card, ...]:
        """The cards that CUDA may use."""
        return visible(self.cards.cards, self.facts.get("variables", {}))

    @property
    def hidden_by(self) -> str | None:
        """The variable that hides every card, as NAME=VALUE; None if none does, or if there is none to hide."""
        return hidden_by(self.cards.cards, self.facts.get("variables", {}), self.facts.get("torch_build", ""))
