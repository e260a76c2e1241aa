"""Building pipelines of tiny models and of saved folders."""

import shutil
import weakref
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import stages
import torch
from diffusers import LMSDiscreteScheduler
from diffusers.utils import import_utils

from bench.pipelines import first_call, images, source, tiny
from bench.pipelines.architectures import find_model
from bench.pipelines.build import build, check
from bench.pipelines.effective import read
from bench.pipelines.errors import NotInEffectError, UnsupportedError
from bench.pipelines.first_call import FirstCall
from bench.plan.case import Case
from bench.plan.settings import RunSettings

pytestmark = pytest.mark.slow

CPU = RunSettings("cpu", "tiny")
FULL = RunSettings("cpu", "full")


def ready(run=CPU, **settings):
    settings = {"model": "stable-diffusion-v1-5", "call": {"prompt": "a cat", "num_inference_steps": 10}, **settings}
    case, size = tiny.resolve(Case("test", "case", **settings), run.size)
    return build(case, size, run)


@pytest.mark.parametrize(
    "model", ["stable-diffusion-v1-4", "stable-diffusion-xl-base-1.0", "bk-sdm-base", "bk-sdm-small", "bk-sdm-tiny"]
)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_tiny_model_makes_a_picture_in_every_dtype(model, dtype):
    built = ready(model=model, dtype=dtype)
    built.seed()
    picture = images.drawn(built.call(), built.pipeline, "pil", {}).pictures[0]
    side = 128 if "xl" in model else 64
    assert picture.size == (side, side)


def test_a_list_of_prompts_makes_one_picture_each():
    built = ready(
        call={"prompt": ["a cat", "a dog", "a bird"], "negative_prompt": ["x", "y", "z"], "num_inference_steps": 5}
    )
    built.seed()
    assert len(built.call().images) == 3


def test_the_scheduler_is_replaced():
    assert read(ready(scheduler="DDIMScheduler").pipeline)["scheduler"] == "DDIMScheduler"


def test_the_scheduler_is_configured():
    built = ready(scheduler="DPMSolverMultistepScheduler", scheduler_config={"use_karras_sigmas": True})
    assert built.pipeline.scheduler.config.use_karras_sigmas is True


def test_a_scheduler_option_that_is_silently_ignored_is_detected():
    built = ready(scheduler="DDIMScheduler", scheduler_config={"use_karras_sigmaz": True})
    with pytest.raises(NotInEffectError, match="use_karras_sigmaz"):
        built.verify(FirstCall())


def test_a_dtype_that_is_silently_ignored_is_detected():
    built = ready(dtype="bfloat16")
    built.pipeline.unet.float()  # what from_pretrained does with a dtype given as a string
    with pytest.raises(NotInEffectError, match="expected dtype bfloat16, found unet in float32"):
        built.verify(FirstCall())


def test_another_scheduler_than_requested_is_detected():
    built = ready(scheduler="DDIMScheduler")
    built.pipeline.scheduler = ready().pipeline.scheduler
    with pytest.raises(NotInEffectError, match="expected scheduler DDIMScheduler, found PNDMScheduler"):
        built.verify(FirstCall())


def test_the_autoencoder_is_replaced_by_a_tiny_one():
    built = ready(vae="sayakpaul/taesd-diffusers")
    assert read(built.pipeline)["vae_class"] == "AutoencoderTiny"
    assert built.vae_origin.name == "vae.tiny-tae"


def test_an_autoencoder_that_decoded_nothing_is_detected():
    built = ready(vae="sayakpaul/taesd-diffusers")
    with pytest.raises(NotInEffectError, match="expected vae sayakpaul/taesd-diffusers, found no call of it"):
        built.verify(FirstCall())


def test_an_autoencoder_that_decoded_is_in_effect():
    built = ready(vae="sayakpaul/taesd-diffusers")
    with first_call.watched(built.pipeline) as seen:
        built.call()
    built.verify(seen)


