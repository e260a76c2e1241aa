"""The only schema of the result files: every column, in order, with its type and what it says.

A unit is in a column's name. An unknown value is an empty cell. `scenario`, `case` and `process` join the files.
"""

from dataclasses import dataclass
from enum import StrEnum

VERSION = 2
"""Raised whenever columns come, go or change their meaning; written in every row of processes.csv and results.csv."""


class Status(StrEnum):
    """How a case ended."""

    OK = "ok"
    UNSTABLE = "unstable"  # measured, but still changing
    SKIPPED = "skipped"  # this machine or this pipeline cannot do it
    OOM = "oom"
    TIMEOUT = "timeout"
    CRASHED = "crashed"  # the worker died
    FAILED = "failed"  # an exception, a setting not in effect, or a broken image
    INTERRUPTED = "interrupted"


MEASURED = (Status.OK, Status.UNSTABLE)
"""With samples that a table may show."""

FAULTS = (Status.FAILED, Status.CRASHED, Status.TIMEOUT)
"""A run with one of these exits 1. Out of memory and skipped are answers, not faults."""


@dataclass(frozen=True)
class Column:
    """A column: its name, the pandas type it is read back as, and what it says."""

    name: str
    type: str
    doc: str


def _columns(*rows: tuple[str, str, str]) -> tuple[Column, ...]:
    return tuple(Column(*row) for row in rows)


TEXT, FLOAT, INT, BOOL = "string", "Float64", "Int64", "boolean"

KEY = _columns(
    ("scenario", TEXT, "the scenario file's name"),
    ("case", TEXT, "the row's name in it"),
    ("process", INT, "which fresh process, from 0"),
)

SAMPLES = (
    *KEY,
    *_columns(
        ("index", INT, "position among the samples of its process"),
        ("latency_s", FLOAT, "host seconds from synchronize to synchronize around one call"),
        ("device_time_s", FLOAT, "the same span between two device events"),
    ),
)

OUTCOME = _columns(
    ("status", TEXT, "how it ended: ok, unstable, skipped, oom, timeout, crashed, failed, interrupted"),
    ("reason", TEXT, "why, in one line"),
)

SETTINGS = _columns(
    ("model", TEXT, "as the scenario names it"),
    ("size", TEXT, "full, or tiny: a toy twin of the model"),
    ("weights", TEXT, "random, hub or folder"),
    ("weights_from", TEXT, "hub id, folder or published architecture that they come from"),
    ("revision", TEXT, "of the weights on the hub"),
    ("vae", TEXT, "the autoencoder in the place of the model's own"),
    ("vae_weights", TEXT, "random, hub or folder"),
    ("vae_weights_from", TEXT, "hub id, folder or published architecture that they come from"),
    ("vae_revision", TEXT, "of that autoencoder on the hub"),
    ("pipeline", TEXT, "the pipeline's class"),
    ("dtype", TEXT, "asked for"),
    ("optimizations", TEXT, "joined by +, in the order they are applied"),
    ("scheduler", TEXT, "the class in effect"),
    ("scheduler_config", TEXT, "what was laid over its configuration, as JSON"),
    ("steps", INT, "num_inference_steps"),
    ("height", INT, "pixels"),
    ("width", INT, "pixels"),
    ("images", INT, "made by one call"),
    ("output_type", TEXT, "what the timed region ends with: pil, pt, np or latent"),
    ("call", TEXT, "all arguments of the call, as JSON"),
    ("load", TEXT, "arguments of from_pretrained, as JSON"),
    ("seed", TEXT, "one, or one an image joined by +"),
    ("generator_device", TEXT, "where the latents are drawn"),
    ("safety_checker", BOOL, "whether it runs in every call"),
    ("device", TEXT, "torch device type"),
    ("threads", INT, "of the CPU"),
    ("started_by", TEXT, "how the process was made: fork of a server that had imported the libraries, or spawn"),
    ("pinned_core", INT, "the one core the process is held on; empty where it is not"),
)

EFFECTIVE = _columns(
    ("dtypes", TEXT, "of the parameters, by component where they differ"),
    ("devices", TEXT, "of the parameters, by component where they differ"),
    ("attention", TEXT, "the denoiser's attention processors"),
    ("tf32_matmul", BOOL, "torch.backends.cuda.matmul.allow_tf32"),
    ("tf32_conv", BOOL, "torch.backends.cudnn.allow_tf32"),
    ("cudnn_benchmark", BOOL, "torch.backends.cudnn.benchmark"),
    ("vae_class", TEXT, "class of the autoencoder"),
    ("vae_slicing", BOOL, "on or off"),
    ("vae_tiling", BOOL, "on or off"),
    ("vae_decodes", INT, "calls of the decoder in the first call: 1 says that slicing and tiling had nothing to do"),
    ("offload", TEXT, "model, sequential or group; empty: everything stays on the device"),
    ("compiled", TEXT, "what torch.compile has taken over"),
    ("recompilations", INT, "graphs compiled while samples were taken; with any the case is unstable"),
    ("denoiser_calls", INT, "calls of the denoiser in one generation; a scheduler may make more than steps"),
    ("denoiser_parameters", INT, "number"),
    ("parameters", INT, "number, of all components"),
)

