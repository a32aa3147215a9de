"""The Transformer decoder of the paper's section 3.2: Vaswani et al. (2017), attending to image features."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F
from transformers.cache_utils import DynamicCache, EncoderDecoderCache
from transformers.masking_utils import create_causal_mask
from transformers.modeling_outputs import BaseModelOutputWithPastAndCrossAttentions
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from .cache_name import CACHE
from .configuration_derender import DerenderConfig


def sinusoidal_encoding(positions: torch.Tensor, width: int) -> torch.Tensor:
    """Equation 8: `positions` (N,) to float32 (N, `width`), with sines at even and cosines at odd dimensions."""
    exponents = torch.arange(0, width, 2, dtype=torch.float32, device=positions.device) / width
    angles = positions.float()[:, None] * torch.exp(exponents * -math.log(10000.0))
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)


class SinusoidalPositions(nn.Module):
    """Equation 8 for consecutive positions: a table up to `length`, computed anew for what lies beyond it."""

    def __init__(self, length: int, width: int):
        super().__init__()
        self.register_buffer("table", torch.empty(length, width), persistent=False)
        self.reset_table()

    def compute_table(self) -> torch.Tensor:
        return sinusoidal_encoding(torch.arange(self.table.shape[0], device=self.table.device), self.table.shape[1])

    def reset_table(self) -> None:
        self.table.copy_(self.compute_table())

    def forward(self, start: int, length: int) -> torch.Tensor:
        """The encoding (`length`, width) of the positions from `start` on."""
        if start + length <= self.table.shape[0]:
            return self.table[start : start + length]
        positions = torch.arange(start, start + length, device=self.table.device)
        return sinusoidal_encoding(positions, self.table.shape[1]).to(self.table.dtype)


def eager_attention(module, query, key, value, attention_mask, scaling, dropout=0.0, **kwargs):
    """Equation 6 written out, for `attn_implementation="eager"`: the one way to see the attention weights.

    `query` (B, H, T, d), `key` and `value` (B, H, S, d), `attention_mask` additive, (B or 1, 1, T, S) or None.
    Returns the output (B, T, H, d) and the weights (B, H, T, S).
    """
    scores = query @ key.transpose(2, 3) * scaling
    if attention_mask is not None:
        scores = scores + attention_mask
    weights = F.dropout(scores.softmax(dim=-1), p=dropout, training=module.training)
    return (weights @ value).transpose(1, 2), weights


class Attention(nn.Module):
    """What self- and cross-attention share: MH(Q, K, V) of equations 4 to 6, once Q, K and V are projected."""

    is_causal: bool

    def __init__(self, config: DerenderConfig, layer_index: int):
        super().__init__()
        self.config = config
        self.layer_index = layer_index
        self.num_heads = config.num_attention_heads
        self.scaling = (config.d_model // config.num_attention_heads) ** -0.5
        self.out_proj = nn.Linear(config.d_model, config.d_model)

    def split_heads(self, states: torch.Tensor) -> torch.Tensor:
        """(B, T, D) to (B, H, T, D / H)."""
        return states.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

    def attend(self, query, key, value, mask):
        """Heads (B, H, ., d) and a mask to the output (B, T, D) and the weights (None with sdpa)."""
        if torch.is_autocast_enabled("cpu"):
            # The CPU's attention kernel runs many times slower in bfloat16, unlike its matrices and convolutions.
            with torch.autocast("cpu", enabled=False):
                output, weights = self._mix(query.float(), key.float(), value.float(), mask)
        else:
            output, weights = self._mix(query, key, value, mask)
        return self.out_proj(output.flatten(2)), weights

    def _mix(self, query, key, value, mask):
        attention = ALL_ATTENTION_FUNCTIONS.get_interface(self.config._attn_implementation, eager_attention)
        # Vaswani et al. drop sub-layer outputs, not attention weights; this also keeps the fast kernels.
        return attention(self, query, key, value, mask, scaling=self.scaling, dropout=0.0)


class SelfAttention(Attention):
    """Masked self-attention; with a cache, to the earlier positions held there as well."""

    is_causal = True

    def __init__(self, config: DerenderConfig, layer_index: int):
        super().__init__(config, layer_index)
        self.qkv_proj = nn.Linear(config.d_model, 3 * config.d_model)

    def forward(self, hidden, mask, cache: EncoderDecoderCache | None):
        query, key, value = (self.split_heads(states) for states in self.qkv_proj(hidden).chunk(3, dim=-1))
        if cache is not None:
            key, value = cache.self_attention_cache.update(key, value, self.layer_index)
        return self.attend(query, key, value, mask)


class CrossAttention(Attention):
    """Attention to the image features; with a cache, their keys and values are computed once an image.

    There may be fewer images than rows of `hidden`: then the rows of one image, as many for each, stand together.
    """

    is_causal = False

    def __init__(self, config: DerenderConfig, layer_index: int):
        super().__init__(config, layer_index)
        self.q_proj = nn.Linear(config.d_model, config.d_model)
        self.kv_proj = nn.Linear(config.d_model, 2 * config.d_model)

    def forward(self, hidden, features, cache: EncoderDecoderCache | None):
        key, value = self._keys_and_values(features, cache)
        # Nothing is masked, so the queries of all rows of an image can share its keys, one row behind another.
        queries = self.q_proj(hidden).reshape(len(key), -1, hidden.shape[-1])
        output, weights = self.attend(self.split_heads(queries), key, value, None)
        if weights is not None:
            weights = weights.unflatten(2, (-1, hidden.shape[1])).transpose(1, 2).flatten(0, 1)
        return output.view_as(hidden), weights

    def _keys_and_values(self, features, cache):
        if cache is not None and cache.is_updated.get(self.layer_index):
            layer = cache.cross_attention_cache.layers[self.layer_index]
            return layer.keys, layer.values
        key, value = (self.split_heads(states) for states in self.kv_proj(features).chunk(2, dim=-1))
        if cache is not None:
            key, value = cache.cross_attention_cache.update(key, value, self.layer_index)
            cache.is_updated[self.layer_index] = True
        return key, value


class FeedForward(nn.Module):
    """Equation 7: FFN(x) = max(0, x W1 + b1) W2 + b2."""

    def __init__(self, config: DerenderConfig):
        super().__init__()
        self.fc1 = nn.Linear(config.d_model, config.ffn_dim)
        self.fc2 = nn.Linear(config.ffn_dim, config.d_model)

    def forward(self, hidden):
        return self.fc2(F.relu(self.fc1(hidden)))


class DecoderLayer(nn.Module):
    """Self-attention, attention to the image and feed-forward, each in a residual sum normalised after or before."""

    def __init__(self, config: DerenderConfig, layer_index: int):
        super().__init__()
        self.norm_before = config.norm_position == "before"
        self.dropout = config.dropout
        self.self_attention = SelfAttention(config, layer_index)
        self.self_attention_norm = nn.LayerNorm(config.d_model)
        self.cross_attention = CrossAttention(config, layer_index)
        self.cross_attention_norm = nn.LayerNorm(config.d_model)
        self.feed_forward = FeedForward(config)
        self.feed_forward_norm = nn.LayerNorm(config.d_model)

    def forward(self, hidden, features, mask, cache):
        """`hidden` (B, T, D) and `features` (B, N, D) to the new `hidden` and both attentions' weights."""
        output, self_weights = self.self_attention(self._enter(hidden, self.self_attention_norm), mask, cache)
        hidden = self._leave(hidden, output, self.self_attention_norm)
        output, cross_weights = self.cross_attention(self._enter(hidden, self.cross_attention_norm), features, cache)
        hidden = self._leave(hidden, output, self.cross_attention_norm)
        output = self.feed_forward(self._enter(hidden, self.feed_forward_norm))
        return self._leave(hidden, output, self.feed_forward_norm), self_weights, cross_weights

    def _enter(self, hidden, norm):
        return norm(hidden) if self.norm_before else hidden

    def _leave(self, hidden, output, norm):
        hidden = hidden + F.dropout(output, p=self.dropout, training=self.training)
        return hidden if self.norm_before else norm(hidden)


