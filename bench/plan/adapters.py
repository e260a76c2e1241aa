"""What a case adds to a model without replacing a part of it: LoRAs and an IP-Adapter.

The time and the memory of a LoRA depend on its rank and on the modules that it is added to, hardly on its values. So
one with random weights stands in for a file that is not at hand.
"""

from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from bench.plan.fields import Name, Strict, optional

MOST = 32
LARGEST_RANK = 4_096
SUFFIX = ".safetensors"


def _inside(name: str) -> str:
    if name.startswith("/") or ".." in PurePosixPath(name).parts or "\\" in name:
        raise ValueError(f"{name[:80]!r} leads out of the adapter's folder; give a path within it")
    return name


def _safetensors(name: str) -> str:
    if not name.endswith(SUFFIX):
        raise ValueError(f"{name[:80]!r} is not a {SUFFIX} file, the only kind that is read; give one")
    return name


Inside = Annotated[str, AfterValidator(_inside)]
File = Annotated[Inside, AfterValidator(_safetensors)]
Weight = Annotated[float, Field(allow_inf_nan=False)]


class _Adapter(Strict):
    path: Name | None = optional("a hub id, a folder, or a file that ends with .safetensors")
    weight_name: File | None = optional("the file in that folder, or on the hub")
    subfolder: Inside | None = optional("the folder that contains the file, in that folder or on the hub")
    revision: Name | None = optional("the commit, branch or tag on the hub")
    weight: Weight = Field(default=1.0, description="how strongly it is applied")


class Lora(_Adapter):
    """A LoRA: of a file, or of random weights."""

    fused: bool = Field(
        default=False, description="whether it is merged into the model's weights, which then costs nothing"
    )
    rank: Annotated[int, Field(ge=1, le=LARGEST_RANK)] | None = optional(
        "random weights of this rank, if no path is given or if neither a file nor the hub can be reached"
    )
    targets: Annotated[list[Name], Field(min_length=1)] | None = optional(
        "the last parts of the names of the modules that get random weights; the attention projections if not given"
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

    image_encoder: Inside | None = optional(
        "the folder of the image encoder in that folder or on the hub; `image_encoder` beside the file if not given"
    )

    @model_validator(mode="after")
    def _has_weights(self) -> "IPAdapter":
        if self.path is None or (self.weight_name is None and not self.path.endswith(SUFFIX)):
            raise ValueError("it does not name a file; give 'path' and 'weight_name'")
        return self


def _named(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, (str, dict)) else value


_OneLora = Annotated[Lora, BeforeValidator(_named, json_schema_input_type=str | Lora)]
Loras = Annotated[
    list[_OneLora],
    BeforeValidator(_listed, json_schema_input_type=str | Lora | list[str | Lora]),
    Field(max_length=MOST),
]
"""One LoRA or a list, each a mapping or only its path."""
OneIPAdapter = Annotated[IPAdapter, BeforeValidator(_named, json_schema_input_type=str | IPAdapter)]


def plain(adapter: _Adapter) -> dict[str, Any]:
    """Return an adapter as a plan has it: what it says, and the defaults of what it does not."""
    return adapter.model_dump(exclude_none=True)
