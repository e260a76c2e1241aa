"""What goes into a session and what comes out, as data. It imports little: the command line and pytest load it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.analyze.constraints import Constraints
    from bench.analyze.run import Run
    from bench.plan.case import Plan
    from bench.records.case_result import CaseResult

POLICIES = ("auto", "hub", "random")
"""Where weights may come from; any other value is the folder of saved pipelines."""


AUTO = "auto"
"""The device that a request leaves to the machine."""


class SizeChoice(StrEnum):
    AUTO = "auto"
    FULL = "full"
    TINY = "tiny"


@dataclass(frozen=True)
class RunRequest:
    """A run to make or to continue. None leaves a choice to the scenario, the machine, or the rules of sampling.

    Attributes:
        scenarios: files, folders or names; all of `scenarios/` if empty.
        only: patterns of `scenario/case` to keep; all if empty.
        plan: measured instead of `scenarios` and `only`.
        device: `auto`, a torch device type, or one with an index among the visible devices, such as `cuda:1`.
        samples: per process.
        processes: per case.
        resume: whether to continue a run; without scenarios its own plan is used.
        retry_failed: whether a resumed run also measures the cases again that failed, or lacked time or memory.
        budget_s: how long the whole run may take, without downloads; what does not fit is left out.
        option_prefix: what precedes the names of options in messages.
    """

    scenarios: Sequence[str] = ()
    only: Sequence[str] = ()
    plan: "Plan | None" = None
    device: str = AUTO
    size: SizeChoice = SizeChoice.AUTO
    weights: str = "auto"
    samples: int | None = None
    processes: int = 1
    threads: int | None = None
    trace: bool = False
    memory_trace: bool = False
    diagnose: bool | None = None
    timeout_s: float | None = None
    output: Path | None = None
    resume: bool = False
    retry_failed: bool = False
    budget_s: float | None = None
    option_prefix: str = "--"

    @property
    def device_kind(self) -> str:
        """The device without its index: the chosen card is the only one that a worker sees."""
        return self.device.partition(":")[0]

    def option(self, name: str) -> str:
        """Return an option as a person would type it, with its value."""
        return f"{self.option_prefix}{name} {getattr(self, name)}"


class Ending(StrEnum):
    """How a run ended."""

    COMPLETE = "complete"
    FAULTS = "faults"  # a case failed, crashed or timed out, or an optimization changed its picture
    INTERRUPTED = "interrupted"  # on request: Ctrl-C or SIGTERM
    NOT_WRITTEN = "not-written"  # the disk refused
    OUT_OF_TIME = "out-of-time"  # not even the reference of a search, or one case of a run, finished


@dataclass(frozen=True)
class RunOutcome:
    run: "Run"
    results: "Sequence[CaseResult]"
    ending: Ending
    left_out: Sequence[str] = ()  # keys of the cases that the budget had no time for


@dataclass(frozen=True)
class TuneRequest:
    """A search of the optimization table.

    Attributes:
        call: arguments of the pipeline call; what is missing is the model's own.
        skip: optimizations that are not tried.
        run: device, size, weights, threads and output.
    """

    model: str
    call: Mapping[str, Any]
    constraints: "Constraints"
    budget_s: float
    skip: Sequence[str] = ()
    run: RunRequest = field(default_factory=RunRequest)


@dataclass(frozen=True)
class TuneOutcome:
    """How a search ended, and its two runs as far as they exist."""

    ending: Ending
    screening: RunOutcome | None = None
    final: RunOutcome | None = None
