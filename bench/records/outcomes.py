"""The codes that a result may use: how a case ended, how a claim was judged, what a reader should know.

No code has to parse a sentence to decide anything. The sentences are written in `bench.present.words`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a case ended."""

    OK = "ok"
    UNSTABLE = "unstable"  # measured, but still changing, or too often without its core
    DIFFERS = "differs"  # measured, but an optimization that must not change the picture has changed it
    SKIPPED = "skipped"  # this machine or this pipeline cannot do it
    OOM = "oom"
    TIMEOUT = "timeout"
    CRASHED = "crashed"  # the worker process died
    FAILED = "failed"  # an exception, a setting that did not take effect, or a broken image
    INTERRUPTED = "interrupted"

    @property
    def measured(self) -> bool:
        """Whether the case has samples that a table may show."""
        return self in MEASURED


MEASURED = (Status.OK, Status.UNSTABLE, Status.DIFFERS)

FAULTS = (Status.FAILED, Status.CRASHED, Status.TIMEOUT)
"""Out of memory and skipped are answers, not faults."""

WRONG = (*FAULTS, Status.DIFFERS)
"""A run with one of these exits 1."""


class IntervalKind(StrEnum):
    """What a 95 % interval of the latency covers."""

    WITHIN = "within-process"  # the median of one process
    BETWEEN = "between-processes"  # the geometric mean over processes


class PeakKind(StrEnum):
    """What the peak memory of a process is of."""

    ALLOCATED = "allocated_bytes"  # counted by the allocator: the same in every process unless what it does differs
    RSS_GROWTH = "rss_growth_bytes"  # resident pages: differs by several percent between processes of one case


class JudgedBy(StrEnum):
    """Which documented figure decided a claim."""

    LATENCY = "latency"
    SPEEDUP = "speedup"
    PARAMETERS = "parameters"
    MEMORY = "memory"
    STATUS = "status"


class ClaimVerdict(StrEnum):
    """How a documented figure compares with the one measured here."""

    AS_DOCUMENTED = "as-documented"
    FASTER = "faster"
    SLOWER = "slower"
    GAINS_MORE = "gains-more"
    GAINS_LESS = "gains-less"
    UNDECIDED = "undecided"  # the measured figure's interval reaches across a boundary between two of the others
    OTHER_STATUS = "other-status"  # the documentation names an outcome, and here there was another
    NOT_JUDGED = "not-judged"


class NotJudged(StrEnum):
    """Why a documented figure could not be judged."""

    TINY_MODEL = "tiny-model"
    OTHER_DEVICE = "other-device"
    NOT_MEASURED = "not-measured"
    NO_FIGURE = "no-figure"
    NO_BASELINE = "no-baseline"


class Expectation(StrEnum):
    """Which image a case should make, compared with its baseline's."""

    REFERENCE = "reference"  # it is the baseline
    SAME = "same-image"
    ANOTHER = "another-image"  # a setting changes it by design


class Tiny(StrEnum):
    """How many of the figures beside each other are of tiny models."""

    NONE = "none"
    SOME = "some"
    ALL = "all"

    @classmethod
    def among(cls, tiny: Iterable[bool]) -> "Tiny":
        """Return it for figures, given for each of them whether its model is tiny."""
        found = set(tiny)
        return cls.NONE if True not in found else cls.SOME if False in found else cls.ALL


class RemarkKind(StrEnum):
    """What a reader should know about a row that is otherwise fine."""

    HOST_BOUND = "host-bound"  # value: share of a call in which the device computed
    DISTURBED = "disturbed"  # value: the greatest share of the time in which others had its core; subject: `2 of 4`
    BUSY_MACHINE = "busy-machine"  # value: the most cores that others kept busy; subject: processes, as `2 of 4`
    SHARED_DEVICE = "shared-device"  # value: the most other processes on the card; subject: processes, as `2 of 4`
    SEVERAL_CARDS = "several-cards"  # value: cards of one model on which parts of the run were measured
    THERMAL_SLOWDOWN = "thermal-slowdown"  # value: greatest share of the samples' time; subject: `2 of 4`
    POWER_CAP = "power-cap"  # value: greatest share of the samples' time; subject: `2 of 4`
    REJECTED = "rejected"  # value: samples that were thrown away; subject: processes, as `2 of 4`
    NEVER_WARM = "never-warm"  # the last triples of warm-up calls still differed; subject: processes, as `2 of 4`
    WARMUP_CUT_SHORT = "warm-up-cut-short"  # value: fewest calls before the time ran out; subject: `2 of 4`
    STEADINESS_UNKNOWN = "steadiness-unknown"  # too few samples to compare their halves; subject: `2 of 4`
    IMAGE_DIFFERS = "image-differs"  # value: PSNR in dB; subject: the approximate optimization that explains it
    REGION_DIFFERS = "region-differs"  # value: SSIM of the worst window; subject: as above
    COLOR_DIFFERS = "color-differs"  # value: distance of the mean colors, Delta E; subject: as above
    IDLE = "idle"  # subject: an optimization that is on and had nothing to act on
    RESIZED = "resized"  # subject: the size asked for, as WIDTHxHEIGHT
    OTHER_LENGTH = "other-length"  # value: the number of frames asked for
    NO_DENOISER = "no-denoiser"  # subject: a pipeline of which no component is known to be the denoiser
    NO_PART = "no-part"  # subject: a component that ran, although it is not known what for
    NO_PICTURE = "no-picture"  # subject: a pipeline of which it is not known how it decodes its latents
    NOT_PINNED = "not-pinned"  # the process had no core of its own
    OVERRIDDEN = "overridden"  # subject: an environment variable that overrides a setting, as NAME=VALUE


@dataclass(frozen=True)
class Remark:
    """One thing to know. `value` and `subject` are explained beside each `RemarkKind`.

    As text it is `kind`, `kind:value`, `kind(subject)` or `kind(subject):value`, which `parse` reads back.
    """

    kind: RemarkKind
    value: float | None = None
    subject: str = ""

    def __str__(self) -> str:
        subject = f"({self.subject})" if self.subject else ""
        value = "" if self.value is None else f":{self.value:.6g}"
        return f"{self.kind}{subject}{value}"

    @classmethod
    def parse(cls, text: str) -> "Remark":
        """Return the remark that `str` made this text of; raise ValueError for any other text."""
        head, colon, value = text.rpartition(":") if not text.endswith(")") and ":" in text else (text, "", "")
        kind, bracket, subject = head.partition("(")
        if bracket and not subject.endswith(")"):
            raise ValueError(f"'{text}' is not a remark")
        return cls(RemarkKind(kind), float(value) if colon else None, subject.removesuffix(")"))
