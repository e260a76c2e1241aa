"""Which component of a pipeline does what, whatever the pipeline calls it."""

import ast
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
import small
import stages
import torch

from bench.pipelines import first_call, roles
from bench.pipelines.roles import Role

MODELS = Path(find_spec("diffusers").origin).parent / "models"
NO_DENOISER = {"T5FilmDecoder", "MotionAdapter", "TransformerTemporalModel", "MiniMaxMusic3RVQDepthDecoder"}
"""Parts of a denoiser, or decoders."""


def classes_in(folder):
    """Return the names of the model classes in a folder of diffusers' source."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in (MODELS / folder).glob("*.py"))
    found = [node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)]
    return {node.name for node in found if "ModelMixin" in map(ast.unparse, node.bases)}


@pytest.mark.parametrize("folder", ["transformers", "unets"])
def test_every_denoiser_of_diffusers_is_known_by_its_class(folder):
    unknown = {name for name in classes_in(folder) if roles.by_class_name("diffusers", name) is not Role.DENOISER}
    assert unknown <= NO_DENOISER


def test_every_controlnet_of_diffusers_is_known_by_its_class():
    found = {name: roles.by_class_name("diffusers", name) for name in classes_in("controlnets")}
    assert {name for name, role in found.items() if role is not Role.CONTROLNET} == {"UNetControlNetXSModel"}


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (
            stages.kandinsky,
            {
                "unet": Role.DENOISER,
                "movq": Role.AUTOENCODER,
                "scheduler": Role.SCHEDULER,
                "prior_prior": Role.DENOISER,
                "prior_image_encoder": Role.IMAGE_ENCODER,
                "prior_text_encoder": Role.TEXT_ENCODER,
                "prior_scheduler": Role.SCHEDULER,
            },
        ),
        (
            stages.wan,
            {
                "text_encoder": Role.TEXT_ENCODER,
                "transformer": Role.DENOISER,
                "transformer_2": Role.DENOISER,
                "vae": Role.AUTOENCODER,
                "scheduler": Role.SCHEDULER,
            },
        ),
        (small.ddpm, {"unet": Role.DENOISER, "scheduler": Role.SCHEDULER}),
    ],
)
def test_a_role_follows_from_the_class(make, expected):
    assert {path: roles.role(part) for path, part in roles.components(make()).items()} == expected


def test_the_name_of_a_component_does_not_matter():
    pipeline = SimpleNamespace(sculptor=small.ddpm().unet)
    assert list(roles.of(pipeline, Role.DENOISER)) == ["sculptor"]


def test_a_component_of_an_inner_pipeline_has_its_path():
    pipeline = SimpleNamespace(second=small.ddpm())
    assert list(roles.of(pipeline, Role.DENOISER)) == ["second.unet"]


def test_a_compiled_module_has_the_role_of_what_is_compiled():
    assert roles.role(torch.compile(small.ddpm().unet)) is Role.DENOISER


def test_a_component_that_an_inner_pipeline_holds_too_is_shared_with_it():
    pipeline = stages.kandinsky()
    assert roles.shared_with(pipeline, pipeline.unet) == "decoder_pipe"


class Helper(torch.nn.Module):
    """A module whose class nobody knows."""

    def forward(self, values):
        return values + 1


def seen_of(**calls):
    """Return what is seen of modules of unknown classes that are called so often."""
    pipeline = SimpleNamespace(**{name: Helper() for name in calls})
    with first_call.watched(pipeline) as seen:
        for name, count in calls.items():
            for _ in range(count):
                getattr(pipeline, name)(torch.zeros(1, dtype=torch.float64))
    return seen


def test_among_unknown_classes_the_denoiser_is_what_ran_most_often():
    assert seen_of(projection=1, painter=5).denoisers == ["painter"]


def test_the_calls_of_a_denoiser_of_an_unknown_class_are_counted():
    assert seen_of(projection=1, painter=5).denoiser_calls == 5


def test_what_else_ran_is_named_as_unknown():
    assert seen_of(projection=1, painter=5).unknown == ["projection"]


def test_the_type_of_an_unknown_denoisers_output_is_known():
    assert seen_of(painter=2).denoiser_dtype == "float64"


def test_without_any_module_that_ran_the_number_of_calls_is_unknown():
    assert seen_of().denoiser_calls is None


def first_call_of(name):
    pipeline = getattr(stages, name)()
    pipeline.set_progress_bar_config(disable=True)
    with first_call.watched(pipeline) as seen:
        pipeline(**stages.CALLS[name])
    return seen


def test_the_calls_of_both_transformers_are_summed():
    """One of the three steps is above the boundary; guidance calls the transformer twice a step."""
    seen = first_call_of("wan")
    assert {path: seen.visits[path].calls for path in seen.denoisers} == {"transformer": 2, "transformer_2": 4}
    assert seen.denoiser_calls == 6


def test_the_calls_of_a_prior_and_of_a_decoder_are_summed():
    seen = first_call_of("kandinsky")
    assert {path: seen.visits[path].calls for path in seen.denoisers} == {"prior_prior": 2, "unet": 2}


def test_an_autoencoder_of_another_name_is_seen_decoding():
    assert first_call_of("kandinsky").vae_decodes == 1


def test_the_steps_of_the_scheduler_are_counted():
    assert first_call_of("wan").scheduler_steps == 3
