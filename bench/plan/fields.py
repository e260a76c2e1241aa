"""What the keys of a scenario file have in common: strict mappings, and types of values."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=1)]


def optional(description: str) -> Any:
    """Return a key that may be left out, as its description says."""
    return Field(default=None, description=description)


class Strict(BaseModel):
    """A mapping in which unknown keys are errors and values are never converted silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
