"""Other pipelines that draw pictures: transformers of many kinds, two-stage pipelines, and those without a prompt."""

import small
import torch
from diffusers import (
    AutoencoderDC,
    AutoencoderKLQwenImage,
    CMStochasticIterativeScheduler,
    CogVideoXDDIMScheduler,
    CogView3PlusPipeline,
    CogView3PlusTransformer2DModel,
    ConsistencyModelPipeline,
    DDIMPipeline,
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    HunyuanDiT2DModel,
    HunyuanDiTPipeline,
    Kandinsky3Pipeline,
    Kandinsky3UNet,
    KandinskyV22CombinedPipeline,
    KandinskyV22Img2ImgCombinedPipeline,
    KandinskyV22InpaintCombinedPipeline,
    Lumina2Pipeline,
    Lumina2Transformer2DModel,
    PixArtAlphaPipeline,
    PixArtSigmaPipeline,
    PixArtTransformer2DModel,
    PriorTransformer,
    QwenImageImg2ImgPipeline,
    QwenImagePipeline,
    QwenImageTransformer2DModel,
    SanaPipeline,
    SanaTransformer2DModel,
    UnCLIPScheduler,
    UNet2DConditionModel,
    VQModel,
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from transformers import CLIPTextModelWithProjection, Qwen3Model

from zoo import texts


def pixart_alpha():
    return PixArtAlphaPipeline(**_pixart())


def pixart_sigma():
    return PixArtSigmaPipeline(**_pixart())


def _pixart():
    transformer = PixArtTransformer2DModel(
        sample_size=16, patch_size=2, in_channels=4, out_channels=8, num_layers=1, attention_head_dim=8,
        num_attention_heads=2, caption_channels=small.WIDTH, cross_attention_dim=16, use_additional_conditions=False,
    )  # fmt: skip
    return {
        "transformer": transformer, "vae": small.autoencoder(4), "text_encoder": small.t5(),
        "tokenizer": small.t5_tokenizer(), "scheduler": DPMSolverMultistepScheduler(),
    }  # fmt: skip


def sana():
    transformer = SanaTransformer2DModel(
        sample_size=8, in_channels=4, out_channels=4, num_layers=1, num_attention_heads=2, attention_head_dim=8,
        num_cross_attention_heads=2, cross_attention_head_dim=8, cross_attention_dim=16, caption_channels=texts.WIDTH,
    )  # fmt: skip
    vae = AutoencoderDC(
        in_channels=3, latent_channels=4, attention_head_dim=8, encoder_block_types=("ResBlock",) * 3,
        decoder_block_types=("ResBlock",) * 3, encoder_block_out_channels=(8, 8, 8),
        decoder_block_out_channels=(8, 8, 8), encoder_layers_per_block=(1, 1, 1), decoder_layers_per_block=(1, 1, 1),
        encoder_qkv_multiscales=((), (), ()), decoder_qkv_multiscales=((), (), ()),
        upsample_block_type="interpolate", downsample_block_type="Conv", scaling_factor=0.41407,
    )  # fmt: skip
    return SanaPipeline(
        tokenizer=texts.gemma_tokenizer(), text_encoder=texts.gemma(), vae=vae, transformer=transformer,
        scheduler=DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True),
    )  # fmt: skip


def hunyuan_dit():
    transformer = HunyuanDiT2DModel(
        sample_size=16, patch_size=2, in_channels=4, num_layers=2, attention_head_dim=8, num_attention_heads=2,
        hidden_size=16, mlp_ratio=2, cross_attention_dim=texts.WIDTH, cross_attention_dim_t5=small.WIDTH,
        pooled_projection_dim=16, use_style_cond_and_image_meta_size=True, learn_sigma=True,
    )  # fmt: skip
    return HunyuanDiTPipeline(
        vae=small.autoencoder(4, stages=4), text_encoder=texts.bert(), tokenizer=texts.bert_tokenizer(),
        transformer=transformer, scheduler=DDPMScheduler(), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False, text_encoder_2=small.t5(), tokenizer_2=small.t5_tokenizer(),
    )  # fmt: skip


def lumina2():
    transformer = Lumina2Transformer2DModel(
        sample_size=16, patch_size=2, in_channels=4, hidden_size=32, num_layers=1, num_refiner_layers=1,
        num_attention_heads=2, num_kv_heads=1, multiple_of=16, axes_dim_rope=(8, 4, 4), axes_lens=(300, 64, 64),
        cap_feat_dim=texts.WIDTH,
    )  # fmt: skip
    return Lumina2Pipeline(
        transformer=transformer, scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=small.autoencoder(4, stages=4, scaling_factor=0.3611, shift_factor=0.1159), text_encoder=texts.gemma(),
        tokenizer=texts.gemma_tokenizer(),
    )  # fmt: skip


def qwen_image():
    return QwenImagePipeline(**_qwen_image())


def qwen_image_to_image():
    return QwenImageImg2ImgPipeline(**_qwen_image())


