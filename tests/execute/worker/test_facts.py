"""What a record says of the parts of a pipeline after its first call."""

import pytest
import zoo

from bench.execute.worker import facts
from bench.pipelines import effective, first_call
from bench.pipelines.build import build
from bench.pipelines.first_call import FirstCall
from bench.plan.case import Case
from bench.plan.settings import RunSettings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def called(zoo_folder):
    """Return the small pipeline of a class, ready, and what was seen of its first call."""

    def call(name):
        case = Case("zoo", name, str(zoo_folder(name)), call=zoo.ZOO[name].call)
        ready = build(case, "full", RunSettings("cpu", "full"))
        with first_call.watched(ready.pipeline) as seen:
            ready.first_call()
        return ready, seen

    return call


def test_a_component_whose_use_is_unknown_is_remarked(called):
    assert facts.first_call(*called("StableDiffusionAdapterPipeline"))["remarks"] == "no-part(adapter)"


def test_a_pipeline_without_a_known_denoiser_is_remarked(called):
    ready, _ = called("DDPMPipeline")
    assert facts.first_call(ready, FirstCall())["remarks"] == "no-denoiser(DDPMPipeline)"


def test_the_calls_of_an_unknown_denoiser_are_unknown(called):
    ready, _ = called("DDPMPipeline")
    assert facts.first_call(ready, FirstCall())["denoiser_calls"] is None


def test_the_parameters_of_all_denoisers_are_summed(called):
    ready, seen = called("KandinskyV22CombinedPipeline")
    both = effective.parameters(ready.pipeline.unet) + effective.parameters(ready.pipeline.prior_prior)
    assert facts.first_call(ready, seen)["denoiser_parameters"] == both


def test_the_autoencoder_is_read_back_under_whatever_name(called):
    ready, _ = called("KandinskyV22CombinedPipeline")
    assert effective.read(ready.pipeline)["vae_class"] == "VQModel"
