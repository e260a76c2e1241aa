"""What a person requires of a recommended case. Imports little, because the command line always imports this module."""

from dataclasses import dataclass
from enum import StrEnum

from bench.analyze.similarity import ALARM_DB
from bench.errors import InputError


class Goal(StrEnum):
    """What the best case is best at."""

    LATENCY = "latency"
    THROUGHPUT = "throughput"
    MEMORY = "memory"
    ENERGY = "energy"


@dataclass(frozen=True)
class Constraints:
    """What a person asks of a case."""

    goal: Goal = Goal.LATENCY
    min_psnr_db: float = ALARM_DB  # against the reference's picture; nothing below ALARM_DB is recommended
    max_memory_bytes: float | None = None  # for each of loading, the first call and a generation
    other_images: bool = False  # whether cases that make a different image by design are admitted

    def __post_init__(self) -> None:
        if not self.min_psnr_db >= ALARM_DB:  # so that nan is refused, too
            raise InputError(
                f"--min-psnr {self.min_psnr_db:g}: below {ALARM_DB:g} dB a picture counts as another one, "
                f"so such a case is never recommended; give {ALARM_DB:g} or more"
            )
