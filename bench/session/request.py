"""What goes into a session and what comes out, as data. Light: the command line and every pytest session import this."""

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


class DeviceChoice(StrEnum):
    """What `--device` accepts."""

    AUTO = "auto"
    CUDA = "cuda"
    CPU = "cpu"
    MPS = "mps"
    XPU = "xpu"


class SizeChoice(StrEnum):
    """What `--size` accepts."""

    AUTO = "auto"
    FULL = "full"
    TINY = "tiny"


@dataclass(frozen=True)
class RunRequest:
    """A run to make or to continue. `None` leaves a choice to the scenario, the machine or the rules of sampling.

    Attributes:
        scenarios: files, folders or names; all of `scenarios/` if empty.
        only: patterns of `scenario/case` to keep.
        plan: measured instead of `scenarios` and `only`.
        weights: one of `POLICIES`, or a folder of saved pipelines.
        samples: a fixed number per process.
        processes: fresh processes per case.
        threads: of the CPU.
        trace: whether to write a profiler's trace of one call of each case.
        diagnose: whether to break calls down; None does so for full-size models only.
        timeout_s: the longest that one process may take.
        output: the run's folder.
        resume: whether to continue a run; without scenarios its own plan is used.
        retry_failed: whether a resumed run measures the cases again that failed or ran out of memory or time.
        option_prefix: what precedes the names of options in messages.
    """

    scenarios: Sequence[str] = ()
    only: Sequence[str] = ()
    plan: "Plan | None" = None
    device: DeviceChoice = DeviceChoice.AUTO
    size: SizeChoice = SizeChoice.AUTO
    weights: str = "auto"
    samples: int | None = None
    processes: int = 1
    threads: int | None = None
    trace: bool = False
    diagnose: bool | None = None
    timeout_s: float | None = None
    output: Path | None = None
    resume: bool = False
    retry_failed: bool = False
    option_prefix: str = "--"

    def option(self, name: str) -> str:
        """Return an option as a person would type it, with its value."""
        return f"{self.option_prefix}{name} {getattr(self, name)}"


@dataclass(frozen=True)
class TuneRequest:
    """A search of the optimization table.

    Attributes:
        model: a known model, a hub id, or a folder.
        call: arguments of the pipeline call; what is missing is the model's own.
        constraints: what the result must satisfy, and what it must be best at.
        budget_s: how long the search may take.
        skip: optimizations that are not tried.
        run: device, size, weights, threads and output.
    """

    model: str
    call: Mapping[str, Any]
    constraints: "Constraints"
    budget_s: float
    skip: Sequence[str] = ()
    run: RunRequest = field(default_factory=RunRequest)


class Ending(StrEnum):
    """How a run ended."""

    COMPLETE = "complete"
    FAULTS = "faults"  # a case failed, crashed or timed out
    INTERRUPTED = "interrupted"  # on request: Ctrl-C or SIGTERM
    NOT_WRITTEN = "not-written"  # the disk refused
    OUT_OF_TIME = "out-of-time"  # of a search: not even its reference finished


@dataclass(frozen=True)
class RunOutcome:
    """A run that ended, and how."""

    run: "Run"
    results: "Sequence[CaseResult]"
    ending: Ending


@dataclass(frozen=True)
class TuneOutcome:
    """A search that ended, how, and its two runs as far as they exist."""

    ending: Ending
    screening: RunOutcome | None = None
    final: RunOutcome | None = None