MEASUREMENTS = _columns(
    ("started_at", TEXT, "UTC, ISO 8601"),
    ("wall_s", FLOAT, "the whole case, from asking the server to the worker's end"),
    ("build_s", FLOAT, "loading or making the pipeline"),
    ("first_call_s", FLOAT, "the first call in a fresh process: lazy loading, autotuning, compilation"),
    ("compile_s", FLOAT, "of the first call, what torch.compile took"),
    ("compile_cache", TEXT, "whether inductor's disk cache was warm or cold"),
    ("warmup_calls", INT, "untimed calls after the first"),
    ("warm", BOOL, "whether warm-up ended because the case was warm, not because a cap was reached"),
    ("load_peak_allocated_bytes", FLOAT, "tensors, while loading"),
    ("load_peak_reserved_bytes", FLOAT, "caching allocator, while loading"),
    ("load_peak_rss_growth_bytes", FLOAT, "memory on the host while loading, over the beginning, without code"),
    ("first_call_peak_allocated_bytes", FLOAT, "tensors, during the first call: autotuning's trials are in it"),
    ("first_call_peak_reserved_bytes", FLOAT, "caching allocator, during the first call"),
    ("first_call_peak_rss_growth_bytes", FLOAT, "memory on the host during the first call, the same"),
    ("peak_allocated_bytes", FLOAT, "tensors, after the first call: weights and a generation"),
    ("peak_reserved_bytes", FLOAT, "caching allocator, after the first call"),
    (
        "peak_rss_growth_bytes",
        FLOAT,
        "memory on the host after the first call, over the process's beginning: resident pages but those of code",
    ),
    ("device_used_bytes", FLOAT, "the whole card, by everybody, after the samples"),
    ("remarks", TEXT, "what a reader should know, joined by '; '"),
)

LIMIT = _columns(
    ("operations", FLOAT, "floating-point operations of one call, counted once with attention as written"),
    (
        "matrix_flops",
        FLOAT,
        "operations a second of a matrix product on this device, in the fastest type that the case's kernels may use",
    ),
    ("copy_bytes_per_s", FLOAT, "bytes a second of a copy on this device, read and written"),
    (
        "roofline_s",
        FLOAT,
        "the least seconds for these operations and for reading the denoiser's weights at every call",
    ),
    ("device_busy_s", FLOAT, "seconds of one profiled call in which the device computed; empty on a CPU"),
    ("undiagnosed", TEXT, "why columns of the split or of the limit are empty"),
)

TELEMETRY = _columns(
    ("own_cpu_share", FLOAT, "of the samples' wall time, what this process computed; well under 1: it had to wait"),
    ("others_busy_cores", FLOAT, "cores that other processes kept busy while samples were taken, on the mean"),
    ("sm_clock_hz", FLOAT, "of the GPU's processors, after the samples"),
    ("memory_clock_hz", FLOAT, "of the GPU's memory, after the samples"),
    ("temperature_c", FLOAT, "of the GPU, after the samples"),
    ("power_w", FLOAT, "drawn by the GPU, after the samples"),
    ("energy_j", FLOAT, "that the GPU used while samples were taken; empty under a second of them"),
    ("energy_per_image_j", FLOAT, "the same / images of those samples"),
    ("clock_events", TEXT, "why the GPU's clocks were lowered between samples, joined by +"),
    ("sw_power_cap_s", FLOAT, "while samples were taken, for how long the GPU kept to its power limit: reported only"),
    ("sw_thermal_s", FLOAT, "the same, for how long its driver kept it from too high a temperature: reported only"),
    ("hw_thermal_s", FLOAT, "the same, for how long its hardware braked for heat: spoils a sample"),
    ("hw_power_brake_s", FLOAT, "the same, for how long its power supply braked it: spoils a sample"),
    ("other_processes", INT, "other processes that compute on the GPU"),
    ("rejected_samples", INT, "samples that were thrown away because the hardware throttled"),
    ("rejected_by", TEXT, "what throttled them"),
)

SPLIT = _columns(
    (
        "breakdown_whole_s",
        FLOAT,
        "one further call, split into parts on the device's clock; the parts below add up to it",
    ),
    ("breakdown_text_encoder_s", FLOAT, "text encoders"),
    ("breakdown_denoiser_s", FLOAT, "UNet or transformer, all steps"),
    ("breakdown_denoiser_call_s", FLOAT, "the median of one call of it"),
    ("breakdown_denoiser_calls_s", TEXT, "each call of it, in order, as JSON"),
    ("breakdown_scheduler_s", FLOAT, "scheduler"),
    ("breakdown_vae_s", FLOAT, "decoding"),
    ("breakdown_image_s", FLOAT, "conversion to the output type"),
    ("breakdown_rest_s", FLOAT, "what no part explains"),
    ("breakdown_adds_up", BOOL, "whether the parts explain the whole within 5 %"),
)

