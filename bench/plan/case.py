"""A case is one row of a table: one fully resolved set of settings, frozen, hashable, the same on every machine."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import prod
from typing import Any

JsonObject = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Case:
    """What one row measures. `key` (`scenario/case`) joins all files.

    Attributes:
        model: a known model, a hub id or a local folder.
        pipeline: a diffusers class name; None keeps the model's own.
        dtype: the floating-point type in which weights are loaded.
        scheduler: a diffusers class name; None keeps the model's own.
        vae: an autoencoder that replaces the model's own; None keeps it.
        components: by their role in the pipeline, what replaces or adds one: a hub id or a local folder.
        lora: the LoRAs that are added (`plan.adapters.Lora`), in the order they are loaded.
        ip_adapter: the IP-Adapter that is added (`plan.adapters.IPAdapter`); {} for none.
        optimizations: in the order of the optimization table.
        call: arguments of the pipeline call.
        load: arguments of `from_pretrained`.
        seed: one seed for the batch, or one per image.
        generator_device: `device` or `cpu`.
        baseline: the key of the case that speed-ups are relative to.
        claim: the documented figures (`plan.scenario.Claim`), only those that were given.
        samples: a fixed number of samples; None applies the stopping rule.
        threshold: the slow-down that the gate reports as a regression, as a share; None applies the gate's own.
    """

    scenario: str
    name: str
    model: str
    pipeline: str | None = None
    dtype: str = "float32"
    scheduler: str | None = None
    scheduler_config: JsonObject = field(default_factory=dict)
    vae: str | None = None
    components: JsonObject = field(default_factory=dict)
    lora: tuple[JsonObject, ...] = ()
    ip_adapter: JsonObject = field(default_factory=dict)
    optimizations: tuple[str, ...] = ()
    call: JsonObject = field(default_factory=dict)
    load: JsonObject = field(default_factory=dict)
    seed: int | tuple[int, ...] = 0
    generator_device: str = "device"
    safety_checker: bool = False
    baseline: str | None = None
    claim: JsonObject = field(default_factory=dict)
    note: str | None = None
    samples: int | None = None
    timeout_s: float = 1800.0
    threshold: float | None = None

    @property
    def key(self) -> str:
        """The name that joins files: `scenario/case`."""
        return f"{self.scenario}/{self.name}"

    def settings(self) -> str:
        """Return what is measured, without names and claims, as JSON: equal for equal measurements."""
        excluded = {"scenario", "name", "baseline", "claim", "note", "threshold"}
        return json.dumps({k: v for k, v in asdict(self).items() if k not in excluded}, sort_keys=True)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: JsonObject) -> "Case":
        """Return the case that `to_json` described; raise TypeError for an unknown key."""
        tuples = {key: tuple(data[key]) for key in ("lora", "optimizations", "seed") if isinstance(data.get(key), list)}
        given: dict[str, Any] = {**data, **tuples}
        return cls(**given)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Case) and self._canonical() == other._canonical()

    def __hash__(self) -> int:
        return hash(self._canonical())

    def __str__(self) -> str:
        return self.key

    def _canonical(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True)
class ScenarioInfo:
    """What belongs to a scenario as a whole: its title, the source of its claims, the axes of its matrix."""

    scenario: str
    title: str
    source: JsonObject = field(default_factory=dict)
    axes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Everything that a run will measure, in the order it was written."""

    scenarios: tuple[ScenarioInfo, ...]
    cases: tuple[Case, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: JsonObject) -> "Plan":
        scenarios = (ScenarioInfo(**{**info, "axes": tuple(info["axes"])}) for info in data["scenarios"])
        return cls(scenarios=tuple(scenarios), cases=tuple(Case.from_json(case) for case in data["cases"]))


ROLES = (
    "controlnet", "unet", "transformer", "text_encoder", "text_encoder_2", "text_encoder_3", "image_encoder",
    "motion_adapter",
)  # fmt: skip
"""Components that a case can name, besides the autoencoder."""
STEP_LISTS = ("timesteps", "sigmas")
"""Arguments that list the steps of a call."""
_PER_PROMPT = re.compile(r"num_\w+_per_prompt")


def batch_size(call: Mapping[str, Any]) -> int:
    """Return how many images one call makes.

    That is one per prompt or class label, or `batch_size`, times those per prompt. Without a prompt, as for videos that
    are made from pictures, it is one per picture.
    """
    decide = ("prompt", "class_labels") if call.get("prompt") is not None else ("class_labels", "image")
    lists = [len(value) for name in decide if isinstance(value := call.get(name), (list, tuple))]
    counts = {name: value for name, value in call.items() if isinstance(value, int)}
    per_prompt = prod(value for name, value in counts.items() if _PER_PROMPT.fullmatch(name))
    return max([counts.get("batch_size", 1), *lists]) * per_prompt
