"""Small pipelines of several classes with random weights, made by diffusers itself; nothing of this project is in them.

Tests import it as `small`. A picture of one takes a fraction of a second.
"""

from string import ascii_lowercase

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DDPMPipeline,
    DDPMScheduler,
    DiTPipeline,
    DiTTransformer2DModel,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
    UNet2DModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

WIDTH = 32


def sd():
    """Return a Stable Diffusion pipeline."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=16, in_channels=4, out_channels=4, block_out_channels=(8, 16), layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16, attention_head_dim=2, norm_num_groups=4,
    )  # fmt: skip
    vae = autoencoder(4)
    text = CLIPTextModel(
        CLIPTextConfig(vocab_size=54, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2)
    )
    return evaluating(StableDiffusionPipeline(
        unet=unet, vae=vae, text_encoder=text, tokenizer=clip_tokenizer(), scheduler=EulerDiscreteScheduler(),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    ))  # fmt: skip


def sdxl():
    """Return a Stable Diffusion XL pipeline of two text encoders."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=16, in_channels=4, out_channels=4, block_out_channels=(8, 16), layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=2 * WIDTH, attention_head_dim=2, norm_num_groups=4, use_linear_projection=True,
        addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=WIDTH + 6 * 8,
    )  # fmt: skip
    return evaluating(StableDiffusionXLPipeline(
        vae=autoencoder(4), text_encoder=clip(CLIPTextModel), text_encoder_2=clip(CLIPTextModelWithProjection),
        tokenizer=clip_tokenizer(), tokenizer_2=clip_tokenizer(), unet=unet, scheduler=EulerDiscreteScheduler(),
    ))  # fmt: skip


def flux():
    """Return a FLUX pipeline: latents packed two by two, a scaling factor and a shift; it rounds sides to 4 pixels."""
    torch.manual_seed(0)
    transformer = FluxTransformer2DModel(
        patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=WIDTH, pooled_projection_dim=WIDTH, axes_dims_rope=[4, 4, 8],
    )  # fmt: skip
    return evaluating(FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(), vae=autoencoder(4, scaling_factor=1.5035, shift_factor=0.0609),
        text_encoder=clip(CLIPTextModel), tokenizer=clip_tokenizer(), text_encoder_2=t5(),
        tokenizer_2=t5_tokenizer(), transformer=transformer,
    ))  # fmt: skip


def sd3():
    """Return a Stable Diffusion 3 pipeline: a scaling factor and a shift; it refuses sides that 4 does not divide."""
    torch.manual_seed(0)
    transformer = SD3Transformer2DModel(
        sample_size=16, patch_size=2, in_channels=4, out_channels=4, num_layers=1, attention_head_dim=16,
        num_attention_heads=2, joint_attention_dim=2 * WIDTH, caption_projection_dim=32,
        pooled_projection_dim=2 * WIDTH, pos_embed_max_size=32,
    )  # fmt: skip
    return evaluating(StableDiffusion3Pipeline(
        transformer=transformer, scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=autoencoder(4, scaling_factor=1.5305, shift_factor=0.0609),
        text_encoder=clip(CLIPTextModelWithProjection), tokenizer=clip_tokenizer(),
        text_encoder_2=clip(CLIPTextModelWithProjection), tokenizer_2=clip_tokenizer(),
        text_encoder_3=t5(2 * WIDTH), tokenizer_3=t5_tokenizer(),
    ))  # fmt: skip


def ddpm():
    """Return an unconditional pipeline, which takes neither a prompt nor a size and has no autoencoder."""
    torch.manual_seed(0)
    unet = UNet2DModel(
        sample_size=16, in_channels=3, out_channels=3, block_out_channels=(8, 16), layers_per_block=1,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=4, attention_head_dim=8,
    )  # fmt: skip
    return evaluating(DDPMPipeline(unet=unet, scheduler=DDPMScheduler()))


def dit():
    """Return a pipeline that makes one picture per class label."""
    torch.manual_seed(0)
    transformer = DiTTransformer2DModel(
        sample_size=16, num_layers=1, patch_size=2, attention_head_dim=8, num_attention_heads=2, in_channels=4,
        out_channels=8, num_embeds_ada_norm=1000, norm_type="ada_norm_zero", norm_elementwise_affine=False,
    )  # fmt: skip
    return evaluating(DiTPipeline(transformer=transformer, vae=autoencoder(4), scheduler=DDIMScheduler()))


def evaluating(pipeline):
    """Switch dropout off, as `from_pretrained` does."""
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval()
    return pipeline


def autoencoder(latent_channels, stages=2, **config):
    """Return an autoencoder; each stage after the first halves the sides of a picture."""
    return AutoencoderKL(
        block_out_channels=(8,) * stages, down_block_types=("DownEncoderBlock2D",) * stages,
        up_block_types=("UpDecoderBlock2D",) * stages, latent_channels=latent_channels, norm_num_groups=4, **config,
    )  # fmt: skip


def clip_tokenizer():
    """Return a tokenizer of lower-case letters."""
    words = [*ascii_lowercase, *(f"{letter}</w>" for letter in ascii_lowercase), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={word: index for index, word in enumerate(words)}, merges=[], model_max_length=77)


def clip(cls):
    return cls(
        CLIPTextConfig(
            vocab_size=54, hidden_size=WIDTH, intermediate_size=WIDTH, num_hidden_layers=2, num_attention_heads=2,
            projection_dim=WIDTH, bos_token_id=52, eos_token_id=53, pad_token_id=53,
        )
    )  # fmt: skip


def t5(width=WIDTH):
    return T5EncoderModel(T5Config(d_model=width, d_kv=8, d_ff=WIDTH, num_layers=1, num_heads=2, vocab_size=40))


def t5_tokenizer():
    words = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    return T5Tokenizer(vocab=[*words, *((letter, -3.0) for letter in ascii_lowercase)], extra_ids=0)
