"""A randomly initialised model of the toy language with its processor, saved as train.py saves them."""

from pathlib import Path

import torch

from modeling_derender.configuration_derender import DerenderConfig
from modeling_derender.language import Language
from modeling_derender.modeling_derender import DerenderForConditionalGeneration
from modeling_derender.processing_derender import DerenderProcessor


TRANSFORMER = {"num_hidden_layers": 1, "num_attention_heads": 2, "ffn_dim": 8}


def save_tiny_checkpoint(folder: Path, language: Language, **decoder) -> Path:
    """`decoder` are options in place of a Transformer's."""
    torch.manual_seed(0)
    options = {
        "backbone_stride": 4, "d_model": 8, "image_size": [32, 32], "max_specification_length": 16,
        **(decoder or TRANSFORMER),
    }  # fmt: skip
    DerenderForConditionalGeneration(DerenderConfig.from_language(language, **options)).save_pretrained(folder)
    DerenderProcessor.from_language(language, [32, 32], 16).save_pretrained(folder)
    return folder
