"""A model small enough for tests, of the toy language: random weights, the paper's structures."""

import torch
from toy_language import LANGUAGE

from modeling_derender.configuration_derender import DerenderConfig
from modeling_derender.modeling_derender import DerenderForConditionalGeneration


TRANSFORMER = {"decoder_type": "transformer"}
LSTM = {"decoder_type": "lstm"}
CNN_LSTM = {"decoder_type": "lstm", "lstm_attention": "none"}
DECODERS = [TRANSFORMER, LSTM, CNN_LSTM]


def tiny_config(**options) -> DerenderConfig:
    small = {"backbone_stride": 8, "d_model": 32, "max_specification_length": 14}
    if options.get("decoder_type") != "lstm":
        small |= {"num_hidden_layers": 2, "num_attention_heads": 4, "ffn_dim": 48}
    return DerenderConfig.from_language(LANGUAGE, **(small | options))


def tiny_model(attention: str = "sdpa", **options) -> DerenderForConditionalGeneration:
    torch.manual_seed(0)
    return DerenderForConditionalGeneration._from_config(tiny_config(**options), attn_implementation=attention).eval()


def tiny_pictures(number: int = 3, height: int = 32, width: int = 32) -> torch.Tensor:
    return torch.randn(number, 1, height, width, generator=torch.Generator().manual_seed(1))


def tiny_labels(number: int = 3, length: int = 9) -> torch.Tensor:
    """Random tokens, the last row shorter by two."""
    generator = torch.Generator().manual_seed(2)
    labels = torch.randint(4, LANGUAGE.vocab_size, (number, length), generator=generator)
    labels[-1, -2:] = -100
    return labels
