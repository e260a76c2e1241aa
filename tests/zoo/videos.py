"""Pipelines that make frames."""

import small
from diffusers import (
    AnimateDiffPipeline,
    AnimateDiffVideoToVideoPipeline,
    AutoencoderKLCogVideoX,
    AutoencoderKLHunyuanVideo,
    AutoencoderKLLTXVideo,
    AutoencoderKLMochi,
    AutoencoderKLTemporalDecoder,
    AutoencoderKLWan,
    CogVideoXDDIMScheduler,
    CogVideoXPipeline,
    CogVideoXTransformer3DModel,
    DDIMScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    HunyuanVideoPipeline,
    HunyuanVideoTransformer3DModel,
    LattePipeline,
    LatteTransformer3DModel,
    LTXImageToVideoPipeline,
    LTXPipeline,
    LTXVideoTransformer3DModel,
    MochiPipeline,
    MochiTransformer3DModel,
    MotionAdapter,
    StableVideoDiffusionPipeline,
    UNetSpatioTemporalConditionModel,
    WanPipeline,
    WanTransformer3DModel,
)
from transformers import CLIPTextModel

from zoo import texts


def animate_diff():
    return AnimateDiffPipeline(**_animate_diff())


def animate_diff_video_to_video():
    return AnimateDiffVideoToVideoPipeline(**_animate_diff())


def _animate_diff():
    parts = dict(small.sd().components)
    del parts["safety_checker"]
    adapter = MotionAdapter(
        block_out_channels=(8, 16), motion_layers_per_block=1, motion_norm_num_groups=2, motion_num_attention_heads=2
    )
    return {**parts, "motion_adapter": adapter, "scheduler": DDIMScheduler()}


def stable_video():
    unet = UNetSpatioTemporalConditionModel(
        sample_size=16, block_out_channels=(32, 32), layers_per_block=1, num_attention_heads=2,
        down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"), cross_attention_dim=texts.WIDTH,
        projection_class_embeddings_input_dim=24, addition_time_embed_dim=8,
    )  # fmt: skip
    vae = AutoencoderKLTemporalDecoder(
        block_out_channels=(32, 32), down_block_types=("DownEncoderBlock2D",) * 2, latent_channels=4,
        layers_per_block=1,
    )  # fmt: skip
    return StableVideoDiffusionPipeline(
        vae=vae, image_encoder=texts.clip_vision(), unet=unet, feature_extractor=texts.clip_processor(),
        scheduler=EulerDiscreteScheduler(
            prediction_type="v_prediction", timestep_type="continuous", sigma_min=0.002, sigma_max=700.0,
            use_karras_sigmas=True,
        ),
    )  # fmt: skip


def wan():
    transformer = WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=16, out_channels=16,
        text_dim=texts.WIDTH, freq_dim=32, ffn_dim=32, num_layers=1, cross_attn_norm=True,
        qk_norm="rms_norm_across_heads", rope_max_seq_len=32,
    )  # fmt: skip
    vae = AutoencoderKLWan(base_dim=4, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1,
                           temperal_downsample=[False, True, True])  # fmt: skip
    return WanPipeline(
        tokenizer=small.t5_tokenizer(), text_encoder=texts.umt5(), transformer=transformer, vae=vae,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    )  # fmt: skip


def ltx():
    return LTXPipeline(**_ltx())


def ltx_image_to_video():
    return LTXImageToVideoPipeline(**_ltx())


def _ltx():
    transformer = LTXVideoTransformer3DModel(
        in_channels=8, out_channels=8, num_attention_heads=2, attention_head_dim=8, cross_attention_dim=16,
        num_layers=1, caption_channels=small.WIDTH,
    )  # fmt: skip
    vae = AutoencoderKLLTXVideo(
        latent_channels=8, block_out_channels=(8,) * 4, decoder_block_out_channels=(8,) * 4,
        layers_per_block=(1,) * 5, decoder_layers_per_block=(1,) * 5,
        spatio_temporal_scaling=(True, True, False, False),
        decoder_spatio_temporal_scaling=(True, True, False, False), patch_size=4, patch_size_t=1,
    )  # fmt: skip
    return {
        "scheduler": FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True), "vae": vae,
        "text_encoder": small.t5(), "tokenizer": small.t5_tokenizer(), "transformer": transformer,
    }  # fmt: skip


def cogvideox():
    transformer = CogVideoXTransformer3DModel(
        num_attention_heads=2, attention_head_dim=16, in_channels=4, out_channels=4, time_embed_dim=8,
        text_embed_dim=small.WIDTH, num_layers=1, sample_width=8, sample_height=8, sample_frames=9, patch_size=2,
        max_text_seq_length=16,
    )  # fmt: skip
    vae = AutoencoderKLCogVideoX(
        block_out_channels=(8,) * 4, down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4, latent_channels=4, layers_per_block=1, norm_num_groups=2,
    )  # fmt: skip
    return CogVideoXPipeline(
        tokenizer=small.t5_tokenizer(), text_encoder=small.t5(), vae=vae, transformer=transformer,
        scheduler=CogVideoXDDIMScheduler(),
    )  # fmt: skip


def latte():
    transformer = LatteTransformer3DModel(
        sample_size=16, patch_size=2, num_layers=1, num_attention_heads=2, attention_head_dim=8, in_channels=4,
        out_channels=8, caption_channels=small.WIDTH, cross_attention_dim=16, video_length=4, attention_bias=True,
        norm_type="ada_norm_single", norm_elementwise_affine=False, activation_fn="gelu-approximate",
        num_embeds_ada_norm=1000,
    )  # fmt: skip
    return LattePipeline(
        tokenizer=small.t5_tokenizer(), text_encoder=small.t5(), vae=small.autoencoder(4), transformer=transformer,
        scheduler=DDIMScheduler(),
    )  # fmt: skip


def mochi():
    transformer = MochiTransformer3DModel(
        patch_size=2, num_attention_heads=2, attention_head_dim=8, num_layers=2, pooled_projection_dim=16,
        in_channels=12, text_embed_dim=small.WIDTH, time_embed_dim=4, max_sequence_length=16,
    )  # fmt: skip
    vae = AutoencoderKLMochi(
        latent_channels=12, out_channels=3, encoder_block_out_channels=(32,) * 4, decoder_block_out_channels=(32,) * 4,
        layers_per_block=(1,) * 5,
    )  # fmt: skip
    return MochiPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(), vae=vae, text_encoder=small.t5(),
        tokenizer=small.t5_tokenizer(), transformer=transformer,
    )  # fmt: skip


def hunyuan_video():
    transformer = HunyuanVideoTransformer3DModel(
        in_channels=4, out_channels=4, num_attention_heads=2, attention_head_dim=10, num_layers=1,
        num_single_layers=1, num_refiner_layers=1, patch_size=1, patch_size_t=1, guidance_embeds=True,
        text_embed_dim=texts.WIDTH, pooled_projection_dim=small.WIDTH, rope_axes_dim=(2, 4, 4),
    )  # fmt: skip
    vae = AutoencoderKLHunyuanVideo(
        latent_channels=4, down_block_types=("HunyuanVideoDownBlock3D",) * 4,
        up_block_types=("HunyuanVideoUpBlock3D",) * 4, block_out_channels=(8,) * 4, layers_per_block=1,
        norm_num_groups=4,
    )  # fmt: skip
    return HunyuanVideoPipeline(
        text_encoder=texts.llama(), tokenizer=texts.llama_tokenizer(), transformer=transformer, vae=vae,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0), text_encoder_2=small.clip(CLIPTextModel),
        tokenizer_2=small.clip_tokenizer(),
    )  # fmt: skip
