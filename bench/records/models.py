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
    pipeline: Text | None = column("the pipeline's class")
    dtype: Text | None = column("the floating-point type in which weights are loaded")
    optimizations: Names = column("names joined by +, in the order in which they are applied", ())
    scheduler: Text | None = column("the scheduler's class")
    scheduler_config: Arguments | None = column("arguments that override the scheduler's configuration, as JSON")
    steps: Count | None = column("num_inference_steps")
    height: Count | None = column("image height in pixels")
    width: Count | None = column("image width in pixels")
    images: Count | None = column("images made by one call")
    output_type: Text | None = column("what the timed region ends with: pil, pt, np or latent")
    call: Arguments | None = column("all arguments of the pipeline call, as JSON")
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
    vae_slicing: bool | None = column("whether VAE slicing is on")
    vae_tiling: bool | None = column("whether VAE tiling is on")
    vae_decodes: Count | None = column(
        "decoder calls in the first call; 1 means that slicing and tiling had nothing to do"
    )
    offload: Text | None = column("model, sequential or group; empty if everything stays on the device")
    compiled: Text | None = column("what torch.compile has compiled")
    recompilations: Count | None = column(
        "graphs compiled while samples were taken; if there are any, the case is unstable"
    )
    denoiser_calls: Count | None = column("denoiser calls per generation; some schedulers make more calls than steps")
    denoiser_parameters: Count | None = column("number of parameters of the denoiser")
    parameters: Count | None = column("number of parameters of all components")


@dataclass(frozen=True)
class Peaks:
    """Peak memory of one phase."""

    allocated_bytes: Amount | None = column("tensors")
    reserved_bytes: Amount | None = column("PyTorch's caching allocator")
    rss_growth_bytes: Amount | None = column("growth of the process's resident memory since its start, excluding code")


@dataclass(frozen=True)
class Memory:
    """Peak memory by phase, and of the whole card."""

    load: Peaks = section(Peaks, "load_peak_", ", while loading")
    first_call: Peaks = section(Peaks, "first_call_peak_", ", during the first call, autotuning included")
    generation: Peaks = section(Peaks, "peak_", ", after the first call: weights and a generation")
    device_used_bytes: Amount | None = column("memory in use on the whole card, by all processes, after the samples")


@dataclass(frozen=True)
class Timings:
    """The times of one process that are not samples."""

    started_at: Text | None = column("start of the process, UTC in ISO 8601")
    wall_s: Seconds | None = column("duration of the whole process, from the request to its end")
    build_s: Seconds | None = column("loading or building the pipeline")
    first_call_s: Latency | None = column("the first call in a fresh process: lazy loading, autotuning, compilation")
    compile_s: Seconds | None = column("time that torch.compile took during the first call")
    compile_cache: Text | None = column("whether inductor's cache on disk was warm or cold")
    warmup_calls: Count | None = column("untimed calls after the first")
    warm: bool | None = column("whether warm-up ended because calls agreed, not because a limit was reached")


@dataclass(frozen=True)
class Telemetry:
    """What the machine did while samples were taken."""

    own_cpu_share: Amount | None = column("share of the samples' wall time in which this process computed on the CPU")
    others_busy_cores: Amount | None = column("cores that other processes kept busy, on average")
    sm_clock_hz: Amount | None = column("clock rate of the GPU's multiprocessors after the samples")
    memory_clock_hz: Amount | None = column("clock rate of the GPU's memory after the samples")
    temperature_c: Number | None = column("temperature of the GPU after the samples")
    power_w: Amount | None = column("power drawn by the GPU after the samples")
    energy_j: Amount | None = column("energy used by the GPU; empty if the samples took less than two seconds")
    energy_per_image_j: Amount | None = column("energy_j / images made by those samples")
    clock_events: Names = column("why the GPU lowered its clocks between samples, joined by +", ())
    sw_power_cap_s: Seconds | None = column("how long the GPU was held to its power limit; reported only")
    sw_thermal_s: Seconds | None = column("how long the driver lowered clocks because of heat; reported only")
    hw_thermal_s: Seconds | None = column("how long the hardware lowered clocks because of heat; rejects a sample")
    hw_power_brake_s: Seconds | None = column("how long the power supply slowed the GPU down; rejects a sample")
    other_processes: Count | None = column("number of other processes that compute on the GPU")
    rejected_samples: Count | None = column("samples thrown away because the hardware throttled")
    rejected_by: Names = column("what throttled those samples, joined by +", ())


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
    rest_s: Number | None = column("time that no part explains")
    adds_up: bool | None = column("whether the parts add up to the whole within 5 %")


@dataclass(frozen=True)
class Roofline:
    """The shortest time that the device could take, and for how long it computes during a call."""

    operations: Amount | None = column("floating-point operations of one call, with plain attention")
    matrix_flops: Amount | None = column(
        "operations per second of matrix products on this device, in the fastest type that the case may use"
    )
    copy_bytes_per_s: Amount | None = column("this device's copy rate, bytes read plus bytes written")
    roofline_s: Seconds | None = column(
        "shortest possible time for these operations and for reading the denoiser's weights"
    )
    device_busy_s: Seconds | None = column("how long the device computed during one profiled call; empty on a CPU")


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
    roofline: Roofline = section(Roofline)
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