def _qwen_image():
    transformer = QwenImageTransformer2DModel(
        patch_size=2, in_channels=16, out_channels=4, num_layers=1, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=texts.WIDTH, axes_dims_rope=(8, 4, 4),
    )  # fmt: skip
    vae = AutoencoderKLQwenImage(
        base_dim=4, z_dim=4, dim_mult=[1, 1], num_res_blocks=1, temperal_downsample=[False],
        latents_mean=[0.1, 0.0, -0.1, 0.2], latents_std=[1.0, 0.8, 1.2, 0.9],
    )  # fmt: skip
    return {
        "scheduler": FlowMatchEulerDiscreteScheduler(), "vae": vae, "text_encoder": texts.qwen_vl(),
        "tokenizer": texts.qwen_tokenizer(), "transformer": transformer,
    }  # fmt: skip


def z_image():
    transformer = ZImageTransformer2DModel(
        in_channels=4, dim=32, n_layers=1, n_refiner_layers=1, n_heads=2, n_kv_heads=2, cap_feat_dim=texts.WIDTH,
        axes_dims=[8, 4, 4], axes_lens=[512, 64, 64],
    )  # fmt: skip
    return ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=small.autoencoder(4, scaling_factor=0.3611, shift_factor=0.1159), text_encoder=texts.qwen3(Qwen3Model),
        tokenizer=texts.qwen_tokenizer(), transformer=transformer,
    )  # fmt: skip


def cogview3():
    transformer = CogView3PlusTransformer2DModel(
        sample_size=16, patch_size=2, in_channels=4, out_channels=4, num_layers=1, attention_head_dim=8,
        num_attention_heads=2, text_embed_dim=small.WIDTH, time_embed_dim=8, condition_dim=2, pos_embed_max_size=16,
    )  # fmt: skip
    return CogView3PlusPipeline(
        tokenizer=small.t5_tokenizer(), text_encoder=small.t5(), vae=small.autoencoder(4), transformer=transformer,
        scheduler=CogVideoXDDIMScheduler(),
    )  # fmt: skip


def kandinsky_combined():
    return KandinskyV22CombinedPipeline(**_kandinsky(4))


def kandinsky_image_to_image():
    return KandinskyV22Img2ImgCombinedPipeline(**_kandinsky(4))


def kandinsky_inpaint():
    """Return a pipeline whose UNet has nine channels: latents, masked picture and mask."""
    return KandinskyV22InpaintCombinedPipeline(**_kandinsky(9))


def _kandinsky(in_channels):
    """Return both stages of Kandinsky 2.2: a prior from text to a picture's embedding, and the decoder of those."""
    prior = PriorTransformer(num_attention_heads=2, attention_head_dim=12, embedding_dim=texts.WIDTH, num_layers=1)
    prior.clip_std = torch.nn.Parameter(torch.ones_like(prior.clip_std))  # zeros would make every embedding zero
    unet = UNet2DConditionModel(
        in_channels=in_channels, out_channels=8, addition_embed_type="image", block_out_channels=(8, 16),
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"), norm_num_groups=4,
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"), layers_per_block=1,
        mid_block_type="UNetMidBlock2DSimpleCrossAttn", encoder_hid_dim=texts.WIDTH, encoder_hid_dim_type="image_proj",
        cross_attention_dim=16, attention_head_dim=4, resnet_time_scale_shift="scale_shift",
    )  # fmt: skip
    return {
        "unet": unet, "scheduler": DDIMScheduler(), "movq": _movq(), "prior_prior": prior,
        "prior_image_encoder": texts.clip_vision(), "prior_text_encoder": small.clip(CLIPTextModelWithProjection),
        "prior_tokenizer": small.clip_tokenizer(), "prior_image_processor": texts.clip_processor(),
        "prior_scheduler": UnCLIPScheduler(prediction_type="sample", clip_sample_range=10.0),
    }  # fmt: skip


def kandinsky3():
    unet = Kandinsky3UNet(
        in_channels=4, time_embedding_dim=8, groups=2, attention_head_dim=4, layers_per_block=2,
        block_out_channels=(8, 16), cross_attention_dim=4, encoder_hid_dim=small.WIDTH,
    )  # fmt: skip
    return Kandinsky3Pipeline(
        tokenizer=small.t5_tokenizer(), text_encoder=small.t5(), unet=unet, scheduler=DDPMScheduler(), movq=_movq()
    )


def _movq():
    return VQModel(
        block_out_channels=(32, 32), down_block_types=("DownEncoderBlock2D", "AttnDownEncoderBlock2D"),
        up_block_types=("AttnUpDecoderBlock2D", "UpDecoderBlock2D"), latent_channels=4, norm_num_groups=4,
        norm_type="spatial", num_vq_embeddings=12, vq_embed_dim=4,
    )  # fmt: skip


def ddpm():
    return small.ddpm()


def ddim():
    return DDIMPipeline(unet=small.ddpm().unet, scheduler=DDIMScheduler())


def consistency():
    return ConsistencyModelPipeline(unet=small.ddpm().unet, scheduler=CMStochasticIterativeScheduler())


def dit():
    return small.dit()
