"""What one process measured: the record in the result files, composed of smaller ones.

A field's name has its unit. What is unknown is None, never zero. The columns of the result files, their headers and
their documentation are derived from these fields (`bench.records.columns`).
"""

from dataclasses import dataclass

from bench.records.columns import (
    Amount,
    Arguments,
    Count,
    Latency,
    Names,
    Number,
    Over,
    Remarks,
    Seconds,
    Seeds,
    Series,
    Text,
    column,
    required,
    section,
)
from bench.records.outcomes import Status

VERSION = 3
"""Version of the files' schema, written in every row; raised whenever a field is added, removed or changes meaning."""


@dataclass(frozen=True)
class Sample:
    """One timed pipeline call."""

    latency_s: Latency = required("host seconds from synchronize to synchronize around one call")
    device_time_s: Seconds | None = column("the same span between two device events")


@dataclass(frozen=True)
class Settings:
    """What was asked for, with the defaults filled in."""

    model: Text | None = column("the model, as the scenario names it")
    size: Text | None = column("full, or tiny: the same classes at toy width")
    weights: Text | None = column("where they come from: random, hub or folder")
    weights_from: Text | None = column("the hub id, folder or published architecture")
    revision: Text | None = column("revision of the weights on the hub")
    vae: Text | None = column("the autoencoder that replaces the model's own")
    vae_weights: Text | None = column("where they come from: random, hub or folder")
    vae_weights_from: Text | None = column("the hub id, folder or published architecture")
    vae_revision: Text | None = column("revision of that autoencoder on the hub")
    components: Arguments | None = column(
        "other components that the case names, and where their weights come from, as JSON"
    )
    adapters: Arguments | None = column("the LoRAs and the IP-Adapter, and where their weights come from, as JSON")
    pipeline: Text | None = column("the pipeline's class")
    dtype: Text | None = column("the floating-point type in which weights are loaded")
    optimizations: Names = column("names joined by +, in the order in which they are applied", ())
    scheduler: Text | None = column("the scheduler's class")
    scheduler_config: Arguments | None = column("arguments that override the scheduler's configuration, as JSON")
    steps: Count | None = column("num_inference_steps")
    height: Count | None = column("image height in pixels")
    width: Count | None = column("image width in pixels")
    images: Count | None = column("images, or videos, made by one call")
    frames: Count | None = column("frames of each video; empty for images, and where only latents were returned")
    output_type: Text | None = column("what the timed region ends with: pil, pt, np or latent")
    call: Arguments | None = column("all arguments of the pipeline call, as JSON")
    inputs: Arguments | None = column("size, mode and hash of the pictures that the call was given, as JSON")
    load: Arguments | None = column("arguments of from_pretrained, as JSON")
    seed: Seeds = column("one seed for the batch, or one per image, joined by +", ())
    generator_device: Text | None = column("where the latents are drawn: device or cpu")
    safety_checker: bool | None = column("whether the safety checker runs in every call")
    device: Text | None = column("torch device type")
    threads: Count | None = column("number of CPU threads")
    started_by: Text | None = column(
        "how the process was started: fork of a server that had imported the libraries, or spawn"
    )
    pinned_core: Count | None = column("the one core that the process was pinned to; empty if it was not pinned")


@dataclass(frozen=True)
class Effective:
    """What was read back from the live pipeline."""

    dtypes: Text | None = column("floating-point types of the parameters, by component where they differ")
    devices: Text | None = column("devices of the parameters, by component where they differ")
    attention: Text | None = column("the denoiser's attention processors")
    tf32_matmul: bool | None = column("torch.backends.cuda.matmul.allow_tf32")
    tf32_conv: bool | None = column("torch.backends.cudnn.allow_tf32")
    cudnn_benchmark: bool | None = column("torch.backends.cudnn.benchmark")
    vae_class: Text | None = column("class of the autoencoder")
    vae_slicing: bool | None = column("on or off")
    vae_tiling: bool | None = column("on or off")
    vae_decodes: Count | None = column("decoder calls in the first call; 1: slicing and tiling had nothing to do")
    offload: Text | None = column("model, sequential or group; empty: everything stays on the device")
    compiled: Text | None = column("what torch.compile has taken over")
    recompilations: Count | None = column(
        "graphs compiled while samples were taken; with any, the case is unstable", over=Over.TOTAL
    )
    denoiser_calls: Count | None = column("per generation; some schedulers make more calls than steps")
    denoiser_parameters: Count | None = column("number of parameters of the denoiser")
    parameters: Count | None = column("number of parameters of all components")


@dataclass(frozen=True)
class Peaks:
    """Peak memory of one phase."""

    allocated_bytes: Amount | None = column("tensors", over=Over.HIGHEST)
    reserved_bytes: Amount | None = column("PyTorch's caching allocator", over=Over.HIGHEST)
    rss_growth_bytes: Amount | None = column(
        "resident pages of the process beyond its start, without code", over=Over.HIGHEST
    )


@dataclass(frozen=True)
class Memory:
    """Peak memory by phase, and of the whole card."""

    load: Peaks = section(Peaks, "load_peak_", ", while loading")
    first_call: Peaks = section(Peaks, "first_call_peak_", ", during the first call, autotuning included")
    generation: Peaks = section(Peaks, "peak_", ", after the first call: weights and a generation")
    device_used_bytes: Amount | None = column("of the whole card, by everybody, after the samples", over=Over.HIGHEST)


