"""How a run measures its cases: the same for all of them, decided once the machine is known."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class RunSettings:
    """The command line, resolved. Crosses processes as JSON.

    Attributes:
        device: a torch device type, `cuda`, `cpu`, `mps` or `xpu`.
        size: `full`, or `tiny` for the toy twins.
        weights: `auto`, `hub`, `random`, or a folder of saved pipelines.
        hub_reachable: whether `auto` may ask the hub for what its cache lacks.
        threads: of the CPU; None leaves torch's default.
        samples: a fixed number a case, over what the scenario says; None leaves it to the scenario and the rule.
        processes: fresh processes a case, interleaved in rounds.
        diagnose: split calls and measure limits: None of full-size models, True of tiny twins too, False of none.
        trace: write a profiler's trace of one call of each case.
        timeout_s: the longest a case may take, over what the scenario says; None leaves it to the scenario.
    """

    device: str
    size: str
    weights: str = "auto"
    hub_reachable: bool = False
    threads: int | None = None
    samples: int | None = None
    processes: int = 1
    trace: bool = False
    diagnose: bool | None = None
    timeout_s: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object from which `from_json` makes equal settings."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "RunSettings":
        """Make settings from what `to_json` returned; raise TypeError for an unknown key."""
        return cls(**data)
