"""The arguments of a call and the configuration of a scheduler: what diffusers would refuse or ignore is refused."""

import json

import pytest
from plan.refusals import assert_refused

from bench.pipelines.diffusers_api import vocabulary
from bench.plan.load import load

HEAD = "title: t\nmodel: someone/new\npipeline: {pipeline}\nscheduler: {scheduler}\ncases: {{a: {{}}}}\n"
SD, FLUX, WAN = "StableDiffusionPipeline", "FluxPipeline", "WanPipeline"


@pytest.fixture
def scenario(write):
    """Return a function that writes a scenario, the call of which is on line 6."""

    def path(call, pipeline=SD, scheduler="DDIMScheduler", config="{}"):
        head = HEAD.format(pipeline=pipeline, scheduler=scheduler)
        return write(f"{head}call: {call}\nscheduler_config: {config}\n")

    return path


@pytest.mark.parametrize(
    ("pipeline", "call", "words"),
    [
        (SD, "{}", ["StableDiffusionPipeline needs 'prompt'", "add it"]),
        (SD, "{height: 64}", ["needs 'prompt'"]),
        ("StableDiffusionImg2ImgPipeline", "{prompt: a}", ["StableDiffusionImg2ImgPipeline needs 'image'", "a path"]),
        ("StableDiffusionInpaintPipeline", "{prompt: a, image: {synthetic: noise, height: 8, width: 8}}",
         ["needs 'mask_image'"]),
        ("StableVideoDiffusionPipeline", "{}", ["needs 'image'"]),
        ("WanImageToVideoPipeline", "{prompt: a}", ["needs 'image'"]),
        ("I2VGenXLPipeline", "{prompt: a}", ["needs 'image'"]),
        ("CosmosVideoToWorldPipeline", "{prompt: a}", ["needs 'image' or 'video'"]),
        ("StableDiffusionAttendAndExcitePipeline", "{prompt: a}", ["needs 'token_indices'"]),
        ("DiTPipeline", "{}", ["needs 'class_labels'"]),
        ("KandinskyV22Pipeline", "{}", ["needs 'image_embeds'", "cannot contain", "choose another pipeline"]),
    ],
)  # fmt: skip
def test_what_every_call_needs_is_asked_for(scenario, pipeline, call, words):
    path = scenario(call, pipeline)
    assert_refused(path, f"{path}:6", *words)


@pytest.mark.parametrize(
    ("pipeline", "call", "words"),
    [
        (SD, "{prompt: a, timesteps: [1, a]}", ["'timesteps'", "a list of values, each a whole number"]),
        (SD, "{prompt: a, timesteps: 3}", ["'timesteps'", "a list"]),
        (SD, "{prompt: a, timesteps: []}", ["'timesteps'", "at least one"]),
        (SD, "{prompt: a, eta: much}", ["'eta'", "a number"]),
        (SD, "{prompt: a, clip_skip: 1.5}", ["'clip_skip'", "a whole number"]),
        (SD, "{prompt: a, cross_attention_kwargs: 3}", ["'cross_attention_kwargs'", "a mapping"]),
        (SD, "{prompt: a, cross_attention_kwargs: {scael: 0.5}}", ["'scael'", "did you mean 'scale'?"]),
        (SD, "{prompt: [a, b], negative_prompt: [c]}", ["'negative_prompt'", "a list of 1 for 2 prompts"]),
        (SD, "{prompt: a, negative_prompt: [c, d]}", ["'negative_prompt'", "a list of 2 for 1 prompt"]),
        (SD, "{prompt: [a, b], negative_prompt: c}", ["'negative_prompt'", "a list"]),
        ("StableDiffusionXLPipeline", "{prompt: [a, b], prompt_2: [c]}", ["'prompt_2'", "for 2 prompts"]),
        ("StableDiffusionXLPipeline", "{prompt: a, original_size: [512]}", ["'original_size'", "2 values"]),
        ("SanaPipeline", "{prompt: a, clean_caption: 1}", ["'clean_caption'", "true or false"]),
        (FLUX, "{prompt: a, joint_attention_kwargs: {sclae: 1}}", ["'sclae'", "did you mean 'scale'?"]),
        (FLUX, "{prompt: a, max_sequence_length: 1024}", ["FluxPipeline would refuse", "512"]),
        (WAN, "{prompt: a, height: 500, width: 512}", ["WanPipeline would refuse", "divisible by 16"]),
        ("StableDiffusionImg2ImgPipeline",
         "{prompt: a, image: {synthetic: noise, height: 8, width: 8}, strength: 1.5}", ["would refuse", "1.5"]),
        ("CogVideoXPipeline", "{prompt: a, num_videos_per_prompt: 2}", ["'num_videos_per_prompt'", "always 1"]),
        ("KandinskyV22Pipeline", "{image_embeds: 3}", ["'image_embeds'", "not a plain value"]),
    ],
)  # fmt: skip
def test_what_a_pipeline_refuses_or_ignores_is_refused(scenario, pipeline, call, words):
    path = scenario(call, pipeline)
    assert_refused(path, f"{path}:6", *words)


