"""Small pipelines of many classes with random weights, and how each is called.

`small` has the few that most tests need; here are those that differ in what they take, return or consist of. `ZOO` has
one entry per pipeline class, and `saved` writes the folder of one, once for all processes of a test session.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import small
import torch
from filelock import FileLock

from zoo import flux, images, stable_diffusion, videos

SIZE = {"height": 32, "width": 32}
PROMPT = {"prompt": "a cat", "num_inference_steps": 2}
SIZED = {**PROMPT, **SIZE}
PHOTO = {"synthetic": "photo-like", **SIZE}
MASK = {"synthetic": "mask", **SIZE}
EDGES = {"synthetic": "edges", **SIZE}
UNBINNED = {"use_resolution_binning": False}


@dataclass(frozen=True)
class Entry:
    """How one small pipeline is made, and how it is called.

    Attributes:
        build: makes the pipeline.
        call: the arguments of a call, as a scenario has them.
    """

    build: Callable[[], Any]
    call: Mapping[str, Any] = field(default_factory=lambda: SIZED)


ZOO: dict[str, Entry] = {
    "StableDiffusionPipeline": Entry(stable_diffusion.text_to_image),
    "StableDiffusionImg2ImgPipeline": Entry(
        stable_diffusion.image_to_image, {**PROMPT, "image": PHOTO, "strength": 1.0}
    ),
    "StableDiffusionInpaintPipeline": Entry(
        stable_diffusion.inpaint, {**SIZED, "image": PHOTO, "mask_image": MASK, "strength": 1.0}
    ),
    "StableDiffusionInstructPix2PixPipeline": Entry(stable_diffusion.pix2pix, {**PROMPT, "image": PHOTO}),
    "StableDiffusionUpscalePipeline": Entry(
        stable_diffusion.upscale, {**PROMPT, "image": {"synthetic": "photo-like", "height": 16, "width": 16}}
    ),
    "StableDiffusionControlNetPipeline": Entry(stable_diffusion.controlnet, {**SIZED, "image": EDGES}),
    "StableDiffusionControlNetImg2ImgPipeline": Entry(
        stable_diffusion.controlnet_image_to_image, {**SIZED, "image": PHOTO, "control_image": EDGES, "strength": 1.0}
    ),
    "StableDiffusionAdapterPipeline": Entry(stable_diffusion.adapter, {**SIZED, "image": EDGES}),
    "StableDiffusionPAGPipeline": Entry(stable_diffusion.perturbed_attention),
    "LatentConsistencyModelPipeline": Entry(stable_diffusion.latent_consistency),
    "StableDiffusionXLPipeline": Entry(stable_diffusion.xl),
    "StableDiffusionXLImg2ImgPipeline": Entry(
        stable_diffusion.xl_refiner, {**PROMPT, "num_inference_steps": 3, "image": PHOTO, "strength": 0.9}
    ),
    "StableDiffusionXLInpaintPipeline": Entry(
        stable_diffusion.xl_inpaint, {**SIZED, "image": PHOTO, "mask_image": MASK, "strength": 1.0}
    ),
    "StableDiffusionXLControlNetPipeline": Entry(stable_diffusion.xl_controlnet, {**SIZED, "image": EDGES}),
    "StableDiffusion3Pipeline": Entry(flux.sd3),
    "StableDiffusion3Img2ImgPipeline": Entry(
        flux.sd3_image_to_image, {**SIZED, "image": PHOTO, "strength": 1.0}
    ),
    "StableDiffusion3InpaintPipeline": Entry(
        flux.sd3_inpaint, {**SIZED, "image": PHOTO, "mask_image": MASK, "strength": 1.0}
    ),
    "FluxPipeline": Entry(flux.flux),
    "FluxImg2ImgPipeline": Entry(flux.flux_image_to_image, {**SIZED, "image": PHOTO, "strength": 1.0}),
    "FluxKontextPipeline": Entry(
        flux.flux_kontext, {**SIZED, "image": PHOTO, "_auto_resize": False, "max_area": 1024}
    ),
    "FluxFillPipeline": Entry(flux.flux_fill, {**SIZED, "image": PHOTO, "mask_image": MASK}),
    "FluxControlPipeline": Entry(flux.flux_control, {**SIZED, "control_image": EDGES}),
    "Flux2KleinPipeline": Entry(flux.flux2_klein, {**SIZED, "text_encoder_out_layers": [1, 2, 3]}),
    "ChromaPipeline": Entry(flux.chroma),
    "AuraFlowPipeline": Entry(flux.aura_flow),
    "PixArtAlphaPipeline": Entry(images.pixart_alpha, {**SIZED, **UNBINNED, "clean_caption": False}),
    "PixArtSigmaPipeline": Entry(images.pixart_sigma, {**SIZED, **UNBINNED, "clean_caption": False}),
    "SanaPipeline": Entry(images.sana, {**SIZED, **UNBINNED}),
    "HunyuanDiTPipeline": Entry(images.hunyuan_dit, {**SIZED, **UNBINNED}),
    "Lumina2Pipeline": Entry(images.lumina2),
    "QwenImagePipeline": Entry(images.qwen_image, {**SIZED, "negative_prompt": " ", "true_cfg_scale": 2.0}),
    "QwenImageImg2ImgPipeline": Entry(images.qwen_image_to_image, {**SIZED, "image": PHOTO, "strength": 1.0}),
    "ZImagePipeline": Entry(images.z_image),
    "CogView3PlusPipeline": Entry(images.cogview3),
    "KandinskyV22CombinedPipeline": Entry(images.kandinsky_combined, {**SIZED, "prior_num_inference_steps": 2}),
    "KandinskyV22Img2ImgCombinedPipeline": Entry(
        images.kandinsky_image_to_image, {**SIZED, "image": PHOTO, "strength": 1.0, "prior_num_inference_steps": 2}
    ),
    "KandinskyV22InpaintCombinedPipeline": Entry(
        images.kandinsky_inpaint, {**SIZED, "image": PHOTO, "mask_image": MASK, "prior_num_inference_steps": 2}
    ),
    "Kandinsky3Pipeline": Entry(images.kandinsky3),
    "DDPMPipeline": Entry(images.ddpm, {"num_inference_steps": 2}),
    "DDIMPipeline": Entry(images.ddim, {"num_inference_steps": 2}),
    "ConsistencyModelPipeline": Entry(images.consistency, {"num_inference_steps": 2}),
    "DiTPipeline": Entry(images.dit, {"class_labels": [1], "num_inference_steps": 2}),
    "AnimateDiffPipeline": Entry(videos.animate_diff, {**SIZED, "num_frames": 4}),
    "AnimateDiffVideoToVideoPipeline": Entry(
        videos.animate_diff_video_to_video, {**SIZED, "video": {**PHOTO, "frames": 4}, "strength": 1.0}
    ),
    "StableVideoDiffusionPipeline": Entry(
        videos.stable_video, {**SIZE, "num_inference_steps": 2, "image": PHOTO, "num_frames": 2}
    ),
    "WanPipeline": Entry(videos.wan, {**SIZED, "num_frames": 5}),
    "LTXPipeline": Entry(videos.ltx, {**SIZED, "num_frames": 5}),
    "LTXImageToVideoPipeline": Entry(videos.ltx_image_to_video, {**SIZED, "num_frames": 5, "image": PHOTO}),
    "CogVideoXPipeline": Entry(videos.cogvideox, {**SIZED, "num_frames": 8, "max_sequence_length": 16}),
    "LattePipeline": Entry(videos.latte, {**SIZED, "video_length": 4, "clean_caption": False}),
    "MochiPipeline": Entry(videos.mochi, {**SIZED, "num_frames": 7, "max_sequence_length": 16}),
    "HunyuanVideoPipeline": Entry(videos.hunyuan_video, {**SIZED, "num_frames": 5}),
}  # fmt: skip


def make(name: str) -> Any:
    """Return the small pipeline of a class, with the same weights in every process."""
    torch.manual_seed(0)
    return small.evaluating(ZOO[name].build())


def saved(name: str, root: Path) -> Path:
    """Return the folder below `root` that holds the small pipeline of a class; whoever asks first writes it."""
    folder = root / name
    with FileLock(f"{folder}.lock"):
        if not (folder / "model_index.json").exists():
            make(name).save_pretrained(folder)
    return folder
