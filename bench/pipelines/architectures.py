"""The published architectures as data, from `architectures.toml`: what a model is made of, by name. Needs no torch."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FACTS = Path(__file__).with_name("architectures.toml")


@dataclass(frozen=True)
class Component:
    """One part of a pipeline: its class, configuration and exact number of parameters (None if it has none)."""

    name: str
    cls: str
    config: Mapping[str, Any]
    parameters: int | None = None


@dataclass(frozen=True)
class Model:
    """A pipeline of published components.

    Attributes:
        height, width: the pipeline's own default, in pixels.
        steps: the pipeline's own default.
        components: role in the pipeline -> name of the component.
        hub: ids on the hub; the first is the one that is loaded.
        tiny: name of its tiny model.
        absent: roles that are None.
        init: other arguments of the pipeline's constructor.
    """

    name: str
    pipeline: str
    height: int
    width: int
    steps: int
    components: Mapping[str, str]
    hub: tuple[str, ...] = ()
    tiny: str | None = None
    absent: tuple[str, ...] = ()
    init: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Autoencoder:
    """An autoencoder that can replace a pipeline's own; `component` and `tiny` are names of components."""

    name: str
    component: str
    tiny: str
    hub: tuple[str, ...] = ()


def find_model(name: str) -> Model | None:
    """Return the facts about a model by its short name or one of its hub ids; None if there are none."""
    return models().get(name)


def find_autoencoder(name: str) -> Autoencoder | None:
    """Return the facts about an autoencoder by its short name or one of its hub ids; None if there are none."""
    return autoencoders().get(name)


def find(name: str) -> Model | Autoencoder | None:
    """Return the facts about a model or an autoencoder; None if there are none."""
    return find_model(name) or find_autoencoder(name)


@cache
def models() -> dict[str, Model]:
    """Return every known model by short name and by hub id."""
    known = [_model("model", name) for name in _facts()["model"]]
    return {key: model for model in known for key in (model.name, *model.hub)}


@cache
def autoencoders() -> dict[str, Autoencoder]:
    """Return every known autoencoder by short name and by hub id."""
    table = _facts()["autoencoder"]
    known = [Autoencoder(name=name, **{**facts, "hub": tuple(facts["hub"])}) for name, facts in table.items()]
    return {key: autoencoder for autoencoder in known for key in (autoencoder.name, *autoencoder.hub)}


@cache
def tiny_model(name: str) -> Model:
    """Return a tiny model by the name that its full-size model gives; raise KeyError if there is none."""
    return _model("tiny_model", name)


@cache
def component(name: str) -> Component:
    """Return a component with its whole configuration; raise KeyError if there is none."""
    facts = _facts()["component"][name]
    inherited = component(facts["like"]).config if "like" in facts else {}
    config = {**inherited, **facts.get("config", {}), **dict.fromkeys(facts.get("none", ()))}
    return Component(name=name, cls=facts["class"], config=config, parameters=facts.get("parameters"))


def _model(table: str, name: str) -> Model:
    facts = _inherited(table, name)
    return Model(name=name, **{**facts, **{key: tuple(facts.get(key, ())) for key in ("hub", "absent")}})


def _inherited(table: str, name: str) -> dict[str, Any]:
    """Return the facts about a model over those of the one that it is `like`, components merged by role."""
    facts = dict(_facts()[table][name])
    if "like" not in facts:
        return facts
    below = _inherited(table, facts.pop("like"))
    return {**below, **facts, "components": {**below["components"], **facts.get("components", {})}}


@cache
def _facts() -> dict[str, Any]:
    return tomllib.loads(FACTS.read_text(encoding="utf-8"))
