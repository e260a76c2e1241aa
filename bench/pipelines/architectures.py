"""The published architectures as data: what a model is made of, by name. No torch; the facts are in the TOML beside."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FACTS = Path(__file__).with_name("architectures.toml")


@dataclass(frozen=True)
class Component:
    """One part of a pipeline: its class, configuration and exact number of parameters (None for what has none)."""

    name: str
    cls: str
    config: Mapping[str, Any]
    parameters: int | None = None


@dataclass(frozen=True)
class Model:
    """A pipeline of published components; sides in pixels, `steps` and sides are the pipeline's own defaults."""

    name: str
    pipeline: str
    height: int
    width: int
    steps: int
    components: Mapping[str, str]
    hub: tuple[str, ...] = ()
    twin: str | None = None
    absent: tuple[str, ...] = ()
    init: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Autoencoder:
    """An autoencoder that can take the place of a pipeline's own."""

    name: str
    component: str
    twin: str
    hub: tuple[str, ...] = ()


def find_model(name: str) -> Model | None:
    """Return the facts of a model by its short name or one of its hub ids; None where there are none."""
    return models().get(name)


def find_autoencoder(name: str) -> Autoencoder | None:
    """Return the facts of an autoencoder by its short name or one of its hub ids; None where there are none."""
    return autoencoders().get(name)


@cache
def models() -> dict[str, Model]:
    """Return every known model by short name and by hub id."""
    named = {name: _model(name, facts) for name, facts in _facts()["model"].items()}
    return {key: model for name, model in named.items() for key in (name, *model.hub)}


@cache
def autoencoders() -> dict[str, Autoencoder]:
    """Return every known autoencoder by short name and by hub id."""
    named = {
        name: Autoencoder(name=name, **{**facts, "hub": tuple(facts["hub"])})
        for name, facts in _facts()["autoencoder"].items()
    }
    return {key: vae for name, vae in named.items() for key in (name, *vae.hub)}


@cache
def twin(name: str) -> Model:
    """Return the tiny twin that a model names; raise KeyError for no such twin."""
    return _model(name, _facts()["twin"][name])


@cache
def component(name: str) -> Component:
    """Return a component with its whole configuration; raise KeyError for no such component."""
    facts = _facts()["component"][name]
    inherited = component(facts["like"]).config if "like" in facts else {}
    config = {**inherited, **facts.get("config", {}), **dict.fromkeys(facts.get("none", ()))}
    return Component(name=name, cls=facts["class"], config=config, parameters=facts.get("parameters"))


def components() -> list[str]:
    """Return the names of all components."""
    return list(_facts()["component"])


def twins() -> list[str]:
    """Return the names of all tiny twins."""
    return list(_facts()["twin"])


def _model(name: str, facts: Mapping[str, Any]) -> Model:
    lists = {key: tuple(facts.get(key, ())) for key in ("hub", "absent")}
    return Model(name=name, **{**facts, **lists})


@cache
def _facts() -> dict[str, Any]:
    return tomllib.loads(FACTS.read_text(encoding="utf-8"))
