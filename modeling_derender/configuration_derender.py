"""DerenderConfig: every option of the model, and the language it reads, as one JSON that travels with the weights."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, ClassVar

from transformers import PretrainedConfig


if TYPE_CHECKING:
    from .language import Language


CHOICES = {
    "decoder_type": ("transformer", "lstm"),
    "lstm_attention": ("additive", "none"),
    "backbone_stride": (4, 8, 16, 32),
    "feature_positions": ("none", "2d"),
    "norm_position": ("after", "before"),
    "position_encoding": ("add", "concat"),
    "number_embeddings": ("random", "sinusoidal"),
    "specification_order": ("type", "size", "position", "random"),
}
# What only one kind of decoder has.
OPTIONS_OF = {
    "transformer": ("num_hidden_layers", "num_attention_heads", "ffn_dim", "norm_position", "position_encoding"),
    "lstm": ("lstm_attention",),
}
COUNTS = (
    "num_channels",
    "d_model",
    "num_hidden_layers",
    "num_attention_heads",
    "ffn_dim",
    "max_specification_length",
)


class DerenderConfig(PretrainedConfig):
    """Options of an image-to-specification model; the defaults are the paper's (sections 3.2 and 5.3).

    Build it with `DerenderConfig.from_language(language, **options)`, which fills what follows from the language.

    - `language`: the declaration of the Language (`Language.to_dict()`), from which the grammar is made.
    - `vocab_size`, `pad_token_id`, `bos_token_id`, `eos_token_id`, `decoder_start_token_id`: as in the language.
    - `max_specification_length`: the most tokens in a specification, both ends among them; `generate()` stops there.
    - `specification_order`: of the objects in the specifications that it was trained on; see `order_objects`.
    - `image_size`: [height, width] in pixels, what the image processor makes (the model itself reads any size).
    - `num_channels`: 1 for grey pictures, 3 for colour.
    - `backbone`: a timm model with feature maps; `backbone_stride` (4, 8, 16 or 32): where it is cut; a
      ResNet's later stages are not built. The paper's is ResNet-18 at 32, "the penultimate layer's features".
    - `feature_positions`: "2d" adds sinusoidal row and column positions to the projected features; "none" does not.
    - `decoder_type`: "transformer" (section 3.2) or "lstm" (section 3.1).
    - `d_model`: the width of image features, token embeddings and the decoder's states.
    - `dropout`: of the Transformer's sub-layers, or of the LSTM's embedded tokens and its outputs.
    - `number_embeddings`: "random" token embeddings to begin with, or "sinusoidal" ones for numbers, in which near
      numbers are near each other, for languages with hundreds of coordinates; with `tie_word_embeddings` the output
      layer begins so as well.
    - `tie_word_embeddings`: whether the output layer shares the token embedding.
    - `test_time_augmentation`: outside training the encoder looks at five copies of a picture, moved by a pixel, and
      takes the mean of their features, at five times the encoder's work: fewer errors on drawings by hand and on clip
      art, none fewer on clean drawings.

    Of the LSTM alone, which has one layer:

    - `lstm_attention`: "additive" (equations 2 and 3), or "none", the CNN+LSTM that Table 2 compares with. With the
      defaults, ResNet-18 at stride 32, one channel and 27 tokens, the model with attention has 11.51M parameters; the
      paper counts 11.5M.

    Of the Transformer alone:

    - `num_hidden_layers`, `num_attention_heads`: as in Vaswani et al. (2017).
    - `ffn_dim`: the inner width of equation 7. The paper does not tell its own; with 64, the default, ResNet-18 at
      stride 32, one channel and 27 tokens the model has 11.84M parameters, and the paper counts 11.8M.
    - `norm_position`: "after" each residual sum (Vaswani et al.) or "before" each sub-layer.
    - `position_encoding`: equation 8 is added to the token embedding ("add": the paper's figure 2), or both, each
      `d_model` wide, are concatenated and projected back to `d_model` ("concat": the paper's text).

    Raises ValueError that names the option.
    """

    model_type = "derender"
    _auto_class: ClassVar[str] = "AutoConfig"  # its code is saved with it
    attribute_map = {"hidden_size": "d_model"}
    keys_to_ignore_at_inference = ["past_key_values", "cache"]

    language: dict | None = None
    vocab_size: int | None = None
    pad_token_id: int = 0
    bos_token_id: int = 1
    eos_token_id: int = 2
    decoder_start_token_id: int = 1
    max_specification_length: int = 80
    specification_order: str = "type"
    image_size: list[int] | tuple[int, int] = (256, 256)
    num_channels: int = 1
    backbone: str = "resnet18"
    backbone_stride: int = 32
    feature_positions: str = "none"
    decoder_type: str = "transformer"
    d_model: int = 128
    num_hidden_layers: int = 4
    num_attention_heads: int = 8
    ffn_dim: int = 64
    dropout: float = 0.1
    norm_position: str = "after"
    position_encoding: str = "add"
    lstm_attention: str = "additive"
    number_embeddings: str = "random"
    use_cache: bool = True
    is_encoder_decoder: bool = True
    tie_word_embeddings: bool = False
    test_time_augmentation: bool = False

    def __post_init__(self, **kwargs):
        self.image_size = list(self.image_size)
        self._check()
        super().__post_init__(**kwargs)

    @classmethod
    def from_language(cls, language: Language, **options) -> DerenderConfig:
        """The config of a model that reads `language`; `options` are any fields that do not follow from it.

        Raises ValueError for an option that follows from the language or belongs to another kind of decoder, an
        unknown one or a wrong one.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(options) - known)
        if unknown:
            raise ValueError(f"unknown model option {unknown[0]!r}; known: {', '.join(sorted(known))}")
        from_canvas = {"image_size": language.canvas.pixels, "num_channels": language.canvas.channels}
        from_vocabulary = {
            "language": language.to_dict(),
            "vocab_size": language.vocab_size,
            "pad_token_id": language.pad_token_id,
            "bos_token_id": language.bos_token_id,
            "eos_token_id": language.eos_token_id,
            "decoder_start_token_id": language.bos_token_id,
        }
        following = sorted(set(options) & set(from_vocabulary))
        if following:
            raise ValueError(f"model option {following[0]!r} follows from the language and cannot be given")
        decoder_type = options.get("decoder_type", cls.decoder_type)
        for other, names in OPTIONS_OF.items():
            useless = sorted(set(options) & set(names))
            if useless and other != decoder_type:
                raise ValueError(
                    f"model option {useless[0]!r} belongs to decoder_type {other!r}, not {decoder_type!r}"
                )
        return cls(**(from_canvas | options | from_vocabulary))

    def _check(self) -> None:
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name}: {getattr(self, name)!r} is unknown; known: {', '.join(map(str, known))}")
        for name in COUNTS:
            self._check_count(name, getattr(self, name))
        if len(self.image_size) != 2:
            raise ValueError(f"image_size: {self.image_size!r} is not [height, width]")
        for size in self.image_size:
            self._check_count("image_size", size)
        if self.decoder_type == "transformer" and self.d_model % self.num_attention_heads:
            raise ValueError(
                f"d_model: {self.d_model} is not divisible by num_attention_heads, {self.num_attention_heads}"
            )
        if self.d_model % 4:
            raise ValueError(f"d_model: {self.d_model} is not divisible by 4, as sinusoidal positions need")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout: {self.dropout!r} is not in [0, 1)")

    @staticmethod
    def _check_count(name: str, value) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name}: {value!r} is not a positive whole number")
