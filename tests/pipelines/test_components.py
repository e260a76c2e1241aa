"""Components that a case names: loaded, used and written into the code, or refused with the reason."""

from dataclasses import replace

import pytest
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from pipelines.test_snippet import CALL, assert_same, case_of

from bench.pipelines.build import build
from bench.pipelines.errors import NotInEffectError, UnsupportedError
from bench.pipelines.first_call import watched
from bench.plan.settings import RunSettings

pytestmark = pytest.mark.usefixtures("default_flags")

EDGES = {"synthetic": "edges", "height": 64, "width": 64}
CONTROL = {**CALL, "image": EDGES, "height": 64, "width": 64}
CPU = RunSettings("cpu", "full")


@pytest.fixture(scope="session")
def saved_parts(saved_pipeline, tmp_path_factory):
    """Folders of a ControlNet and of another UNet, both of the saved pipeline's shape."""
    folder = tmp_path_factory.mktemp("parts")
    torch.manual_seed(5)
    unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(saved_pipeline / "unet"))
    unet.save_pretrained(folder / "unet")
    controlnet = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(8, 16))
    for parameter in controlnet.parameters():  # those of the zero convolutions too
        torch.nn.init.normal_(parameter, std=0.1)
    controlnet.save_pretrained(folder / "controlnet")
    return folder


def control(saved_pipeline, saved_parts, **settings):
    return case_of(
        saved_pipeline, pipeline="StableDiffusionControlNetPipeline", call=CONTROL,
        components={"controlnet": str(saved_parts / "controlnet")}, **settings,
    )  # fmt: skip


def called(case):
    """Return a built pipeline and what its first call showed."""
    ready = build(case, "full", CPU)
    with watched(ready.pipeline) as seen:
        ready.seed()
        ready.call()
    return ready, seen


def test_a_controlnet_is_loaded_and_used(saved_pipeline, saved_parts):
    ready, seen = called(control(saved_pipeline, saved_parts))
    ready.verify(seen)
    assert seen.visits["controlnet"].calls == 2


def test_a_row_says_where_the_weights_of_a_component_come_from(saved_pipeline, saved_parts):
    ready = build(control(saved_pipeline, saved_parts), "full", CPU)
    assert ready.component_origins["controlnet"].name == str(saved_parts / "controlnet")


def test_the_code_of_a_controlnet_draws_what_the_harness_drew(saved_pipeline, saved_parts, tmp_path, monkeypatch):
    assert_same(control(saved_pipeline, saved_parts), tmp_path, monkeypatch)


def test_the_code_of_another_unet_draws_what_the_harness_drew(saved_pipeline, saved_parts, tmp_path, monkeypatch):
    assert_same(case_of(saved_pipeline, components={"unet": str(saved_parts / "unet")}), tmp_path, monkeypatch)


def test_another_unet_draws_another_picture(saved_pipeline, saved_parts):
    case = case_of(saved_pipeline, call={**CALL, "output_type": "np"})
    other = replace(case, components={"unet": str(saved_parts / "unet")})
    pictures = []
    for each in (case, other):
        ready = build(each, "full", CPU)
        ready.seed()
        pictures.append(ready.call().images)
    assert (pictures[0] != pictures[1]).any()


@pytest.mark.parametrize("role", ["transformer", "controlnet", "motion_adapter"])
def test_a_part_that_the_pipeline_does_not_have_is_skipped_before_it_is_loaded(saved_pipeline, role):
    case = case_of(saved_pipeline, components={role: "nobody/nothing"})
    with pytest.raises(UnsupportedError, match=f"{role}: StableDiffusionPipeline has no '{role}'"):
        build(case, "full", CPU)


def test_an_autoencoder_for_a_pipeline_without_one_is_skipped(tmp_path):
    import small

    small.ddpm().save_pretrained(tmp_path / "ddpm")
    case = case_of(tmp_path / "ddpm", vae="taesd", call={"num_inference_steps": 2})
    with pytest.raises(UnsupportedError, match="vae: DDPMPipeline has no"):
        build(case, "full", CPU)


def test_a_component_that_did_not_run_fails_the_case(saved_pipeline, saved_parts):
    ready, seen = called(control(saved_pipeline, saved_parts))
    del seen.visits["controlnet"]
    with pytest.raises(NotInEffectError, match="found no call of it"):
        ready.verify(seen)


def test_an_autoencoder_that_decodes_nothing_fails_the_case(saved_pipeline, saved_autoencoder):
    case = case_of(saved_pipeline, vae=str(saved_autoencoder), call={**CALL, "output_type": "latent"})
    ready, seen = called(case)
    with pytest.raises(NotInEffectError, match="no call of it"):
        ready.verify(seen)


def test_a_tiny_model_takes_no_other_components(saved_parts):
    case = case_of("stable-diffusion-v1-5", components={"unet": str(saved_parts / "unet")})
    with pytest.raises(UnsupportedError, match="--size full"):
        build(case, "tiny", CPU)


def test_a_component_on_the_hub_without_published_facts_is_skipped_where_the_hub_is_unreachable(saved_pipeline):
    case = case_of(saved_pipeline, components={"unet": "nobody/nothing"})
    with pytest.raises(UnsupportedError, match="no published facts about 'nobody/nothing'"):
        build(case, "full", CPU)
