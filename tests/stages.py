"""Small pipelines with random weights whose parts have other names, other kinds or a second one.

Tests import it as `stages`. Beside each pipeline there is a call that takes a fraction of a second.
"""

from string import ascii_lowercase

import small
import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLWan,
    DDIMScheduler,
    DDPMScheduler,
    HunyuanDiT2DModel,
    HunyuanDiTPipeline,
    KandinskyV22CombinedPipeline,
    PriorTransformer,
    UnCLIPScheduler,
    UNet2DConditionModel,
    UniPCMultistepScheduler,
    VQModel,
    WanPipeline,
    WanTransformer3DModel,
)
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizer,
    CLIPImageProcessorPil,
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

PROMPT = {"prompt": "a cat", "num_inference_steps": 2}
CALLS = {
    "kandinsky": {**PROMPT, "height": 64, "width": 64, "prior_num_inference_steps": 2},
    "wan": {**PROMPT, "height": 16, "width": 16, "num_frames": 5, "max_sequence_length": 16, "num_inference_steps": 3},
    "hunyuan": {**PROMPT, "height": 64, "width": 64, "use_resolution_binning": False},
}


def kandinsky():
    """Return two stages in one pipeline: a prior, and a UNet with an autoencoder that is called `movq`."""
    torch.manual_seed(0)
    width = small.WIDTH
    unet = UNet2DConditionModel(
        in_channels=4, out_channels=8, addition_embed_type="image", cross_attention_dim=width,
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn", block_out_channels=(32, 64), layers_per_block=1,
        encoder_hid_dim=width, encoder_hid_dim_type="image_proj", attention_head_dim=4,
        resnet_time_scale_shift="scale_shift",
    )  # fmt: skip
    movq = VQModel(
        block_out_channels=(32, 64), down_block_types=("DownEncoderBlock2D", "AttnDownEncoderBlock2D"),
        up_block_types=("AttnUpDecoderBlock2D", "UpDecoderBlock2D"), latent_channels=4, norm_num_groups=4,
        norm_type="spatial", num_vq_embeddings=12, vq_embed_dim=4,
    )  # fmt: skip
    seeing = CLIPVisionConfig(
        hidden_size=width, image_size=28, projection_dim=width, intermediate_size=width, num_attention_heads=4,
        num_hidden_layers=1, patch_size=14,
    )  # fmt: skip
    reading = CLIPTextConfig(
        hidden_size=width, projection_dim=width, intermediate_size=width, num_attention_heads=4, num_hidden_layers=1,
        vocab_size=54, bos_token_id=52, eos_token_id=53, pad_token_id=53,
    )  # fmt: skip
    return small.evaluating(KandinskyV22CombinedPipeline(
        unet=unet, movq=movq, scheduler=DDIMScheduler(clip_sample=False, set_alpha_to_one=False),
        prior_prior=PriorTransformer(num_attention_heads=2, attention_head_dim=12, embedding_dim=width, num_layers=1),
        prior_image_encoder=CLIPVisionModelWithProjection(seeing),
        prior_text_encoder=CLIPTextModelWithProjection(reading), prior_tokenizer=small.clip_tokenizer(),
        prior_scheduler=UnCLIPScheduler(variance_type="fixed_small_log", prediction_type="sample"),
        prior_image_processor=CLIPImageProcessorPil(crop_size=28),
    ))  # fmt: skip


def wan():
    """Return a pipeline that draws a video with two transformers, the first for the noisy steps."""
    torch.manual_seed(0)
    vae = AutoencoderKLWan(
        base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
    )
    return small.evaluating(WanPipeline(
        transformer=_wan_transformer(), transformer_2=_wan_transformer(), vae=vae, boundary_ratio=0.875,
        scheduler=UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0),
        text_encoder=small.t5(), tokenizer=small.t5_tokenizer(),
    ))  # fmt: skip


def _wan_transformer():
    return WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=16, out_channels=16,
        text_dim=small.WIDTH, freq_dim=32, ffn_dim=32, num_layers=1, qk_norm="rms_norm_across_heads",
        rope_max_seq_len=32,
    )  # fmt: skip


def hunyuan():
    """Return a pipeline whose transformer has attention processors of its own, with rotary positions."""
    torch.manual_seed(0)
    transformer = HunyuanDiT2DModel(
        sample_size=16, num_layers=2, patch_size=2, attention_head_dim=8, num_attention_heads=3, in_channels=4,
        cross_attention_dim=small.WIDTH, cross_attention_dim_t5=small.WIDTH, pooled_projection_dim=16, hidden_size=24,
        text_len=77, text_len_t5=256,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(8,) * 4, down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, latent_channels=4, norm_num_groups=4,
    )  # fmt: skip
    bert = BertConfig(
        vocab_size=60, hidden_size=small.WIDTH, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *ascii_lowercase, *(f"##{each}" for each in ascii_lowercase)]
    t5_tokenizer = small.t5_tokenizer()
    t5_tokenizer.model_max_length = 256
    return small.evaluating(HunyuanDiTPipeline(
        vae=vae, transformer=transformer, scheduler=DDPMScheduler(), text_encoder=BertModel(bert),
        tokenizer=BertTokenizer(vocab={word: at for at, word in enumerate(words)}, model_max_length=77),
        text_encoder_2=small.t5(), tokenizer_2=t5_tokenizer, safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    ))  # fmt: skip
