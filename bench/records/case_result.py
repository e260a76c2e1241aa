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
    ProcessBytes,
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
    Settings,
    Telemetry,
    Timings,
    Work,
)
from bench.records.outcomes import (
    ClaimVerdict,
    Expectation,
    IntervalKind,
    JudgedBy,
    NotJudged,
    PeakKind,
    Status,
)


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

    processes: Count = column("that were measured", 0)
    warm_processes: Count | None = column("of these, whose warm-up ended because calls agreed")
    disturbed_processes: Count | None = column(
        "of these, disturbed by other programs: own_cpu_share below 0.95, or a quarter of the machine's cores busy"
    )
    samples: Count = column("of all measured processes", 0)
    latency_median_s: Latency | None = column("of one process; the geometric mean of the medians of several")
    latency_low_s: Latency | None = column(
        "95 % interval; empty below 6 samples of one process, where they wander, and below 4 processes"
    )
    latency_high_s: Latency | None = column("upper end of the interval")
    interval: IntervalKind | None = column("what the interval covers: " + " or ".join(IntervalKind))
    process_medians_s: Medians | None = column("median of every measured process, as JSON; what `gate` compares")
    process_peaks_bytes: ProcessBytes | None = column(
        "peak memory of a generation in every measured process, as JSON; what `gate` compares"
    )
    process_peaks_kind: PeakKind | None = column("what those peaks are of: " + " or ".join(PeakKind))
    latency_min_s: Latency | None = column("fastest sample")
    latency_max_s: Latency | None = column("slowest sample")
    device_time_median_s: Seconds | None = column("time between device events, taken as latency_median_s is")
    seconds_per_image: Latency | None = column("latency_median_s / images")
    seconds_per_frame: Latency | None = column("seconds_per_image / frames, for videos")
    images_per_second: Latency | None = column("images / latency_median_s")


@dataclass(frozen=True)
class Comparison:
    """How a case compares with its baseline."""

    baseline: Text | None = column("the case that the speed-up is relative to")
    speedup: Latency | None = column("the baseline's seconds per image / this case's; over blocks the geometric mean")
    speedup_low: Latency | None = column("lower end of the 95 % interval over blocks; empty with fewer than 4 blocks")
    speedup_high: Latency | None = column("upper end of that interval")
    blocks: Count | None = column("passes in which both the case and its baseline were measured")
    break_even_images: Amount | None = column(
        "images after which a slower first call (first_call_s) has paid for itself"
    )
    parameter_reduction: Number | None = column("1 - the denoiser's parameters / the baseline's")
    memory_reduction: Number | None = column("1 - peak_allocated_bytes / the baseline's; empty without a counter")
    threshold: Number | None = column(
        "slow-down that `gate` reports as a regression, as a fraction, if the scenario sets it"
    )


@dataclass(frozen=True)
class Claim:
    """A documented figure, and how the measured one compares with it."""

    latency_s: Latency | None = column("documented, of one call")
    over_calls: Count | None = column("calls that the documented figure is the total of")
    seconds_per_image: Latency | None = column("documented, or derived from the latency")
    speedup: Latency | None = column("documented, or derived from two documented figures")
    speedup_inferred: bool | None = column("whether it is a reading: 43 % less latency as 1 / (1 - 0.43)")
    other_speedup: Latency | None = column("what the documentation could also mean: 43 % faster as 1 + 0.43")
    parameter_reduction: Number | None = column("documented share of parameters saved")
    memory_reduction: Number | None = column("documented share of peak memory saved")
    status: Status | None = column("documented outcome where it is not a figure")
    approximate: bool | None = column("whether the documentation says 'about'")
    device: Text | None = column("GPU of the documented figures")
    judged_by: JudgedBy | None = column(f"which figure decided: {', '.join(JudgedBy)}; empty: not judged")
    ratio: Number | None = column("measured / documented, of that figure")
    verdict: ClaimVerdict | None = column("what follows: " + ", ".join(ClaimVerdict))
    speedup_verdict: ClaimVerdict | None = column("on the documented speed-up, also where the latency decided")
    other_verdict: ClaimVerdict | None = column("on the other reading of the speed-up")
    parameter_verdict: ClaimVerdict | None = column("on the documented share of parameters saved")
    memory_verdict: ClaimVerdict | None = column("on the documented share of peak memory saved")
    not_judged: NotJudged | None = column("why there is no verdict: " + ", ".join(NotJudged))
    note: Text | None = column("what is known and what is inferred about the documented figure")


@dataclass(frozen=True)
class Similarity:
    """How close the pictures of a case are to its baseline's."""

    expected_image: Expectation | None = column(
        "image expected in comparison with the baseline: " + ", ".join(Expectation)
    )
    changed_by: Names = column("settings that change the image by design, joined by +", ())
    psnr_db: Decibels | None = column("the lowest over pictures of the same seeds; inf: identical")
    ssim: Number | None = column("structural similarity, the lowest over pictures of the same seeds")
    ssim_min: Number | None = column("that of the worst window of 31 x 31 pixels in any picture")
    color_shift: Amount | None = column(
        "distance of the mean colors in CIE Lab (Delta E 1976), the largest of a picture"
    )
    lpips: Amount | None = column(
        "LPIPS with AlexNet, the highest; needs the extra `lpips`, its weights, and trained ones"
    )
    image_sha256: Text | None = column("of the first picture's pixels")


@dataclass(frozen=True)
class Roofline:
    """How close a case comes to the least time that the device could take."""

    matrix_flops: Amount | None = column("the device's best matrix rate per second, in the fastest of matrix_types")
    copy_bytes_per_s: Amount | None = column("the device's best copy rate, bytes read plus bytes written")
    roofline_s: Seconds | None = column("least seconds for the operations and for reading the denoiser's weights")
    roofline_fraction: Amount | None = column(
        "roofline_s / latency_median_s; convolutions that need fewer operations (Winograd) can exceed 1"
    )
    device_busy_share: Amount | None = column(
        "device_busy_s / the median of the process that was profiled: below 0.9 the device waits"
    )


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
    work: Work = section(Work)
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
