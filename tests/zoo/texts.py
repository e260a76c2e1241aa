"""Text encoders of one or two layers and their tokenizers, none of which needs a download."""

from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizer,
    CLIPImageProcessor,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    Gemma2Config,
    Gemma2Model,
    GemmaTokenizer,
    LlamaConfig,
    LlamaModel,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
    Qwen3Config,
    UMT5Config,
    UMT5EncoderModel,
)

WIDTH = 32
LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DECODER = {
    "hidden_size": WIDTH, "intermediate_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 1, "head_dim": 16, "max_position_embeddings": 2048,
}  # fmt: skip
_CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""It takes `enable_thinking`, as every chat template takes any argument, and ignores it."""


def umt5():
    config = {"d_model": WIDTH, "d_kv": 8, "d_ff": WIDTH, "num_layers": 1, "num_heads": 2, "vocab_size": 40}
    return UMT5EncoderModel(UMT5Config(**config))


def bert():
    return BertModel(
        BertConfig(
            vocab_size=64, hidden_size=WIDTH, intermediate_size=WIDTH, num_hidden_layers=1, num_attention_heads=2,
            max_position_embeddings=77,
        )
    )  # fmt: skip


def bert_tokenizer():
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    return BertTokenizer(vocab={word: index for index, word in enumerate(words)}, model_max_length=77)


def gemma():
    return Gemma2Model(Gemma2Config(**_DECODER, vocab_size=300, query_pre_attn_scalar=16))


def gemma_tokenizer():
    """Return a tokenizer of bytes, which leads to long prompts."""
    words = ["<pad>", "<eos>", "<bos>", "<unk>", "▁", *(f"<0x{byte:02X}>" for byte in range(256))]
    return GemmaTokenizer(vocab={word: index for index, word in enumerate(words)}, merges=[])


def llama():
    config = {**_DECODER, "num_hidden_layers": 3}
    return LlamaModel(LlamaConfig(**config, vocab_size=300, pad_token_id=0, bos_token_id=1, eos_token_id=2))


def llama_tokenizer():
    words = ["<pad>", "<s>", "</s>", *sorted(ByteLevel.alphabet())]
    tokenizer = Tokenizer(BPE({word: index for index, word in enumerate(words)}, merges=[]))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    special = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)


def qwen3(cls):
    """Return an encoder of a Qwen3 class, with or without the head that writes text."""
    return cls(Qwen3Config(**{**_DECODER, "num_hidden_layers": 4}, vocab_size=300, tie_word_embeddings=True))


def qwen_vl():
    text = {**_DECODER, "vocab_size": 300, "rope_parameters": {
        "rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3],
    }}  # fmt: skip
    vision = {
        "depth": 1, "hidden_size": 16, "intermediate_size": WIDTH, "num_heads": 2, "out_hidden_size": WIDTH,
        "fullatt_block_indexes": [0],
    }  # fmt: skip
    return Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(text_config=text, vision_config=vision))


def qwen_tokenizer():
    words = [*sorted(ByteLevel.alphabet()), "<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    special = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "extra_special_tokens": ["<|im_start|>"]}
    tokenizer = Qwen2Tokenizer(vocab={word: index for index, word in enumerate(words)}, merges=[], **special)
    tokenizer.chat_template = _CHAT
    return tokenizer


def clip_vision():
    """Return an encoder of pictures of 224 pixels, the size to which pipelines resize them."""
    return CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=WIDTH, projection_dim=WIDTH, intermediate_size=WIDTH, num_hidden_layers=1,
            num_attention_heads=2, image_size=224, patch_size=14,
        )
    )  # fmt: skip


def clip_processor():
    return CLIPImageProcessor(crop_size=224, size=224)
