"""What a case adds to a model without replacing a part of it: LoRAs and an IP-Adapter.

The time and the memory of a LoRA depend on its rank and on the modules that it is added to, hardly on its values. So
one with random weights stands in for a file that is not at hand.
"""

from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

MOST = 32
LARGEST_RANK = 4_096
SUFFIX = ".safetensors"


def _safetensors(name: str) -> str:
    parts = PurePosixPath(name).parts
    if not name.endswith(SUFFIX) or name.startswith("/") or ".." in parts or "\\" in name:
        raise ValueError(f"{name[:80]!r} is not the name of a file within its folder that ends with {SUFFIX}; give one")
    return name


def _folder(name: str) -> str:
    if name.startswith("/") or ".." in PurePosixPath(name).parts or "\\" in name:
        raise ValueError(f"{name[:80]!r} is not a folder within that folder; give one")
    return name


_Text = Annotated[str, Field(min_length=1)]
File = Annotated[_Text, AfterValidator(_safetensors)]
Inside = Annotated[str, AfterValidator(_folder)]
Weight = Annotated[float, Field(allow_inf_nan=False)]


def _optional(description: str) -> Any:
    return Field(default=None, description=description)


class _Adapter(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    path: _Text | None = _optional("a hub id, a folder, or a file that ends with .safetensors")
    weight_name: File | None = _optional("the file in that folder, or on the hub")
    subfolder: Inside | None = _optional("the folder that contains the file, in that folder or on the hub")
    revision: _Text | None = _optional("the commit, branch or tag on the hub")
    weight: Weight = Field(default=1.0, description="how strongly it is applied")

    @model_validator(mode="before")
    @classmethod
    def _from_path(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value


class Lora(_Adapter):
    """A LoRA: of a file, or of random weights."""

    fused: bool = Field(
        default=False, description="whether it is merged into the model's weights, which then costs nothing"
    )
    rank: Annotated[int, Field(ge=1, le=LARGEST_RANK)] | None = _optional(
        "random weights of this rank, if no path is given or if neither a file nor the hub can be reached"
    )
    targets: Annotated[list[_Text], Field(min_length=1)] | None = _optional(
        "how the names of the modules end to which random weights are added; the attention's projections if not given"
    )

    @model_validator(mode="after")
    def _has_weights(self) -> "Lora":
        if self.path is None and self.rank is None:
            raise ValueError("it has no weights; give 'path', or 'rank' for random ones")
        if self.targets is not None and self.rank is None:
            raise ValueError("'targets' belongs to random weights; give 'rank' too, or remove it")
        if self.path is None and (self.weight_name or self.subfolder or self.revision):
            raise ValueError(
                "'weight_name', 'subfolder' and 'revision' belong to a file; give 'path' too, or remove them"
            )
        return self


class IPAdapter(_Adapter):
    """An IP-Adapter, with the encoder of its pictures where the pipeline has none."""

    image_encoder: Inside | None = _optional(
        "the folder of the image encoder in that folder or on the hub; `image_encoder` beside the file if not given"
    )

    @model_validator(mode="after")
    def _has_weights(self) -> "IPAdapter":
        if self.path is None or (self.weight_name is None and not self.path.endswith(SUFFIX)):
            raise ValueError("it does not name a file; give 'path' and 'weight_name'")
        return self


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, (str, dict, Lora)) else value


Loras = Annotated[
    list[Lora], BeforeValidator(_listed, json_schema_input_type=str | Lora | list[str | Lora]), Field(max_length=MOST)
]
OneIPAdapter = Annotated[IPAdapter, BeforeValidator(lambda value: value, json_schema_input_type=str | IPAdapter)]


def plain(adapter: _Adapter) -> dict[str, Any]:
    """Return an adapter as a plan has it: what it says, and the defaults of what it does not."""
    return adapter.model_dump(exclude_none=True)
