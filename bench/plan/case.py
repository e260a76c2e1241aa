"""A case: one row of a table, one fully resolved set of settings. Frozen, hashable, and the same on every machine."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

JsonObject = Mapping[str, Any]

SIDE_MULTIPLE = 8
"""Pixels a latent: every autoencoder of these pipelines scales by 8."""


@dataclass(frozen=True, eq=False)
class Case:
    """What one row measures. `key` (`scenario/case`) joins every file; prints as the key.

    Attributes:
        model: a known model, a hub id or a local folder.
        dtype: the floating-point type that the weights are loaded in.
        scheduler: a diffusers class name; None is the model's own.
        vae: an autoencoder in the place of the model's own; None is the model's own.
        optimizations: in the order of the optimization table.
        call: arguments of the pipeline call.
        load: arguments of `from_pretrained`.
        seed: one seed for the batch, or one an image.
        generator_device: `device` or `cpu`.
        baseline: the key of the case that this one's speed-up is against.
        claim: the documented figures (`plan.scenario.Claim`), only what was given.
        samples: a fixed number of samples; None leaves it to the stopping rule.
        threshold: the slow-down that the gate takes for a regression, as a share; None leaves it to the gate.
    """

    scenario: str
    name: str
    model: str
    dtype: str = "float32"
    scheduler: str | None = None
    scheduler_config: JsonObject = field(default_factory=dict)
    vae: str | None = None
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
        """Return what is measured, without its name and claims, as canonical JSON: equal for equal measurements."""
        told = {"scenario", "name", "baseline", "claim", "note", "threshold"}
        return json.dumps({k: v for k, v in asdict(self).items() if k not in told}, sort_keys=True)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object from which `from_json` makes an equal case."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: JsonObject) -> "Case":
        """Make a case from what `to_json` returned; raise TypeError for an unknown key."""
        tuples = {key: tuple(data[key]) for key in ("optimizations", "seed") if isinstance(data.get(key), list)}
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
    """What belongs to a scenario as a whole: its title and where its claims come from."""

    scenario: str
    title: str
    source: JsonObject = field(default_factory=dict)
    axes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """All that a run is going to measure, in the order it was written."""

    tables: tuple[ScenarioInfo, ...]
    cases: tuple[Case, ...]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object from which `from_json` makes an equal plan."""
        return {"tables": [asdict(table) for table in self.tables], "cases": [case.to_json() for case in self.cases]}

    @classmethod
    def from_json(cls, data: JsonObject) -> "Plan":
        """Make a plan from what `to_json` returned."""
        tables = (ScenarioInfo(**{**table, "axes": tuple(table["axes"])}) for table in data["tables"])
        return cls(tables=tuple(tables), cases=tuple(Case.from_json(case) for case in data["cases"]))


def batch_size(call: Mapping[str, Any]) -> int:
    """Return the number of images that one call makes: prompts x images a prompt."""
    prompt = call.get("prompt")
    per_prompt = call.get("num_images_per_prompt", 1)
    return (len(prompt) if isinstance(prompt, (list, tuple)) else 1) * (
        per_prompt if isinstance(per_prompt, int) else 1
    )
