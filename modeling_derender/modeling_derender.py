"""The model: an image encoder (timm) and a decoder that writes the specification, trained and generated from here."""

from __future__ import annotations

from functools import cached_property

import timm
import torch
from safetensors import SafetensorError
from torch import nn
from torch.nn import functional as F
from transformers import GenerationMixin, LogitsProcessorList, PreTrainedModel, initialization
from transformers.cache_utils import Cache
from transformers.modeling_outputs import BaseModelOutput, Seq2SeqLMOutput
from transformers.utils import can_return_tuple

from .cache_name import CACHE
from .configuration_derender import DerenderConfig
from .decoder_lstm import LSTMDecoder
from .decoder_transformer import SinusoidalPositions, TransformerDecoder, sinusoidal_encoding
from .grammar import Grammar, SpecificationGrammar
from .language import Language
from .number_embeddings import arrange_numbers
from .shifted_views import shift_views


DECODERS = {"transformer": TransformerDecoder, "lstm": LSTMDecoder}


class DerenderPreTrainedModel(PreTrainedModel):
    """Loading, saving and initialisation, common to the model and its parts."""

    config_class = DerenderConfig
    base_model_prefix = "model"
    main_input_name = "pixel_values"
    input_modalities = ("image",)
    _supports_sdpa = True
    # In bfloat16, BatchNorm's running statistics stop moving: their updates are smaller than its precision.
    _keep_in_fp32_modules_strict = ["backbone"]

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, *args, **kwargs):
        """As of Transformers; ValueError names the model whose weights are damaged."""
        try:
            return super().from_pretrained(pretrained_model_name_or_path, *args, **kwargs)
        except SafetensorError as error:
            reason = f"the weights cannot be read ({error}); the file is damaged or cut short"
            raise ValueError(f"{pretrained_model_name_or_path}: {reason}") from error

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            initialization.xavier_uniform_(module.weight)
            if module.bias is not None:
                initialization.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            # The decoder multiplies embeddings by sqrt(d_model) (Vaswani et al., section 3.4): unit variance there.
            initialization.normal_(module.weight, std=self.config.d_model**-0.5)
            if self.config.number_embeddings == "sinusoidal":
                initialization.copy_(module.weight, arrange_numbers(module.weight, self.language))
        elif isinstance(module, SinusoidalPositions):
            initialization.copy_(module.table, module.compute_table())
        else:
            super()._init_weights(module)


class TimmBackbone(DerenderPreTrainedModel):
    """A timm network cut at `config.backbone_stride`: pixels (B, C, H, W) to a map (B, F, H / stride, W / stride).

    Its weights start as timm initialises them, or as trained with `load_pretrained_weights`. Raises ValueError for a
    name timm does not know, or a network that has no map of that stride or has its channels last.
    """

    def __init__(self, config: DerenderConfig):
        super().__init__(config)
        self.network = self._create_network(pretrained=False)
        self.num_features = self.network.feature_info.channels()[-1]
        for parameter in self.network.parameters():
            # Already initialised by timm, unless built without memory to be filled from a checkpoint.
            parameter._is_hf_initialized = not parameter.is_meta
        self.post_init()

    def _create_network(self, pretrained: bool) -> nn.Module:
        name, stride = self.config.backbone, self.config.backbone_stride
        if not timm.is_model(name):
            raise ValueError(f"backbone: timm {timm.__version__} has no model {name!r}; see timm.list_models()")
        # Networks differ in their first maps, and agree in the last: stride 32 is the last, 16 the one before.
        index = {32: -1, 16: -2, 8: -3, 4: -4}[stride]
        network = timm.create_model(
            name,
            pretrained=pretrained,
            features_only=True,
            out_indices=(index,),
            in_chans=self.config.num_channels,
        )
        if network.feature_info.reduction() != [stride]:
            raise ValueError(f"backbone_stride: {name} has no feature map of stride {stride}")
        # Not every network tells its format; those that do not have their channels first.
        if getattr(network, "output_fmt", "NCHW") != "NCHW":
            raise ValueError(f"backbone: {name} has its channels last; take one with feature maps (B, F, h, w)")
        return network

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        # Reached by each module of which a checkpoint lacks anything, be it a buffer that is never saved. What it has
        # stays: torch's own functions are guarded to pass over that, timm's are not.
        if not hasattr(module, "reset_parameters"):
            return
        own = (*module.parameters(recurse=False), *module.buffers(recurse=False))
        kept = [(tensor, tensor.clone()) for tensor in own if getattr(tensor, "_is_hf_initialized", False)]
        module.reset_parameters()
        for tensor, value in kept:
            tensor.copy_(value)

    def load_pretrained_weights(self) -> None:
        """Replace the weights by timm's pretrained ones (of ImageNet, for ResNets), which are downloaded."""
        self.network.load_state_dict(self._create_network(pretrained=True).state_dict())

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        return self.network(pixel_values)[-1]


