import pytest

from bench.pipelines import architectures, weights


@pytest.mark.parametrize(
    "name", [name for name in architectures.components() if architectures.component(name).parameters]
)
def test_a_component_has_the_published_number_of_parameters(name):
    component = architectures.component(name)
    module = weights._skeleton(weights._class(component.cls), component.config)
    assert sum(parameter.numel() for parameter in module.parameters()) == component.parameters


def test_a_component_of_another_size_is_refused():
    facts = architectures.component("unet.tiny")
    wrong = architectures.Component("wrong", facts.cls, facts.config, facts.parameters + 1)
    with pytest.raises(weights.WrongArchitectureError, match="published are"):
        weights.build(wrong, None, "cpu")


def test_a_model_is_found_by_its_hub_id():
    assert architectures.find_model("CompVis/stable-diffusion-v1-4") is architectures.find_model(
        "stable-diffusion-v1-4"
    )


def test_an_unknown_model_has_no_facts():
    assert architectures.find_model("somebody/something") is None


@pytest.mark.parametrize("name", sorted(architectures.models()))
def test_every_model_has_a_twin_of_the_same_pipeline_and_component_classes(name):
    model = architectures.models()[name]
    twin = architectures.twin(model.twin)
    classes = {part: architectures.component(of).cls for part, of in model.components.items()}
    assert {part: architectures.component(of).cls for part, of in twin.components.items()} == classes
    assert twin.pipeline == model.pipeline


def test_a_list_of_none_arguments_stands_for_null():
    assert architectures.component("unet.bk-sdm-small").config["mid_block_type"] is None