@pytest.mark.parametrize(
    ("pipeline", "call"),
    [
        (SD, "{prompt: a, cross_attention_kwargs: {scale: 0.5}}"),
        (SD, "{prompt: a, timesteps: [900, 400]}"),
        (SD, "{prompt: [a, b], negative_prompt: c, guidance_scale: 1}"),
        ("StableDiffusionXLPipeline", "{prompt: [a, b], negative_prompt: c, original_size: [512, 512]}"),
        ("StableDiffusionImg2ImgPipeline", "{prompt: a, strength: 1, image: {synthetic: noise, height: 8, width: 8}}"),
        ("StableDiffusionUpscalePipeline", "{prompt: a, image: {synthetic: noise, height: 8, width: 8}}"),
        ("LTXConditionPipeline", "{prompt: a}"),
        ("DDPMPipeline", "{}"),
        (FLUX, "{prompt: a, height: 120, width: 136, max_sequence_length: 512}"),
        (WAN, "{prompt: a, height: 480, width: 832, num_frames: 9}"),
    ],
)
def test_what_a_pipeline_takes_is_accepted(scenario, pipeline, call):
    scheduler = "DDPMScheduler" if pipeline == SD else "DDIMScheduler"
    assert load([scenario(call, pipeline, scheduler)], vocabulary(), list).cases


@pytest.mark.parametrize(
    ("scheduler", "call", "words"),
    [
        ("DDIMScheduler", "{prompt: a, timesteps: [900, 400]}", ["DDIMScheduler takes no 'timesteps'"]),
        ("DDPMScheduler", "{prompt: a, sigmas: [1.0, 0.5]}", ["DDPMScheduler takes no 'sigmas'"]),
        ("EulerDiscreteScheduler", "{prompt: a, sigmas: [1.0], timesteps: [9]}", ["not both", "remove one"]),
    ],
)
def test_listed_steps_are_refused_where_the_scheduler_takes_none(scenario, scheduler, call, words):
    path = scenario(call, SD, scheduler)
    assert_refused(path, f"{path}:6", *words)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("{use_karras_sigmaz: true}", ["DPMSolverMultistepScheduler", "did you mean 'use_karras_sigmas'?"]),
        ("{use_karras_sigmas: 1}", ["'use_karras_sigmas'", "true or false"]),
        ("{beta_start: low}", ["'beta_start'", "a number"]),
        ("{trained_betas: [a]}", ["'trained_betas'", "a list"]),
    ],
)
def test_a_wrong_setting_of_a_scheduler_is_refused(scenario, config, words):
    path = scenario("{prompt: a}", SD, "DPMSolverMultistepScheduler", config)
    assert_refused(path, f"{path}:7", *words)


def test_the_settings_of_the_models_own_scheduler_are_checked(write):
    path = write(
        "title: t\nmodel: stable-diffusion-v1-5\ncall: {prompt: a}\ncases:\n  a: {scheduler_config: {skip: 1}}\n"
    )
    assert_refused(path, f"{path}:5", "PNDMScheduler has no setting 'skip'")


def test_the_settings_of_the_scheduler_of_a_folder_are_checked(write, tmp_path):
    index = {"_class_name": SD, "scheduler": ["diffusers", "EulerDiscreteScheduler"]}
    (tmp_path / "sd").mkdir()
    (tmp_path / "sd" / "model_index.json").write_text(json.dumps(index), encoding="utf-8")
    path = write("title: t\nmodel: ./sd\ncall: {prompt: a}\nscheduler_config: {skip: 1}\ncases: {a: {}}\n")
    assert_refused(path, f"{path}:4", "EulerDiscreteScheduler has no setting 'skip'")


@pytest.mark.parametrize(
    ("pipeline", "words"),
    [
        ("StableAudioPipeline", ["makes audio"]),
        ("MusicLDMPipeline", ["makes audio"]),
        ("KandinskyV22PriorPipeline", ["neither images nor frames"]),
        ("WuerstchenPriorPipeline", ["neither images nor frames"]),
        ("FluxPriorReduxPipeline", ["neither images nor frames"]),
        ("MarigoldDepthPipeline", ["neither images nor frames"]),
    ],
)
def test_a_pipeline_that_draws_nothing_is_refused(scenario, pipeline, words):
    path = scenario("{prompt: a}", pipeline)
    assert_refused(path, f"{path}:3", pipeline, *words)
