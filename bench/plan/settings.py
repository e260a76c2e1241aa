"""How a run measures its cases: the same for all of them, decided once the machine is known."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class RunSettings:
    """The resolved command line. Crosses process boundaries as JSON.

    Attributes:
        device: a torch device type: `cuda`, `cpu`, `mps` or `xpu`.
        size: `full` or `tiny` (tiny models).
        weights: `auto`, `hub`, `random`, or a folder of saved pipelines.
        hub_reachable: whether `auto` may download what the hub's cache lacks.
        threads: of the CPU; None leaves torch's default.
        samples: a fixed number per case that overrides the scenario; None follows the scenario and the stopping rule.
        processes: fresh processes per case, one per pass.
        diagnose: measure breakdown and roofline: None for full-size models only, True for tiny models too, False never.
        trace: write a profiler trace of one call of each case.
        memory_trace: write a snapshot of the device's allocator after one call of each case, where there is one.
        timeout_s: the longest a case may take, overrides the scenario; None follows the scenario.
    """

    device: str
    size: str
    weights: str = "auto"
    hub_reachable: bool = False
    threads: int | None = None
    samples: int | None = None
    processes: int = 1
    trace: bool = False
    memory_trace: bool = False
    diagnose: bool | None = None
    timeout_s: float | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "RunSettings":
        """Return the settings that `to_json` described; raise TypeError for an unknown key."""
        return cls(**data)
