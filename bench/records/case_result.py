"""The result of a case over all its processes: one row of a table, always derived from `ProcessRecord`s."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from bench.records.columns import (
    Amount,
    Count,
    Decibels,
    Latency,
    Medians,
    Names,
    Number,
    Remarks,
    Seconds,
    Text,
    column,
    columns,
    from_flat,
    required,
    section,
)
from bench.records.models import (
    VERSION,
    Breakdown,
    ClipScore,
    Effective,
    Memory,
    Roofline,
    Settings,
    Telemetry,
    Timings,
)
from bench.records.outcomes import ClaimVerdict, Expectation, IntervalKind, JudgedBy, NotJudged, Status


@dataclass(frozen=True)
class Versions:
    """The device and the software that measured it."""

    device_name: Text | None = column("GPU, or CPU model")
    driver: Text | None = column("version of the GPU's driver")
    cuda: Text | None = column("CUDA version that torch was built with")
    cudnn: Text | None = column("version")
    torch: Text | None = column("version")
    triton: Text | None = column("version")
    xformers: Text | None = column("version")
    torchao: Text | None = column("version")
    diffusers: Text | None = column("version")
    transformers: Text | None = column("version")
    accelerate: Text | None = column("version")
    python: Text | None = column("version")
    diffusion_bench: Text | None = column("version")

    @classmethod
    def of(cls, environment: Mapping[str, Any]) -> Self:
        """Return those of an `environment.json`; raise `CellError` where one of them is not a text."""
        return from_flat(cls, {each.name: environment.get(each.name) for each in columns(cls)})


@dataclass(frozen=True)
class Statistics:
    """Statistics over the samples of all measured processes."""

    processes: Count = column("number of measured processes", 0)
    samples: Count = column("number of samples in all measured processes", 0)
    latency_median_s: Latency | None = column("median of one process, or the geometric mean of the medians of several")
    latency_low_s: Latency | None = column(
        "lower end of the 95 % interval; empty for one process with under 6 samples, or for 2 or 3 processes"
    )
    latency_high_s: Latency | None = column("upper end of that interval")
    interval: IntervalKind | None = column("what the interval covers: " + " or ".join(IntervalKind))
    process_medians_s: Medians | None = column("median of every measured process, as JSON; what `gate` compares")
    latency_min_s: Latency | None = column("fastest sample")
    latency_max_s: Latency | None = column("slowest sample")
    device_time_median_s: Seconds | None = column("median time between device events")
    seconds_per_image: Latency | None = column("latency_median_s / images")
    images_per_second: Latency | None = column("images / latency_median_s")
    roofline_fraction: Amount | None = column(
        "roofline_s / latency_median_s: at 1 the call is as fast as this device can be"
    )
    device_busy_share: Amount | None = column(
        "device_busy_s / latency_median_s: below 0.9 the device waits for the host"
    )


@dataclass(frozen=True)
class Comparison:
    """How a case compares with its baseline."""

    baseline: Text | None = column("the case that the speed-up is relative to")
    speedup: Latency | None = column("the baseline's seconds per image / this case's; over blocks the geometric mean")
    speedup_low: Latency | None = column("lower end of the 95 % interval over blocks; empty with fewer than 4 blocks")
    speedup_high: Latency | None = column("upper end of that interval")
    blocks: Count | None = column("passes in which both the case and its baseline were measured")
    break_even_images: Amount | None = column("number of images after which a slower first call has paid for itself")
    parameter_reduction: Number | None = column("1 - the denoiser's parameters / the baseline's")
    threshold: Number | None = column(
        "slow-down that `gate` reports as a regression, as a fraction, if the scenario sets it"
    )


@dataclass(frozen=True)
class Claim:
    """A documented figure, and how the measured one compares with it."""

    latency_s: Latency | None = column("documented latency of one call")
    over_calls: Count | None = column("number of calls that the documented total covers")
    seconds_per_image: Latency | None = column("documented figure, or derived from the documented latency")
    speedup: Latency | None = column("documented figure, or derived from two documented figures")
    parameter_reduction: Number | None = column("documented share of parameters saved")
    status: Status | None = column("documented outcome, if it is not a figure")
    approximate: bool | None = column("whether the documentation says 'about'")
    device: Text | None = column("the GPU of the documented figures")
    judged_by: JudgedBy | None = column("which figure decided: latency, speedup or status; empty if not judged")
    ratio: Amount | None = column("measured / documented, for that figure")
    verdict: ClaimVerdict | None = column("the verdict: " + ", ".join(ClaimVerdict))
    not_judged: NotJudged | None = column("why there is no verdict: " + ", ".join(NotJudged))
    note: Text | None = column("what is known and what is inferred about the documented figure")


@dataclass(frozen=True)
class Similarity:
    """How close the pictures of a case are to its baseline's."""

    expected_image: Expectation | None = column(
        "image expected in comparison with the baseline: " + ", ".join(Expectation)
    )
    changed_by: Names = column("settings that change the image by design, joined by +", ())
    psnr_db: Decibels | None = column("the lowest PSNR over pictures from the same seeds; inf if they are identical")
    ssim: Number | None = column("the lowest structural similarity over pictures from the same seeds")
    image_sha256: Text | None = column("SHA-256 of the first picture's pixels")


@dataclass(frozen=True)
class CaseResult:
    """The result of a case over all its processes: one row of a table and of `results.csv`."""

    scenario: Text = required("the scenario file's name")
    case: Text = required("the row's name in the scenario; scenario/case identifies the case in all files")
    status: Status = required("how the case ended: " + ", ".join(Status))
    reason: Text | None = column("why it ended that way, in one line")
    settings: Settings = section(Settings)
    effective: Effective = section(Effective)
    versions: Versions = section(Versions)
    statistics: Statistics = section(Statistics)
    comparison: Comparison = section(Comparison)
    claim: Claim = section(Claim, "claim_")
    similarity: Similarity = section(Similarity)
    score: ClipScore = section(ClipScore)
    roofline: Roofline = section(Roofline)
    telemetry: Telemetry = section(Telemetry)
    breakdown: Breakdown = section(Breakdown, "breakdown_")
    timings: Timings = section(Timings)
    memory: Memory = section(Memory)
    undiagnosed: Text | None = column("why columns of the breakdown, the roofline or the CLIP score are empty")
    remarks: Remarks = column("codes for what a reader should know, joined by '; '", ())
    schema: Count = column("version of these columns", VERSION)

    @property
    def key(self) -> str:
        """The name that joins files: `scenario/case`."""
        return f"{self.scenario}/{self.case}"

    @property
    def measured(self) -> bool:
        """Whether the case has a latency."""
        return self.status.measured and self.statistics.latency_median_s is not None

    @property
    def tiny(self) -> bool:
        """Whether it is of a tiny model, whose figures say nothing about the real one."""
        return self.settings.size == "tiny"

    @property
    def is_baseline(self) -> bool:
        """Whether the case is its own baseline."""
        return self.comparison.baseline == self.case