SCORE = _columns(
    ("clip_score", FLOAT, "how well the first call's pictures show the prompt: the mean of max(100 * cosine, 0)"),
    ("clip_model", TEXT, "the CLIP model that says so, from the hub's cache; empty: none there, or random weights"),
)

DIAGNOSIS = (*LIMIT, *SPLIT, *SCORE)
"""What the diagnosis after the samples tells; of several processes of a case one is diagnosed."""

PROCESSES = (
    *_columns(("schema", INT, "version of these columns")),
    *KEY,
    *OUTCOME,
    *SETTINGS,
    *EFFECTIVE,
    *MEASUREMENTS,
    *LIMIT,
    *TELEMETRY,
    *SPLIT,
    *SCORE,
)

VERSIONS = _columns(
    ("device_name", TEXT, "GPU, or CPU model"),
    ("driver", TEXT, "of the GPU"),
    ("cuda", TEXT, "that torch was built with"),
    ("cudnn", TEXT, "version"),
    ("torch", TEXT, "version"),
    ("triton", TEXT, "version"),
    ("xformers", TEXT, "version"),
    ("torchao", TEXT, "version"),
    ("diffusers", TEXT, "version"),
    ("transformers", TEXT, "version"),
    ("accelerate", TEXT, "version"),
    ("python", TEXT, "version"),
    ("diffusion_bench", TEXT, "version"),
)

STATISTICS = _columns(
    ("processes", INT, "that were measured"),
    ("samples", INT, "in all"),
    (
        "latency_median_s",
        FLOAT,
        "of the samples of one process; the geometric mean of the processes' medians where there are several",
    ),
    ("latency_low_s", FLOAT, "95 % interval; empty under 6 samples of one process, or under 4 processes"),
    ("latency_high_s", FLOAT, "its upper end"),
    ("process_medians_s", TEXT, "of every measured process, as JSON: round -> seconds; what `gate` compares"),
    ("interval", TEXT, "what it is of: 'within one process' (the median), 'between processes' (their geometric mean)"),
    ("latency_min_s", FLOAT, "fastest sample"),
    ("latency_max_s", FLOAT, "slowest sample"),
    ("device_time_median_s", FLOAT, "between device events"),
    ("seconds_per_image", FLOAT, "median / images"),
    ("images_per_second", FLOAT, "images / median"),
    ("roofline_fraction", FLOAT, "roofline_s / the median: 1 is as fast as this device can be"),
    ("device_busy_share", FLOAT, "device_busy_s / the median: under 0.9 the device waits for the host"),
)

COMPARISON = _columns(
    ("baseline", TEXT, "the case that the speed-up is against"),
    ("speedup", FLOAT, "the baseline's seconds per image / this one's; over paired rounds their geometric mean"),
    ("speedup_low", FLOAT, "95 % interval over paired rounds; empty under 4"),
    ("speedup_high", FLOAT, "its upper end"),
    ("blocks", INT, "rounds in which both this case and its baseline were measured"),
    ("break_even_images", FLOAT, "after how many images a slower first call than the baseline's is made up for"),
    ("parameter_reduction", FLOAT, "1 - the denoiser's parameters / the baseline's"),
    ("threshold", FLOAT, "share of latency that `gate` takes for a regression, where the scenario says so"),
    ("claim_latency_s", FLOAT, "documented, of one call"),
    ("claim_over_calls", INT, "calls that the documented figure is the total of"),
    ("claim_seconds_per_image", FLOAT, "documented"),
    ("claim_speedup", FLOAT, "documented, or derived from two documented figures"),
    ("claim_parameter_reduction", FLOAT, "documented share of parameters saved"),
    ("claim_status", TEXT, "documented outcome where it is no figure"),
    ("claim_approximate", BOOL, "the documentation says 'about'"),
    ("claim_device", TEXT, "GPU of the documented figures"),
    ("claim_judged_by", TEXT, "latency, speedup or status; empty: not held against this row"),
    ("claim_ratio", FLOAT, "measured / documented, of the speed-up or of the latency"),
    ("claim_verdict", TEXT, "what follows, in words"),
    ("claim_note", TEXT, "what is known and what is inferred about the documented figure"),
)

SIMILARITY = _columns(
    ("similarity", TEXT, "whether the same image is expected as the baseline's, or which settings change it by design"),
    ("psnr_db", FLOAT, "against the baseline's pictures of the same seeds, the lowest of them; inf: identical"),
    ("ssim", FLOAT, "the same, structural similarity"),
    ("image_sha256", TEXT, "of the first picture's pixels"),
)

RESULTS = (
    *KEY[:2],
    *OUTCOME,
    *SETTINGS,
    *EFFECTIVE,
    *VERSIONS,
    *STATISTICS,
    *COMPARISON,
    *SIMILARITY,
    *SCORE,
    *LIMIT,
    *TELEMETRY,
    *SPLIT,
    *MEASUREMENTS,
    *_columns(("schema", INT, "version of these columns")),
)


def names(columns: tuple[Column, ...]) -> list[str]:
    """Return the names of columns, in order."""
    return [column.name for column in columns]
