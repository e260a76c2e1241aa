"""The published facts, and what is built from them."""

import importlib

import pytest

from bench.pipelines import architectures, weights

COMPONENTS = [architectures.component(name) for name in architectures._facts()["component"]]


@pytest.mark.parametrize(
    "component", [component for component in COMPONENTS if component.parameters], ids=lambda c: c.name
)
def test_a_component_has_the_published_number_of_parameters(component):
    library, name = component.cls.split(".")
    module = weights.uninitialized(getattr(importlib.import_module(library), name), component.config)
    assert sum(parameter.numel() for parameter in module.parameters()) == component.parameters


def test_a_component_with_another_number_of_parameters_is_refused():
    facts = architectures.component("unet.tiny")
    wrong = architectures.Component("wrong", facts.cls, facts.config, facts.parameters + 1)
    with pytest.raises(weights.WrongArchitectureError, match="instead of the published"):
        weights.build(wrong, None, "cpu")


def test_a_model_is_found_by_its_hub_id():
    assert architectures.find_model("CompVis/stable-diffusion-v1-4") is architectures.find_model(
        "stable-diffusion-v1-4"
    )


def test_an_unknown_model_has_no_facts():
    assert architectures.find_model("somebody/something") is None


@pytest.mark.parametrize("name", sorted(architectures.models()))
def test_every_model_has_a_tiny_model_of_the_same_classes(name):
    model = architectures.models()[name]
    tiny = architectures.tiny_model(model.tiny)
    classes = {part: architectures.component(of).cls for part, of in model.components.items()}
    assert {part: architectures.component(of).cls for part, of in tiny.components.items()} == classes
    assert tiny.pipeline == model.pipeline


def test_a_model_inherits_the_components_that_it_does_not_name():
    base, distilled = (architectures.models()[name] for name in ("stable-diffusion-v1-4", "bk-sdm-base"))
    assert distilled.components == {**base.components, "unet": "unet.bk-sdm-base"}


def test_the_list_of_none_arguments_stands_for_null():
    assert architectures.component("unet.bk-sdm-small").config["mid_block_type"] is None
