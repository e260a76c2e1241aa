"""Show a run as it goes: one live line on a terminal, plain lines elsewhere.

Drawn by the parent when an event comes, on another core than a pinned worker's; nothing is drawn inside a timed call's
own process. A reader that went away (`| head`) does not end a run.
"""

import os
import sys
from time import monotonic
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from bench import units
from bench.execute.attempt import Outcome
from bench.execute.worker.protocol import Event
from bench.plan.order import Job
from bench.records.schema import MEASURED
from bench.statistics import median, median_interval

_COLORS = {"ok": "green", "unstable": "yellow", "skipped": "dim", "oom": "magenta"}


class PatientConsole(Console):
    """A console whose reader may go away: what is printed then is lost, and nothing else."""

    def on_broken_pipe(self) -> None:
        """Send what is still to come nowhere; rich would end the program."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


class Progress:
    """A `Listener` that prints: a line a finished case, and on a terminal one more that is redrawn at every event.

    Where it is not known how many processes there will be, `total` is None.
    """

    def __init__(self, total: int | None, console: Console) -> None:
        self._total = total
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._done = 0
        self._start = monotonic()
        self._phase = ""
        self._latencies: list[float] = []
        self.label = ""
        """Which of several sides is measured now."""

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, job: Job) -> None:
        """Show that a case begins."""
        self._phase, self._latencies = "starting", []
        self._draw(job)

    def event(self, job: Job, event: Event) -> None:
        """Show what the worker does."""
        match event["event"]:
            case "phase":
                self._phase = event["phase"]
            case "sample":
                self._phase = "sampling"
                self._latencies.append(event["latency_s"])
            case "discard":
                del self._latencies[: event["count"]]
            case _:
                return
        self._draw(job)

    def end(self, job: Job, outcome: Outcome) -> None:
        """Print the line of a finished case."""
        self._done += 1
        status = outcome.process["status"]
        line = Text(f"{self._count(self._done)} {self._name(job)}  ")
        line.append(status, style=_COLORS.get(status, "red"))
        line.append(f"  {_told(outcome)}")
        self._console.print(line, highlight=False, soft_wrap=True)

    def _draw(self, job: Job) -> None:
        if self._live is None:
            return
        parts = [f"{self._count(self._done + 1)} {self._name(job)}", self._phase]
        if self._latencies:
            parts.append(f"sample {len(self._latencies)}, median {units.seconds(median(self._latencies))}")
        parts.append(self._time_left())
        self._live.update(Text("  ".join(filter(None, parts)), overflow="ellipsis", no_wrap=True), refresh=True)

    def _name(self, job: Job) -> str:
        numbered = f"{job.case} #{job.process + 1}" if job.process else str(job.case)
        return f"{self.label} {numbered}" if self.label else numbered

    def _count(self, number: int) -> str:
        return f"[{number}]" if self._total is None else f"[{number:>{len(str(self._total))}}/{self._total}]"

    def _time_left(self) -> str:
        """Say how long the rest takes, as long a case as those that are done."""
        if not self._done or self._total is None:
            return ""
        left = (monotonic() - self._start) / self._done * (self._total - self._done)
        return f"about {left / 60:.0f} min left" if left >= 90 else f"about {left:.0f} s left"  # noqa: PLR2004 - as said


def _told(outcome: Outcome) -> str:
    """Say in a few words what came out: the median with its interval, or the reason."""
    status, reason = outcome.process["status"], outcome.process["reason"]
    latencies = [sample["latency_s"] for sample in outcome.samples]
    if status not in MEASURED or not latencies:
        return str(reason)
    interval = median_interval(latencies)
    span = f" [{units.seconds(interval.low)}, {units.seconds(interval.high)}]" if interval else ""
    told = f"{units.seconds(median(latencies))}{span}  n={len(latencies)}"
    return f"{told}  {reason}" if reason else told
