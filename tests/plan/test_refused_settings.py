"""Settings that cannot be measured as written are refused before any model is built."""

import pytest
from plan.refusals import assert_refused, refusal

HEAD = "title: t\nmodel: stable-diffusion-v1-5\ncases: {a: {}}\n"
CASES = "title: t\nmodel: stable-diffusion-v1-5\ncases:\n"

# what follows HEAD, from line 4 on; the line at fault; words of the message
AT_THE_TOP = [
    ("torch_type: float16", 4, ["'torch_type'", "dtype"]),
    ("schedular: DDIMScheduler", 4, ["'schedular'", "did you mean 'scheduler'?"]),
    ("# a comment\n\n  # another\nqqq: 1", 7, ["'qqq'"]),
    ('"prompt[0]": x', 4, ["'prompt[0]'"]),
    ("claim: {latency_s: 3}", 4, ["'claim'"]),
    ("note: x", 4, ["'note'"]),
    ("source: {docment: x}", 4, ["'docment'", "did you mean 'document'?"]),
    ("source:\n  document: x\n  dvice: A100", 6, ["'dvice'", "did you mean 'device'?"]),
    ("source: {url: x}", 4, ["'document'", "missing"]),
    ("source: diffusers docs", 4, ["'source'", "diffusers docs"]),
    ("call: 3", 4, ["'call'", "3"]),
    ("call: [1]", 4, ["'call'", "[1]"]),
    ("load: text", 4, ["'load'", "text"]),
    ("dtype: fp16", 4, ["'dtype'", "fp16", "float16"]),
    ("dtype: torch.float16", 4, ["'dtype'", "torch.float16", "float16"]),
    ("dtype: [float16]", 4, ["'dtype'"]),
    ("safety_checker: 1", 4, ["'safety_checker'", "1"]),
    ("safety_checker: yes", 4, ["'safety_checker'", "yes"]),
    ("samples: true", 4, ["'samples'", "True"]),
    ("samples: 0", 4, ["'samples'", "0"]),
    ("samples: 1.5", 4, ["'samples'", "1.5"]),
    ("timeout_s: true", 4, ["'timeout_s'", "True"]),
    ("timeout_s: 0", 4, ["'timeout_s'", "0"]),
    ("timeout_s: .inf", 4, ["'timeout_s'", "inf"]),
    ("generator_device: cuda", 4, ["'generator_device'", "cuda", "cpu"]),
    ("seed: -1", 4, ["'seed'", "-1"]),
    ("seed: true", 4, ["'seed'", "True"]),
    ("seed: 1.5", 4, ["'seed'", "1.5"]),
    ("seed: x", 4, ["'seed'", "x"]),
    ("seed: []", 4, ["'seed'", "[]"]),
    ("seed: [-1]", 4, ["'seed'", "-1"]),
    ("seed: [[0]]", 4, ["'seed'"]),
    ("seed: {a: 1}", 4, ["'seed'"]),
    ("seed: 9223372036854775808", 4, ["'seed'", "9223372036854775808"]),
    ("seed: [0, 1]", 4, ["2 seeds", "1 image"]),
    ("call: {prompt: [a, b]}\nseed: [0, 1, 2]", 5, ["3 seeds", "2 images"]),
    ("optimizations: tf32", 4, ["'optimizations'", "tf32"]),
    ("optimizations: {tf32: true}", 4, ["'optimizations'"]),
    ("optimizations: [~]", 4, ["None"]),
    ("optimizations: [tf23]", 4, ["'tf23'", "did you mean 'tf32'?"]),
    ("optimizations: [tf32, ieee_fp32]", 4, ["'tf32'", "'ieee_fp32'", "conflict"]),
    ("scheduler: DDIMSchedular", 4, ["'DDIMSchedular'", "did you mean 'DDIMScheduler'?"]),
    ("scheduler: PNDM", 4, ["'PNDM'", "did you mean 'PNDMScheduler'?"]),
    ("scheduler: [DDIMScheduler]", 4, ["'scheduler'"]),
    ("scheduler: compatible", 4, ["'compatible'", "matrix"]),
    ("scheduler_config: {beta_start: .nan}", 4, ["'beta_start'", "nan"]),
    ("vae: tased", 4, ["'tased'", "did you mean 'taesd'?"]),
    ("vae: ''", 4, ["vae"]),
    ("baseline: b", 4, ["'b'", "not a case"]),
    ("baseline: ''", 4, ["baseline"]),
    ("baseline: 3", 4, ["'baseline'", "3"]),
    ("1: x", 4, ["1", "quotes"]),
    ("true: x", 4, ["True", "quotes"]),
    ("? [a, b]\n: x", 4, ["quotes"]),
]