class DerenderEncoder(DerenderPreTrainedModel):
    """Pixels to features: the backbone's map, projected to `d_model`, a row of features an image."""

    def __init__(self, config: DerenderConfig):
        super().__init__(config)
        self.backbone = TimmBackbone(config)
        self.projection = nn.Linear(self.backbone.num_features, config.d_model)
        self.post_init()

    @can_return_tuple
    def forward(
        self, pixel_values: torch.Tensor, output_hidden_states: bool | None = None, **kwargs
    ) -> BaseModelOutput:
        """`pixel_values` (B, C, H, W) to `last_hidden_state` (B, N, D), the N = H/stride * W/stride cells by rows.

        `hidden_states` holds nothing else: what the backbone computes before is no sequence.
        """
        features = self.project(self.find_map(pixel_values))
        return BaseModelOutput(last_hidden_state=features, hidden_states=(features,) if output_hidden_states else None)

    def find_map(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """`pixel_values` (B, C, H, W) to the backbone's map (B, F, h, w), h and w being H and W over the stride.

        With the config's `test_time_augmentation`, and outside training, the mean of the maps of `shift_views`.
        """
        if pixel_values.ndim != 4 or pixel_values.shape[1] != self.config.num_channels:
            raise ValueError(
                f"pixel_values: shape {tuple(pixel_values.shape)} is not (batch, {self.config.num_channels}, height, "
                "width); num_channels is in the config"
            )
        pixel_values = pixel_values.to(self.backbone.dtype)
        if self.training or not self.config.test_time_augmentation:
            return self.backbone(pixel_values)
        return torch.stack([self.backbone(view) for view in shift_views(pixel_values)]).mean(dim=0)

    def project(self, feature_map: torch.Tensor) -> torch.Tensor:
        """(B, F, h, w) to the features (B, h * w, D)."""
        rows, columns = feature_map.shape[-2:]
        features = self.projection(feature_map.flatten(2).mT.to(self.projection.weight.dtype))
        if self.config.feature_positions == "2d":
            features = features + self._positions(rows, columns, features)
        return features

    def _positions(self, rows: int, columns: int, like: torch.Tensor) -> torch.Tensor:
        """(rows * columns, D): equation 8 of the row in the first half, of the column in the second."""
        width = self.config.d_model // 2
        row_part = sinusoidal_encoding(torch.arange(rows, device=like.device), width)[:, None].expand(-1, columns, -1)
        column_part = sinusoidal_encoding(torch.arange(columns, device=like.device), width).expand(rows, -1, -1)
        return torch.cat((row_part, column_part), dim=-1).flatten(0, 1).to(like.dtype)


class DerenderForConditionalGeneration(DerenderPreTrainedModel, GenerationMixin):
    """Reads an image and writes its specification as tokens.

    `generate(pixel_values=...)` obeys the grammar of the config's language and closes within
    `config.max_specification_length` tokens, or the `max_length` it is given; `use_grammar=False` lifts the grammar.
    """

    _auto_class = "AutoModelForImageTextToText"
    _tied_weights_keys = {"lm_head.weight": "decoder.embed_tokens.weight"}
    # The loss is a mean over the batch's own tokens; Trainer must not expect it to divide by a count it passes.
    accepts_loss_kwargs = False

    def __init__(self, config: DerenderConfig):
        super().__init__(config)
        if config.vocab_size is None:
            raise ValueError("vocab_size: not set; build the config with DerenderConfig.from_language")
        if config.language is not None:
            Language.from_dict(config.language)  # what cannot be read is told now, not at the first picture
        self.encoder = DerenderEncoder(config)
        self.decoder = DECODERS[config.decoder_type](config)
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self.generation_config.max_length = config.max_specification_length
        self.post_init()

    def save_pretrained(self, save_directory, *args, **kwargs):
        """Save config, weights (safetensors) and the code, which load where this package is not installed."""
        # This import also puts the pipeline's file among those that are saved, which are found by their imports.
        from .pipeline_derender import TASK, ImageToSpecPipeline

        self.config.auto_map = {"AutoModel": f"modeling_derender.{type(self).__name__}"}
        self.config.custom_pipelines = {
            TASK: {
                "impl": f"pipeline_derender.{ImageToSpecPipeline.__name__}",
                "pt": [self._auto_class],
                "type": "image",
            }
        }
        return super().save_pretrained(save_directory, *args, **kwargs)

    @property
    def _is_stateful(self) -> bool:
        """Whether the decoder cannot go back to an earlier token, as assisted generation would have it do."""
        return self.config.decoder_type == "lstm"

    def _supports_default_dynamic_cache(self) -> bool:
        """Whether `generate` makes the cache; else the decoder makes its own at the first token."""
        return not self._is_stateful

    def adjust_generation_fn(self, *args, **kwargs) -> None:
        """Loads the generation config; where the checkpoint has none, the model's length still holds."""
        super().adjust_generation_fn(*args, **kwargs)
        if self.generation_config.max_length is None:
            self.generation_config.max_length = self.config.max_specification_length

    @property
    def dtype(self) -> torch.dtype:
        """The decoder's, which is what a checkpoint is saved as; the backbone is float32 even in a half model."""
        return self.lm_head.weight.dtype

    def get_input_embeddings(self) -> nn.Embedding:
        return self.decoder.embed_tokens

    @cached_property
    def language(self) -> Language:
        """The language in the config; ValueError where it has none."""
        if self.config.language is None:
            raise ValueError("language: the config has none; build it with DerenderConfig.from_language")
        return Language.from_dict(self.config.language)

    @cached_property
    def grammar(self) -> Grammar:
        return Grammar(self.language)

    @can_return_tuple
    def forward(
        self,
        pixel_values: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        decoder_input_ids: torch.Tensor | None = None,
        decoder_attention_mask: torch.Tensor | None = None,
        encoder_outputs: BaseModelOutput | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        cache: Cache | None = None,
    ) -> Seq2SeqLMOutput:
        """Logits (B, T, V) of the tokens that follow `decoder_input_ids` (B, T), and their loss.

        `pixel_values` (B, C, H, W), or `encoder_outputs` in their place; there may be more rows of tokens than images,
        those of one image together. `labels` (B, T) are a specification without
        its start token, -100 where ignored; without `decoder_input_ids` the model is fed the labels shifted right.
        `loss` is the mean cross-entropy over the labels that count, in float32. `output_attentions` adds
        `cross_attentions`, (B, H, T, N) a layer, and the Transformer's `decoder_attentions`; the Transformer needs
        `attn_implementation="eager"` for it. `output_hidden_states` adds `decoder_hidden_states` and
        `encoder_hidden_states`. `cache` and `past_key_values` are the same, by Transformers' new name and its old one.
        """
        if cache is not None and past_key_values is not None:
            raise ValueError("cache and past_key_values: they are the same; give one of them")
        if encoder_outputs is None:
            if pixel_values is None:
                raise ValueError("pixel_values or encoder_outputs: the model needs one of them")
            encoder_outputs = self.encoder(pixel_values, output_hidden_states=output_hidden_states)
        if decoder_input_ids is None:
            if labels is None:
                raise ValueError("labels or decoder_input_ids: the model needs one of them")
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(labels)
        num_rows, num_images = len(decoder_input_ids), len(encoder_outputs[0])
        if num_rows == 0 or num_rows % num_images:
            raise ValueError(f"decoder_input_ids: {num_rows} rows for {num_images} images; give each image as many")
        if use_cache is None:
            use_cache = self.config.use_cache and labels is None
        decoded = self.decoder(
            decoder_input_ids,
            encoder_hidden_states=encoder_outputs[0],
            attention_mask=decoder_attention_mask,
            cache=past_key_values if cache is None else cache,
            use_cache=use_cache,
            output_attentions=bool(output_attentions),
            output_hidden_states=bool(output_hidden_states),
        )
        logits = self.lm_head(decoded.last_hidden_state)
        loss = None
        if labels is not None:
            loss = F.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=-100)
        return Seq2SeqLMOutput(
            loss=loss,
            logits=logits,
            **{CACHE: decoded.get(CACHE)},
            decoder_hidden_states=decoded.hidden_states,
            decoder_attentions=decoded.attentions,
            cross_attentions=decoded.cross_attentions,
            encoder_last_hidden_state=encoder_outputs[0],
            encoder_hidden_states=getattr(encoder_outputs, "hidden_states", None) if output_hidden_states else None,
        )

    def prepare_decoder_input_ids_from_labels(self, labels: torch.Tensor) -> torch.Tensor:
        """`labels` (B, T) shifted right behind the start token; what is ignored becomes padding."""
        shifted = labels.roll(1, dims=-1)
        shifted[:, 0] = self.config.decoder_start_token_id
        return shifted.masked_fill_(shifted == -100, self.config.pad_token_id)

    def _prepare_generation_config(self, generation_config, use_grammar: bool | None = None, **kwargs):
        """Takes `use_grammar` from the arguments of `generate` and hands it on, to `_get_logits_processor`."""
        prepared, model_kwargs = super()._prepare_generation_config(generation_config, **kwargs)
        if use_grammar is not None:
            prepared.use_grammar = use_grammar
        return prepared, model_kwargs

    def _get_logits_processor(self, generation_config, **kwargs) -> LogitsProcessorList:
        """The grammar comes first, so that all other processors choose among what it allows."""
        processors = super()._get_logits_processor(generation_config, **kwargs)
        if getattr(generation_config, "use_grammar", True):
            if generation_config.min_length or generation_config.min_new_tokens:
                raise ValueError(
                    "min_length, min_new_tokens: the grammar decides when a specification may end; give neither, or "
                    "use_grammar=False"
                )
            processors.insert(0, SpecificationGrammar(self.grammar, generation_config.max_length))
        return processors
