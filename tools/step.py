"""What a step of `make gpu` is: how much it measures, how it runs a program, how it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[1]
LOG = "output.log"
TRIAL = """\
title: trial
model: stable-diffusion-v1-5
scheduler: DDIMScheduler
samples: 3
call: {prompt: a cat, num_inference_steps: 50}
baseline: baseline
cases:
  baseline: {}
  other-seed: {seed: 1}
  guided: {call: {guidance_scale: 5.0}}
"""


@dataclass(frozen=True)
class Scale:
    """How much the steps measure.

    Attributes:
        processes: per case of the tables.
        gates: comparisons of this environment with itself, of the cases `gated`.
        spread: the cases whose processes are compared, `spread_processes` of each.
        overhead_blocks: None for as many as fit into the time of tools/overhead.py.
    """

    processes: int
    gates: int
    gated: tuple[str, ...]
    spread: tuple[str, ...]
    spread_processes: int
    overhead_blocks: int | None = None


SCALES = {
    "full": Scale(
        processes=4,
        gates=10,
        gated=("sd15-precision/fp16",),
        spread=("sd15-precision/baseline", "sd15-precision/fp16", "sdxl-basics/bf16"),
        spread_processes=8,
    ),
    "tiny": Scale(
        processes=2,
        gates=1,
        gated=("trial/baseline",),
        spread=("trial/baseline", "trial/other-seed", "trial/guided"),
        spread_processes=2,
        overhead_blocks=6,
    ),
}


class Result(StrEnum):
    """How a step ended. Only a step that passed is skipped the next time."""

    PASSED = "passed"
    FAILED = "failed"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True)
class Outcome:
    """How a step ended, and what to know about it in a few words."""

    result: Result
    note: str = ""


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    output: Path
    device: str = "cuda"
    size: str = "full"
    budget: str | None = None

    @property
    def scale(self) -> Scale:
        return SCALES[self.size]

    @property
    def trial(self) -> list[str]:
        """The scenario that stands for the documented ones with tiny models, whose figures mean nothing."""
        return [str(self.output / "trial.yaml")] if self.size == "tiny" else []

    @property
    def measuring(self) -> list[str]:
        """The scenarios and how they are measured; none stands for all documented tables."""
        return [*self.trial, "--device", self.device, "--size", self.size, "--weights", "random"]


@dataclass(frozen=True)
class Step:
    """One thing to find out.

    Attributes:
        run: gets the folder of the step, in which it may find what an earlier try left.
        always: whether it runs again although it has passed before.
    """

    name: str
    what: str
    run: Callable[[Options, Path], Outcome]
    always: bool = False


def logged(arguments: Sequence[str], folder: Path) -> int:
    """Run this Python with its output on the terminal and in the step's log; return its exit code.

    Raises:
        KeyboardInterrupt: Ctrl-C or SIGTERM, after the program has ended in its own way.
    """
    stopped: list[int] = []
    with (folder / LOG).open("ab") as log_file, subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as child:  # fmt: skip

        def stop(number: int, _frame: FrameType | None) -> None:
            stopped.append(number)
            if number == signal.SIGTERM:  # Ctrl-C reaches the child from the terminal
                child.terminate()

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            while chunk := os.read(child.stdout.fileno(), 65536):
                log_file.write(chunk)
                sys.stdout.buffer.write(chunk)
                sys.stdout.buffer.flush()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    if stopped:
        raise KeyboardInterrupt
    return child.returncode