CALL = [
    ("num_inference_step: 3", ["'num_inference_step'", "did you mean 'num_inference_steps'?"]),
    ("prompt_2: x", ["'prompt_2'", "StableDiffusionPipeline"]),
    ("num_inference_steps: -5", ["'num_inference_steps'", "-5"]),
    ("num_inference_steps: 0", ["'num_inference_steps'", "0"]),
    ("num_inference_steps: true", ["'num_inference_steps'", "True"]),
    ("num_inference_steps: 5.0", ["'num_inference_steps'", "5.0"]),
    ("num_inference_steps: '5'", ["'num_inference_steps'", "'5'"]),
    ("num_inference_steps: ", ["'num_inference_steps'", "None"]),
    ("num_images_per_prompt: 0", ["'num_images_per_prompt'", "0"]),
    ("height: 510", ["'height'", "510", "multiple of 8"]),
    ("height: 0", ["'height'", "0"]),
    ("height: '512'", ["'height'", "'512'"]),
    ("height: 512.0", ["'height'", "512.0"]),
    ("width: -8", ["'width'", "-8"]),
    ("guidance_scale: high", ["'guidance_scale'", "high"]),
    ("guidance_scale: true", ["'guidance_scale'", "True"]),
    ("guidance_scale: .nan", ["'guidance_scale'", "nan"]),
    ("guidance_scale: .inf", ["'guidance_scale'", "inf"]),
    ("eta: .nan", ["'eta'", "nan"]),
    ("prompt: 3", ["'prompt'", "3"]),
    ("prompt: []", ["'prompt'", "[]"]),
    ("prompt: [a, 3]", ["'prompt'", "3"]),
    ("prompt: ", ["'prompt'", "None"]),
    ("negative_prompt: false", ["'negative_prompt'", "False"]),
    ("output_type: jpg", ["'output_type'", "jpg", "pil"]),
    ("output_type: [pil]", ["'output_type'", "pil"]),
    ("generator: 1", ["'generator'", "seed"]),
    ("return_dict: false", ["'return_dict'"]),
    ("callback_on_step_end: f", ["'callback_on_step_end'"]),
    ("callback: 1", ["'callback'"]),
    ("1: 2", ["1", "quotes"]),
    ("true: 2", ["True", "quotes"]),
]

LOAD = [
    ("varient: fp16", ["'varient'", "did you mean 'variant'?"]),
    ("torch_dtype: float16", ["'torch_dtype'", "dtype:"]),
    ("dtype: float16", ["'dtype'", "dtype:"]),
    ("token: hf_secret", ["'token'", "hf auth login"]),
    ("trust_remote_code: true", ["'trust_remote_code'", "remote code"]),
    ("custom_pipeline: someone/code", ["'custom_pipeline'", "remote code"]),
    ("use_safetensors: false", ["'use_safetensors'", "safetensors"]),
]

MODELS = [
    ("stable-diffusion-v15", ["'stable-diffusion-v15'", "did you mean 'stable-diffusion-v1-5'?"]),
    ("./nowhere", ["'./nowhere'"]),
    ("/nowhere/at/all", ["'/nowhere/at/all'"]),
    ("a/b/c", ["'a/b/c'"]),
    ("a/", ["'a/'"]),
    ("'a b/c d'", ["'a b/c d'"]),
    ("''", ["model"]),
    ("3", ["'model'", "3"]),
    ("a\\b", ["'a", "write it with '/'"]),
    ("~nobody-of-that-name/x", ["~nobody-of-that-name/x"]),
    ("x" * 5000, ["xxx"]),
]

REFUSED = [
    *((HEAD + text + "\n", line, words) for text, line, words in AT_THE_TOP),
    *((f"{CASES}  a:\n    call:\n      {text}\n", 6, words) for text, words in CALL),
    *((f"{CASES}  a:\n    load:\n      {text}\n", 6, words) for text, words in LOAD),
    *((f"{CASES}  a:\n    model: {text}\n", 5, words) for text, words in MODELS),
    ("model: a/b\ncases: {a: {}}\n", 1, ["'title'", "missing"]),
    ("titel: t\nmodel: a/b\ncases: {a: {}}\n", 1, ["'titel'", "did you mean 'title'?"]),
    ("title:\nmodel: a/b\ncases: {a: {}}\n", 1, ["'title'"]),
    ("title: 3\nmodel: a/b\ncases: {a: {}}\n", 1, ["'title'", "3"]),
    ("title: t\ncases:\n  a: {}\n", 3, ["'a'", "no model", "model:"]),
]
NAMES = [text.splitlines()[-1].strip()[:40] for text, _, _ in REFUSED]
HUGE = "0x" + "8" * 8000  # an integer that Python refuses to print


@pytest.mark.parametrize(("text", "line", "words"), REFUSED, ids=NAMES)
def test_a_wrong_setting_is_refused(write, text, line, words):
    path = write(text)
    assert_refused(path, f"{path}:{line}", *words)


@pytest.mark.parametrize("setting", [f"seed: {HUGE}", f"call: {{height: {HUGE}}}", f"samples: {HUGE}"])
def test_a_number_too_long_to_print_is_refused(write, setting):
    path = write(f"{HEAD}{setting}\n")
    assert_refused(path, f"{path}:4")


@pytest.mark.parametrize("setting", ['"a\\nb": 1', 'scheduler: "a\\nb"', 'vae: "a\\nb"', 'baseline: "a\\e[31m"'])
def test_a_control_character_never_reaches_the_terminal(write, setting):
    assert refusal(write(f"{HEAD}{setting}\n")).isprintable()


def test_a_very_long_value_is_shortened(write):
    assert len(refusal(write(f"{HEAD}call: {{prompt: [{'x' * 10_000}, 3]}}\n"))) < 1000
