"""Pipelines with the transformers of FLUX, Stable Diffusion 3 and their relatives."""

import small
from diffusers import (
    AuraFlowPipeline,
    AuraFlowTransformer2DModel,
    AutoencoderKLFlux2,
    ChromaPipeline,
    ChromaTransformer2DModel,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
    FluxControlPipeline,
    FluxFillPipeline,
    FluxImg2ImgPipeline,
    FluxKontextPipeline,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Img2ImgPipeline,
    StableDiffusion3InpaintPipeline,
)
from transformers import Qwen3ForCausalLM

from zoo import texts


def _flux(in_channels=16):
    """Return the components of a small FLUX whose transformer reads other latents beside its own."""
    parts = dict(small.flux().components)
    del parts["image_encoder"], parts["feature_extractor"]
    config = {**parts["transformer"].config, "in_channels": in_channels, "out_channels": 16}
    return {**parts, "transformer": FluxTransformer2DModel(**config)}


def flux():
    return small.flux()


def flux_image_to_image():
    return FluxImg2ImgPipeline(**_flux())


def flux_kontext():
    return FluxKontextPipeline(**_flux())


def flux_fill():
    """Return a pipeline whose transformer reads 16 channels of latents, 16 of the picture, 16 of the mask."""
    return FluxFillPipeline(**_flux(48))


def flux_control():
    return FluxControlPipeline(**_flux(32))


def flux2_klein():
    transformer = Flux2Transformer2DModel(
        patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=3 * texts.WIDTH, axes_dims_rope=(4, 4, 4, 4), guidance_embeds=False,
    )  # fmt: skip
    vae = AutoencoderKLFlux2(
        block_out_channels=(8, 8), down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2, latent_channels=4, norm_num_groups=4, layers_per_block=1,
    )  # fmt: skip
    return Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True), vae=vae,
        text_encoder=texts.qwen3(Qwen3ForCausalLM), tokenizer=texts.qwen_tokenizer(), transformer=transformer,
    )  # fmt: skip


def chroma():
    transformer = ChromaTransformer2DModel(
        patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=small.WIDTH, axes_dims_rope=(4, 4, 8), approximator_hidden_dim=32, approximator_layers=1,
        approximator_num_channels=16,
    )  # fmt: skip
    return ChromaPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(), vae=_vae(), text_encoder=small.t5(),
        tokenizer=small.t5_tokenizer(), transformer=transformer,
    )  # fmt: skip


def aura_flow():
    transformer = AuraFlowTransformer2DModel(
        sample_size=16, patch_size=2, in_channels=4, num_mmdit_layers=1, num_single_dit_layers=1,
        attention_head_dim=16, num_attention_heads=2, joint_attention_dim=texts.WIDTH, caption_projection_dim=32,
        out_channels=4, pos_embed_max_size=256,
    )  # fmt: skip
    return AuraFlowPipeline(
        tokenizer=small.t5_tokenizer(), text_encoder=texts.umt5(), vae=small.autoencoder(4), transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(),
    )  # fmt: skip


def sd3():
    return small.sd3()


def sd3_image_to_image():
    return StableDiffusion3Img2ImgPipeline(**small.sd3().components)


def sd3_inpaint():
    """Return a pipeline of 16 latent channels, because it counts them to tell how it paints."""
    parts = small.sd3().components
    config = {**parts["transformer"].config, "in_channels": 16, "out_channels": 16}
    vae = small.autoencoder(16, scaling_factor=1.5305, shift_factor=0.0609)
    return StableDiffusion3InpaintPipeline(**{**parts, "transformer": SD3Transformer2DModel(**config), "vae": vae})


def _vae():
    return small.autoencoder(4, scaling_factor=1.5035, shift_factor=0.0609)
