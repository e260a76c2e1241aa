"""Show a session as it goes: one live line on a terminal, plain lines elsewhere.

The parent draws when an event arrives, on another core than a pinned worker's; nothing is drawn inside the process that
makes the timed calls. A reader that goes away (`| head`) does not end a run.
"""

from time import monotonic
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from bench import units
from bench.execute.worker.protocol import Event
from bench.plan.order import Job
from bench.present.render import PatientConsole
from bench.records.models import ProcessRecord
from bench.session.forecast import Pace
from bench.statistics import median, median_interval
from bench.text import printed_line, printed_lines

_COLORS = {"ok": "green", "unstable": "yellow", "skipped": "dim", "oom": "magenta"}
_PLAIN: dict[str, Any] = {"highlight": False, "markup": False, "emoji": False, "soft_wrap": True}


class Notices:
    """Where a session reports what it does, and on standard error what to act on; with `quiet`, nowhere."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = PatientConsole(quiet=quiet, **_PLAIN)
        self._errors = Console(quiet=quiet, stderr=True, **_PLAIN)

    def say(self, line: str) -> None:
        self._console.print(printed_lines(line))

    def warn(self, line: str) -> None:
        self._errors.print(printed_lines(line))

    def watch(self, total: int | None, pace: Pace | None = None) -> "Progress":
        """Return the display of `total` processes; None if their number is not known."""
        return Progress(total, self._console, pace)


class Progress:
    """A `Listener` that prints one line per finished process, and on a terminal one more that every event redraws."""

    def __init__(self, total: int | None, console: Console, pace: Pace | None = None) -> None:
        self._total = total
        self._console = console
        self._pace = pace
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._done = 0
        self._start = monotonic()
        self._phase = ""
        self._latencies: list[float] = []
        self.label = ""
        """Which of several sides is being measured."""

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, job: Job) -> None:
        self._phase, self._latencies = "starting", []
        if self._pace is not None:
            self._pace.begin()
        self._draw(job)

    def event(self, job: Job, event: Event) -> None:
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

    def end(self, job: Job, record: ProcessRecord) -> None:
        self._done += 1
        if self._pace is not None:
            self._pace.end(job, record)
        line = Text(printed_line(f"{self._count(self._done)} {self._name(job)}  "))
        line.append(record.status, style=_COLORS.get(record.status, "red"))
        line.append(printed_line(f"  {_figures(record)}"))
        if self._live is None and (left := self._time_left()):
            line.append(f"  ({left})")
        self._console.print(line)

    def _draw(self, job: Job) -> None:
        if self._live is None:
            return
        parts = [f"{self._count(self._done + 1)} {self._name(job)}", self._phase]
        if self._latencies:
            parts.append(f"sample {len(self._latencies)}, median {units.seconds(median(self._latencies))}")
        parts.append(self._time_left())
        self._live.update(
            Text(printed_line("  ".join(filter(None, parts))), overflow="ellipsis", no_wrap=True), refresh=True
        )

    def _name(self, job: Job) -> str:
        numbered = f"{job.case} #{job.process + 1}" if job.process else str(job.case)
        return f"{self.label} {numbered}" if self.label else numbered

    def _count(self, number: int) -> str:
        return f"[{number}]" if self._total is None else f"[{number:>{len(str(self._total))}}/{self._total}]"

    def _time_left(self) -> str:
        left = None
        if self._pace is not None:
            left = self._pace.left_s()
        elif self._done and self._total is not None:
            left = (monotonic() - self._start) / self._done * (self._total - self._done)
        return f"about {units.duration(left)} left" if left else ""


def _figures(record: ProcessRecord) -> str:
    latencies = [sample.latency_s for sample in record.samples]
    if not record.status.measured or not latencies:
        return record.reason or ""
    interval = median_interval(latencies)
    span = f" [{units.seconds(interval.low)}, {units.seconds(interval.high)}]" if interval else ""
    figures = f"{units.seconds(median(latencies))}{span}  n={len(latencies)}"
    return f"{figures}  {record.reason}" if record.reason else figures