def test_a_scheduler_that_made_no_step_is_detected():
    with pytest.raises(NotInEffectError, match="expected scheduler DDIMScheduler, found no step of it"):
        ready(scheduler="DDIMScheduler").verify(FirstCall())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder of a small pipeline by the function that makes it."""

    @cache
    def saved(make):
        path = tmp_path_factory.mktemp(make.__name__)
        make().save_pretrained(path)
        return str(path)

    return saved


def test_a_pipeline_whose_autoencoder_has_another_name_is_skipped_before_one_is_built(folder):
    """Kandinsky calls its autoencoder `movq` and uses no other."""
    case = Case("test", "case", folder(stages.kandinsky), vae="taesd", call={"num_inference_steps": 1})
    with pytest.raises(UnsupportedError, match="vae: KandinskyV22CombinedPipeline has no 'vae'"):
        build(case, "full", FULL)


def test_a_scheduler_that_an_inner_pipeline_would_not_use_is_skipped(folder):
    case = Case("test", "case", folder(stages.kandinsky), scheduler="DDPMScheduler", call=stages.CALLS["kandinsky"])
    with pytest.raises(UnsupportedError, match="uses that of a pipeline of its own"):
        build(case, "full", FULL)


def test_a_safety_checker_that_is_missing_is_detected(saved_pipeline):
    built = ready(model=str(saved_pipeline), safety_checker=True)
    with pytest.raises(NotInEffectError, match="expected safety_checker True, found False"):
        built.verify(FirstCall())


@pytest.mark.parametrize(
    ("scheduler", "calls"), [("PNDMScheduler", 11), ("DDIMScheduler", 10), ("HeunDiscreteScheduler", 19)]
)
def test_the_calls_of_the_denoiser_are_counted(scheduler, calls):
    built = ready(scheduler=scheduler, call={"prompt": "a cat", "num_inference_steps": 50})
    with first_call.watched(built.pipeline) as seen:
        built.call()
    assert seen.denoiser_calls == calls


def test_watching_leaves_no_hook_behind():
    built = ready()
    with first_call.watched(built.pipeline):
        pass
    assert not built.pipeline.unet._forward_hooks
    assert not built.pipeline.vae.decoder._forward_hooks


def test_a_saved_pipeline_runs_as_it_is(saved_pipeline):
    built = ready(model=str(saved_pipeline), call={"prompt": "a cat", "num_inference_steps": 2})
    built.seed()
    assert built.size == "full"
    assert built.origin.weights == "folder"
    assert built.call().images[0].size == (32, 32)


def test_weights_dir_may_be_a_saved_pipeline(saved_pipeline):
    built = ready(RunSettings("cpu", "full", weights=str(saved_pipeline)), model="stable-diffusion-v1-5")
    assert built.origin.name == str(saved_pipeline)


def test_weights_dir_may_contain_a_pipeline_under_the_name_of_the_model(saved_pipeline, tmp_path):
    (tmp_path / "stable-diffusion-v1-5").symlink_to(saved_pipeline)
    built = ready(RunSettings("cpu", "full", weights=str(tmp_path)), model="stable-diffusion-v1-5")
    assert Path(built.origin.name).name == "stable-diffusion-v1-5"


def test_weights_dir_without_the_model_is_refused_with_where_it_looked(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"does not contain 'bk-sdm-small'.*model_index\.json"):
        ready(RunSettings("cpu", "full", weights=str(tmp_path)), model="bk-sdm-small")


def test_weights_that_are_not_safetensors_are_refused(saved_pipeline, tmp_path):
    copy = shutil.copytree(saved_pipeline, tmp_path / "pickled")
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_name("diffusion_pytorch_model.bin"))
    with pytest.raises(OSError, match="safetensors"):
        ready(model=str(copy))


def test_a_model_without_published_facts_cannot_have_random_weights():
    with pytest.raises(UnsupportedError, match="no published facts"):
        ready(RunSettings("cpu", "full", weights="random"), model="somebody/something")


def test_random_weights_with_load_arguments_go_through_from_pretrained():
    built = ready(load={"variant": "fp16"}, dtype="bfloat16")
    assert read(built.pipeline)["dtypes"] == "bfloat16"
    assert built.pipeline.name_or_path, "only from_pretrained sets it"


def test_random_weights_that_do_not_fit_into_the_temporary_folder_are_a_reason_to_skip(monkeypatch):
    monkeypatch.setattr(source.scratch, "is_in_memory", lambda _folder: False)
    monkeypatch.setattr(source.scratch, "room_bytes", lambda _folder: 0)
    with pytest.raises(UnsupportedError, match=r"where \d+ MiB are missing; set TMPDIR to a folder with more room"):
        ready(load={"variant": "fp16"})


def test_a_temporary_folder_in_memory_must_leave_room_to_load_the_weights(monkeypatch):
    case = Case("test", "case", model="stable-diffusion-v1-5")
    twice = 2 * source._weights_bytes(case, find_model(case.model))
    monkeypatch.setattr(source.scratch, "is_in_memory", lambda _folder: True)
    monkeypatch.setattr(source.scratch, "room_bytes", lambda _folder: twice - 1)
    with pytest.raises(UnsupportedError, match="is in memory and must leave room"):
        source._require_room(Path("/tmp/folder"), twice // 2)  # noqa: S108 - nothing is written


def test_random_weights_are_not_in_memory_twice_while_they_are_loaded(monkeypatch):
    made, alive = [], []
    build_component, load_pipeline = source.weights.build, source._load_pipeline

    def remembered(*arguments):
        component = build_component(*arguments)
        made.append(weakref.ref(component))
        return component

    def load(*arguments, **where):
        alive.extend(type(each()).__name__ for each in made if isinstance(each(), torch.nn.Module))
        return load_pipeline(*arguments, **where)

    monkeypatch.setattr(source.weights, "build", remembered)
    monkeypatch.setattr(source, "_load_pipeline", load)
    ready(load={"variant": "fp16"})
    assert len(made) > 3
    assert alive == []


def test_a_device_map_for_a_device_that_is_not_here_is_a_reason_to_skip():
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    with pytest.raises(UnsupportedError, match="cuda not supported"):
        ready(load={"device_map": "cuda"})


def test_generators_can_be_kept_on_the_cpu():
    assert ready(generator_device="cpu").generators[0].device.type == "cpu"


def known(run=CPU, **settings):
    """Check a case as `build` does before it builds anything."""
    settings = {"model": "stable-diffusion-v1-5", **settings}
    case, size = tiny.resolve(Case("test", "case", **settings), run.size)
    check(case, size, run)


@pytest.mark.parametrize(
    ("run", "settings", "reason"),
    [
        (CPU, {"optimizations": ("tf32",)}, "TF32 needs cuda"),
        (CPU, {"optimizations": ("group_offload", "model_cpu_offload")}, "offloading to the CPU needs an accelerator"),
        (CPU, {"safety_checker": True}, "the safety checker needs trained weights"),
        (replace(FULL, weights="random"), {"model": "somebody/something"}, "no published facts about 'somebody/"),
        (FULL, {"model": "somebody/something"}, "no published facts about 'somebody/"),
        (replace(FULL, weights="random"), {"vae": "somebody/vae"}, "no published facts about 'somebody/vae'"),
    ],
)
def test_a_case_that_will_be_skipped_is_known_before_anything_is_built(run, settings, reason):
    with pytest.raises(UnsupportedError, match=reason):
        known(run, **settings)


def test_a_scheduler_whose_package_is_missing_is_known_before_anything_is_built(monkeypatch):
    backends = {**import_utils.BACKENDS_MAPPING, "scipy": (lambda: False, "{0} needs scipy")}
    monkeypatch.setattr(import_utils, "BACKENDS_MAPPING", backends)
    monkeypatch.setattr(LMSDiscreteScheduler, "_backends", ["scipy"], raising=False)
    with pytest.raises(UnsupportedError, match="LMSDiscreteScheduler needs scipy"):
        known(scheduler="LMSDiscreteScheduler")


@pytest.mark.parametrize(
    ("run", "settings"),
    [
        (CPU, {"optimizations": ("channels_last",)}),
        (FULL, {"safety_checker": True, "model": "stable-diffusion-v1-5"}),
        (replace(FULL, weights="hub"), {"model": "somebody/something"}),
        (replace(FULL, hub_reachable=True), {"model": "somebody/something"}),
    ],
)
def test_a_case_that_may_be_measured_passes(run, settings):
    known(replace(run, hub_reachable=True), **settings)


def test_a_folder_without_the_model_is_known_before_anything_is_built(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not contain 'stable-diffusion-v1-5'"):
        known(replace(FULL, weights=str(tmp_path)))
