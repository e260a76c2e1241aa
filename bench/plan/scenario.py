"""The schema of a scenario file: what may be written, in diffusers' own words wherever diffusers has one."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from bench import units

Dtype = Literal["float32", "float16", "bfloat16"]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=1)]
Name = Annotated[str, Field(min_length=1)]
Threshold = Annotated[
    float,
    BeforeValidator(units.share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[0-9.]+ *%$"},
                {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            ]
        }
    ),
]


class Strict(BaseModel):
    """A mapping in which an unknown key is an error and nothing is converted silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Source(Strict):
    """Where the documented figures come from and on what they were measured."""

    document: str
    versions: str | None = None
    url: str | None = None
    device: str | None = Field(default=None, description="the GPU of the documented figures, as its vendor names it")
    timed_region: str | None = None
    notes: str | None = None


class Claim(Strict):
    """A documented figure that a case is held against. What is inferred about it belongs in `note`."""

    latency_s: Positive | None = Field(default=None, description="seconds, of `over_calls` calls together")
    seconds_per_image: Positive | None = None
    speedup: Positive | None = Field(default=None, description="against the baseline's seconds per image")
    latency_reduction: Share | None = Field(default=None, description="1 - latency / the baseline's: 0.43 is 43 % less")
    parameter_reduction: Share | None = Field(default=None, description="1 - denoiser parameters / the baseline's")
    status: Literal["oom"] | None = Field(default=None, description="the documented outcome, where it is no figure")
    over_calls: Annotated[int, Field(ge=1)] = 1
    approximate: bool = False
    note: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "Claim":
        figures = (self.latency_s, self.seconds_per_image, self.speedup, self.latency_reduction)
        if all(figure is None for figure in (*figures, self.parameter_reduction, self.status)):
            raise ValueError("a claim needs a figure; give latency_s, seconds_per_image, speedup or status")
        if self.over_calls > 1 and self.latency_s is None:
            raise ValueError("'over_calls' divides 'latency_s', which is missing; add it")
        return self


class Settings(Strict):
    """What a case is made of. Every key may stand at the top of a scenario, in a case, or in the matrix."""

    model: Name | None = Field(default=None, description="a known model, a hub id, or a local folder")
    dtype: Dtype | None = None
    scheduler: Name | None = Field(default=None, description="a diffusers class name; the model's own where left out")
    scheduler_config: dict[str, Any] | None = Field(default=None, description="arguments laid over its configuration")
    vae: Name | None = Field(default=None, description="an autoencoder that takes the place of the model's own")
    optimizations: list[str] | None = None
    call: dict[str, Any] | None = Field(default=None, description="arguments of the pipeline call")
    load: dict[str, Any] | None = Field(default=None, description="arguments of from_pretrained")
    seed: Seed | Annotated[list[Seed], Field(min_length=1)] | None = Field(
        default=None, description="one generator for the whole batch, or a list: a generator an image"
    )
    generator_device: Literal["device", "cpu"] | None = Field(
        default=None, description="where the latents are drawn: the pipeline's device, or the CPU"
    )
    safety_checker: bool | None = None
    samples: Annotated[int, Field(ge=1)] | None = None
    timeout_s: Positive | None = None
    threshold: Threshold | None = Field(
        default=None,
        description="slow-down that `bench gate` takes for a regression, such as 5%; else its own",
    )


class CaseEntry(Settings):
    """One named case: settings laid over the scenario's, and what the documentation says of it."""

    baseline: Name | None = Field(default=None, description="another baseline than the scenario's, for this case")
    claim: Claim | None = None
    note: str | None = None


class Matrix(BaseModel):
    """Axes that are multiplied; `include` and `exclude` work as in GitHub Actions.

    An axis is a key of the settings or an argument of the pipeline call; its values are a list. The scheduler axis may
    be the word `compatible`: every scheduler that the pipeline itself lists.
    """

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    include: list[dict[str, Any]] = []
    exclude: list[dict[str, Any]] = []

    @property
    def axes(self) -> dict[str, Any]:
        """The axes as they were written: name -> list of values, or `compatible`."""
        return dict(self.__pydantic_extra__ or {})


class Scenario(Settings):
    """One YAML file: a documented table, or a sweep."""

    title: Name
    source: Source | None = None
    baseline: Name | None = None
    cases: dict[str, CaseEntry | None] | None = None
    matrix: Matrix | None = None


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario file, `extends` included, for completion in an editor."""
    schema = Scenario.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["properties"]["extends"] = {"type": "string", "description": "another scenario file that this one changes"}
    schema["required"] = []  # what `extends` brings need not be written again
    return schema
