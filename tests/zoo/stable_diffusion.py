"""Pipelines with the UNet of Stable Diffusion: each takes the components of a small one and adds its own."""

import small
import torch
from diffusers import (
    ControlNetModel,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    LatentConsistencyModelPipeline,
    LCMScheduler,
    PNDMScheduler,
    StableDiffusionAdapterPipeline,
    StableDiffusionControlNetImg2ImgPipeline,
    StableDiffusionControlNetPipeline,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPAGPipeline,
    StableDiffusionUpscalePipeline,
    StableDiffusionXLControlNetPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    T2IAdapter,
    UNet2DConditionModel,
)

_WITHOUT_CHECKER = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
_BLOCKS = {"block_out_channels": (8, 16), "layers_per_block": 1, "norm_num_groups": 4}


def _sd(**replaced):
    return {**small.sd().components, **_WITHOUT_CHECKER, **replaced}


def _unet(in_channels, **config):
    """Return the small UNet with other inputs, as pipelines have that put a picture beside the latents."""
    return UNet2DConditionModel(**{**small.sd().unet.config, "in_channels": in_channels, **config})


def text_to_image():
    return small.sd()


def image_to_image():
    return StableDiffusionImg2ImgPipeline(**_sd(scheduler=PNDMScheduler(skip_prk_steps=True)))


def inpaint():
    """Return a pipeline whose UNet has nine channels: latents, mask and masked picture."""
    return StableDiffusionInpaintPipeline(**_sd(unet=_unet(9)))


def pix2pix():
    return StableDiffusionInstructPix2PixPipeline(**_sd(unet=_unet(8)))


def upscale():
    parts = _sd(unet=_unet(7, num_class_embeds=1000), low_res_scheduler=DDPMScheduler())
    del parts["image_encoder"], parts["requires_safety_checker"]
    return StableDiffusionUpscalePipeline(**parts, max_noise_level=350)


def controlnet():
    return StableDiffusionControlNetPipeline(**_sd(controlnet=_controlnet()))


def controlnet_image_to_image():
    return StableDiffusionControlNetImg2ImgPipeline(**_sd(controlnet=_controlnet()))


def _controlnet(**config):
    model = ControlNetModel(
        **{
            **_BLOCKS, "in_channels": 4, "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
            "cross_attention_dim": 16, "attention_head_dim": 2, "conditioning_embedding_out_channels": (8, 8), **config,
        }
    )  # fmt: skip
    for block in (*model.controlnet_down_blocks, model.controlnet_mid_block, model.controlnet_cond_embedding.conv_out):
        torch.nn.init.normal_(block.weight, std=0.1)  # training starts from zeros, which would have no effect
    return model


def adapter():
    adapter = T2IAdapter(
        in_channels=3, channels=[8, 16], num_res_blocks=1, downscale_factor=2, adapter_type="full_adapter"
    )
    unet = _unet(  # whose first stage attends, because the others expect smaller features than the adapter makes
        4, down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D")
    )
    parts = _sd(adapter=adapter, unet=unet)
    del parts["image_encoder"]
    return StableDiffusionAdapterPipeline(**parts)


def perturbed_attention():
    return StableDiffusionPAGPipeline(**_sd(scheduler=DPMSolverMultistepScheduler()), pag_applied_layers="mid")


def latent_consistency():
    return LatentConsistencyModelPipeline(**_sd(unet=_unet(4, time_cond_proj_dim=8), scheduler=LCMScheduler()))


def xl():
    return small.sdxl()


def _sdxl(**replaced):
    return {**small.sdxl().components, **replaced}


def xl_refiner():
    """Return the refiner: without the first text encoder, and with an aesthetic score in place of a target size."""
    base = small.sdxl().unet.config
    unet = UNet2DConditionModel(
        **{
            **base, "cross_attention_dim": small.WIDTH, "projection_class_embeddings_input_dim": small.WIDTH + 5 * 8,
        }
    )  # fmt: skip
    parts = _sdxl(unet=unet, text_encoder=None, tokenizer=None)
    return StableDiffusionXLImg2ImgPipeline(**parts, requires_aesthetics_score=True, add_watermarker=False)


def xl_inpaint():
    return StableDiffusionXLInpaintPipeline(**_sdxl())


def xl_controlnet():
    xl = {
        "cross_attention_dim": 2 * small.WIDTH, "use_linear_projection": True, "addition_embed_type": "text_time",
        "addition_time_embed_dim": 8, "projection_class_embeddings_input_dim": small.WIDTH + 6 * 8,
    }  # fmt: skip
    parts = _sdxl(controlnet=_controlnet(**xl), scheduler=EulerDiscreteScheduler())
    return StableDiffusionXLControlNetPipeline(**parts)