@dataclass(frozen=True)
class Timings:
    """The times of one process that are not samples."""

    started_at: Text | None = column("UTC, ISO 8601", over=Over.FIRST)
    wall_s: Seconds | None = column("the whole process, from the request to its end", over=Over.TOTAL)
    build_s: Seconds | None = column("loading or building the pipeline", over=Over.COLD)
    first_call_s: Latency | None = column(
        "the first call in a fresh process: lazy loading, autotuning, compilation", over=Over.COLD
    )
    compile_s: Seconds | None = column("spent by torch.compile during the first call", over=Over.COLD)
    compile_cache: Text | None = column("whether inductor's cache on disk was warm or cold", over=Over.COLD)
    warmup_calls: Count | None = column("untimed calls after the first", over=Over.LOWEST)
    warm: bool | None = column(
        "whether warm-up ended because calls agreed, not because a limit was reached", over=Over.ALL
    )
    steady: bool | None = column(
        "whether both halves of the samples agree; empty: too few to tell, or a tiny model", over=Over.ALL
    )


@dataclass(frozen=True)
class Telemetry:
    """What the machine did while samples were taken."""

    own_cpu_share: Amount | None = column(
        "share of the samples' wall time that this process computed on the CPU", over=Over.LOWEST
    )
    others_busy_cores: Amount | None = column("cores that other processes kept busy, on average", over=Over.HIGHEST)
    sm_clock_hz: Amount | None = column("of the GPU's multiprocessors, after the samples", over=Over.LOWEST)
    memory_clock_hz: Amount | None = column("of the GPU's memory, after the samples", over=Over.LOWEST)
    temperature_c: Number | None = column("of the GPU, after the samples", over=Over.HIGHEST)
    power_w: Amount | None = column("drawn by the GPU, after the samples", over=Over.HIGHEST)
    energy_j: Amount | None = column("used by the GPU; empty below two seconds of samples", over=Over.TOTAL)
    energy_per_image_j: Amount | None = column("energy_j / images of those samples", over=Over.MEAN)
    clock_events: Names = column("why the GPU lowered its clocks between samples, joined by +", (), over=Over.UNION)
    sw_power_cap_s: Seconds | None = column("how long the GPU kept to its power limit; reported only", over=Over.TOTAL)
    sw_thermal_s: Seconds | None = column(
        "how long the driver lowered clocks for temperature; reported only", over=Over.TOTAL
    )
    hw_thermal_s: Seconds | None = column(
        "how long the hardware slowed down for heat; rejects a sample", over=Over.TOTAL
    )
    hw_power_brake_s: Seconds | None = column(
        "how long the power supply slowed it down; rejects a sample", over=Over.TOTAL
    )
    other_processes: Count | None = column("other processes that compute on the GPU", over=Over.HIGHEST)
    rejected_samples: Count | None = column(
        "samples thrown away because the hardware throttled; six in a row are kept as unstable", over=Over.TOTAL
    )
    rejected_by: Names = column("what throttled them, joined by +", (), over=Over.UNION)


@dataclass(frozen=True)
class Breakdown:
    """One further call, split into its parts on the device's clock."""

    whole_s: Seconds | None = column("the call that was split; the parts add up to it")
    text_encoder_s: Seconds | None = column("text encoders")
    denoiser_s: Seconds | None = column("UNet or transformer, all steps")
    denoiser_call_s: Seconds | None = column("the median of one denoiser call")
    denoiser_calls_s: Series | None = column("each denoiser call in order, as JSON")
    scheduler_s: Seconds | None = column("scheduler")
    vae_s: Seconds | None = column("decoding")
    image_s: Seconds | None = column("conversion to the output type")
    other_s: Seconds | None = column("other components: ControlNets, image encoders, safety checkers, unknown ones")
    rest_s: Number | None = column("time that no part explains")
    adds_up: bool | None = column("whether the parts add up to the whole within 5 %")


@dataclass(frozen=True)
class Work:
    """What one call asks of the device."""

    operations: Amount | None = column("floating-point operations of one call, with plain attention")
    weight_bytes: Amount | None = column("bytes of the denoiser's weights, times its calls")
    matrix_types: Names = column("in which it may multiply matrices: dtypes and tf32, joined by +", ())
    device_busy_s: Seconds | None = column("of one profiled call in which the device computed; empty on a CPU")


@dataclass(frozen=True)
class ClipScore:
    """How well the pictures show the prompt."""

    clip_score: Number | None = column("CLIP score of the first call's pictures: the mean of max(100 * cosine, 0)")
    clip_model: Text | None = column("CLIP model from the hub's cache; empty if it has none, or if weights are random")


@dataclass(frozen=True)
class ProcessRecord:
    """What one fresh process measured of one case: one line of `processes.jsonl`, with its samples."""

    scenario: Text = required("the scenario file's name")
    case: Text = required("the row's name in the scenario; scenario/case identifies the case in all files")
    process: Count = required("number of the fresh process, which is the number of its pass, from 0")
    status: Status = required("how the case ended: " + ", ".join(Status))
    reason: Text | None = column("why it ended that way, in one line")
    settings: Settings = section(Settings)
    effective: Effective = section(Effective)
    timings: Timings = section(Timings)
    memory: Memory = section(Memory)
    telemetry: Telemetry = section(Telemetry)
    work: Work = section(Work)
    breakdown: Breakdown = section(Breakdown, "breakdown_")
    score: ClipScore = section(ClipScore)
    undiagnosed: Text | None = column("why columns of the breakdown, the roofline or the CLIP score are empty")
    remarks: Remarks = column("codes for what a reader should know, joined by '; '", ())
    schema: Count = column("version of these columns", VERSION)
    samples: tuple[Sample, ...] = ()

    @property
    def key(self) -> str:
        """The name that joins files: `scenario/case`."""
        return f"{self.scenario}/{self.case}"
