"""Arguments that no case may set: they would execute code, hold what a file cannot, or belong to the harness.

A plan is checked against them, and so is every case again in the worker that loads its pipeline.
"""

_TENSOR = "remove it, because a scenario cannot contain tensors or images"
_CODE = "remove it, because a scenario cannot contain code"
_REMOTE = "remove it, because remote code is never run"
RESERVED_CALL = {
    "generator": "write 'seed:' and 'generator_device:'",
    "return_dict": "remove it, because the harness reads the images by name",
    **dict.fromkeys(("callback", "callback_steps"), _CODE),
    **dict.fromkeys(("callback_on_step_end", "callback_on_step_end_tensor_inputs"), _CODE),
    **dict.fromkeys(("latents", "ip_adapter_image_embeds"), _TENSOR),
    **dict.fromkeys(("prompt_embeds", "negative_prompt_embeds"), _TENSOR),
    **dict.fromkeys(("pooled_prompt_embeds", "negative_pooled_prompt_embeds"), _TENSOR),
}
RESERVED_LOAD = {
    **dict.fromkeys(("dtype", "torch_dtype"), "write 'dtype:' as a key of its own"),
    "use_safetensors": "remove it, because weights are only read from safetensors",
    **dict.fromkeys(("trust_remote_code", "custom_pipeline", "custom_revision"), _REMOTE),
    "token": "log in with `hf auth login`, because a scenario is copied into the results",
    "proxies": "set HTTPS_PROXY, because a scenario is copied into the results",
    **dict.fromkeys(
        ("use_onnx", "provider", "sess_options", "provider_options"),
        "remove it, because this harness measures torch pipelines",
    ),
    "use_flashpack": "remove it, because weights are only read from safetensors",
    **dict.fromkeys(
        ("cache_dir", "offload_folder", "local_files_only", "force_download"),
        "remove it, because the harness decides where files are and when they are fetched",
    ),
}