class TransformerDecoder(nn.Module):
    """Token ids and image features to hidden states, in one pass (teacher forcing) or a token at a time (a cache)."""

    has_attention = True

    def __init__(self, config: DerenderConfig):
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.d_model)
        self.embed_scale = math.sqrt(config.d_model)
        self.positions = SinusoidalPositions(config.max_specification_length, config.d_model)
        concat = config.position_encoding == "concat"
        self.position_proj = nn.Linear(2 * config.d_model, config.d_model) if concat else None
        self.layers = nn.ModuleList(DecoderLayer(config, index) for index in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.d_model) if config.norm_position == "before" else nn.Identity()

    def forward(
        self,
        input_ids: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        cache: EncoderDecoderCache | None = None,
        use_cache: bool = False,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> BaseModelOutputWithPastAndCrossAttentions:
        """`input_ids` (B, T) and `encoder_hidden_states` (B, N, D) to `last_hidden_state` (B, T, D).

        There may be fewer images than rows of tokens: then the rows of one image, as many for each, stand together.
        With a cache of P positions, `input_ids` are those that follow. `attention_mask` (B, P + T) is needed only
        where padding stands before a token that counts: no position sees a later one. `hidden_states` are the embedded
        tokens, then each layer's output, the last as in `last_hidden_state`.
        """
        if output_attentions and self.config._attn_implementation != "eager":
            raise ValueError('output_attentions: load the model with attn_implementation="eager" to see attentions')
        if use_cache and cache is None:
            cache = EncoderDecoderCache(DynamicCache(config=self.config), DynamicCache(config=self.config))
        self_cache = None if cache is None else cache.self_attention_cache
        hidden = self._embed(input_ids, start=0 if self_cache is None else self_cache.get_seq_length())
        mask = (
            None
            if self._sees_all(input_ids, attention_mask, self_cache)
            else (create_causal_mask(self.config, hidden, attention_mask, self_cache))
        )
        attentions, hidden_states = [], []
        for layer in self.layers:
            hidden_states.append(hidden)
            hidden, *weights = layer(hidden, encoder_hidden_states, mask, cache)
            attentions.append(weights)
        hidden = self.norm(hidden)
        self_weights, cross_weights = zip(*attentions, strict=True)
        return BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden,
            **{CACHE: cache},
            hidden_states=(*hidden_states, hidden) if output_hidden_states else None,
            attentions=self_weights if output_attentions else None,
            cross_attentions=cross_weights if output_attentions else None,
        )

    @staticmethod
    def _sees_all(input_ids: torch.Tensor, attention_mask: torch.Tensor | None, cache) -> bool:
        """Whether a single token follows, and so sees all that the cache holds, unless that has room for more."""
        has_room = cache is not None and cache.is_compileable
        return input_ids.shape[1] == 1 and attention_mask is None and not has_room

    def _embed(self, input_ids: torch.Tensor, start: int) -> torch.Tensor:
        embedded = self.embed_tokens(input_ids) * self.embed_scale
        positions = self.positions(start, input_ids.shape[1])
        if self.position_proj is None:
            embedded = embedded + positions
        else:
            embedded = self.position_proj(torch.cat((embedded, positions.expand_as(embedded)), dim=-1))
        return F.dropout(embedded, p=self.config.dropout, training=self.training)
