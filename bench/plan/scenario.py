"""The schema of a scenario file. Keys have diffusers' own names wherever diffusers has one."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from bench import units
from bench.plan.adapters import Loras, OneIPAdapter
from bench.plan.fields import Name, Positive, Seed, Share, Strict, optional

Dtype = Literal["float32", "float16", "bfloat16"]
Threshold = Annotated[
    float,
    BeforeValidator(units.parse_share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[0-9.]+ *%$"},
                {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            ]
        }
    ),
]


class Source(Strict):
    """Where the documented figures come from, and how they were measured."""

    document: str = Field(description="the documentation page")
    versions: str | None = optional("the versions of the documentation that contain the figures")
    url: str | None = optional("link to one version of that page")
    device: str | None = optional("the GPU of the documented figures, as its vendor names it")
    timed_region: str | None = optional("what the documented timings include, if that is known")
    notes: str | None = optional("what is known about the figures, and what is inferred")


class Claim(Strict):
    """The documented figures that a case is judged against. Anything inferred about them belongs in `note`."""

    latency_s: Positive | None = optional("seconds for `over_calls` calls")
    seconds_per_image: Positive | None = optional("seconds of one call / its images")
    speedup: Positive | None = optional("relative to the baseline's seconds per image")
    latency_reduction: Share | None = optional(
        "a latency improved by this share of the baseline's: 0.43 is read as 43 % less, and judged as 43 % faster, too"
    )
    parameter_reduction: Share | None = optional("1 - denoiser parameters / the baseline's")
    memory_reduction: Share | None = optional("1 - peak allocated memory / the baseline's")
    status: Literal["oom"] | None = optional("the documented outcome, if it is not a figure")
    over_calls: Annotated[int, Field(ge=1)] = Field(default=1, description="number of calls that `latency_s` covers")
    approximate: bool = Field(default=False, description="whether the documentation says 'about'")
    note: str | None = optional("what is known about the figure, and what is inferred")

    @model_validator(mode="after")
    def _require_a_figure(self) -> "Claim":
        figures = (self.latency_s, self.seconds_per_image, self.speedup, self.latency_reduction)
        others = (self.parameter_reduction, self.memory_reduction, self.status)
        if all(figure is None for figure in (*figures, *others)):
            raise ValueError("a claim needs a figure; give latency_s, seconds_per_image, speedup or status")
        if self.over_calls > 1 and self.latency_s is None:
            raise ValueError("'over_calls' divides 'latency_s', which is missing; add it")
        return self


class Settings(Strict):
    """What a case is made of. Every key may appear at the top of a scenario, in a case, or in the matrix."""

    model: Name | None = optional("a known model, a hub id, or a local folder")
    pipeline: Name | None = optional("a diffusers class name; the model's own pipeline if not given")
    dtype: Dtype | None = optional("the floating-point type in which weights are loaded; float32 if not given")
    scheduler: Name | None = optional("a diffusers class name; the model's own scheduler if not given")
    scheduler_config: dict[str, Any] | None = optional("arguments that override the scheduler's configuration")
    vae: Name | None = optional("an autoencoder that replaces the model's own")
    controlnet: Name | None = optional("a ControlNet for a pipeline that takes one: a hub id or a local folder")
    unet: Name | None = optional("a UNet that replaces the model's own")
    transformer: Name | None = optional("a transformer that replaces the model's own")
    text_encoder: Name | None = optional("a text encoder that replaces the model's own")
    text_encoder_2: Name | None = optional("a text encoder that replaces the model's second one")
    text_encoder_3: Name | None = optional("a text encoder that replaces the model's third one")
    image_encoder: Name | None = optional("an image encoder for a pipeline that takes one")
    motion_adapter: Name | None = optional("a motion adapter for a pipeline that takes one")
    lora: Loras | None = optional("a LoRA, or a list of them: a path, a hub id, or a mapping; [] for none")
    ip_adapter: OneIPAdapter | None = optional("an IP-Adapter, whose pictures are the call's `ip_adapter_image`")
    optimizations: list[str] | None = optional("names from the optimization table (`bench optimizations`)")
    call: dict[str, Any] | None = optional("arguments of the pipeline call")
    load: dict[str, Any] | None = optional("arguments of from_pretrained")
    seed: Seed | Annotated[list[Seed], Field(min_length=1)] | None = optional(
        "one seed for the whole batch, or a list with one seed per image; 0 if not given"
    )
    generator_device: Literal["device", "cpu"] | None = optional(
        "where the latents are drawn: on the pipeline's device (if not given) or on the CPU"
    )
    safety_checker: bool | None = optional("whether the safety checker runs in every call; false if not given")
    samples: Annotated[int, Field(ge=1)] | None = optional("a fixed number of samples instead of the stopping rule")
    timeout_s: Positive | None = optional("the longest that one process may take, in seconds; 1800 if not given")
    threshold: Threshold | None = optional(
        "the slow-down that `bench gate` reports as a regression, such as 5%; the gate's own threshold if not given"
    )


class CaseEntry(Settings):
    """One named case: settings that override the scenario's, and what the documentation claims about it."""

    baseline: Name | None = optional("a baseline for this case instead of the scenario's")
    claim: Claim | None = None
    note: str | None = optional("anything a reader of the scenario should know")


class Matrix(BaseModel):
    """Axes that are multiplied; `include` and `exclude` work as in GitHub Actions.

    An axis is a key of the settings or an argument of the pipeline call, and its value is a list. The scheduler axis
    may be the word `compatible`, which stands for every scheduler that diffusers lists as compatible with the model's.
    """

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    include: list[dict[str, Any]] = Field(
        default=[], description="settings to add to combinations, or additional combinations"
    )
    exclude: list[dict[str, Any]] = Field(default=[], description="combinations to leave out")

    @property
    def axes(self) -> dict[str, Any]:
        """The axes as they were written: name -> list of values, or `compatible`."""
        return dict(self.__pydantic_extra__ or {})


class Scenario(Settings):
    """One YAML file that describes a documented table or a sweep."""

    title: Name = Field(description="the heading of the table")
    source: Source | None = None
    baseline: Name | None = optional("the case that speed-ups are relative to")
    cases: dict[str, CaseEntry | None] | None = optional("the rows of the table by name")
    matrix: Matrix | None = None


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario file, including `extends`, for completion in an editor."""
    schema = Scenario.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["properties"]["extends"] = {"type": "string", "description": "another scenario file that this one changes"}
    schema["required"] = []  # required keys may come from the extended file
    return schema
