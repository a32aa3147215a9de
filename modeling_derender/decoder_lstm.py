"""The LSTM decoder of the paper's section 3.1, with additive attention to the image features or without any."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional as F
from transformers.cache_utils import Cache, CacheLayerMixin
from transformers.modeling_outputs import BaseModelOutputWithPastAndCrossAttentions

from .cache_name import CACHE
from .configuration_derender import DerenderConfig


FORGET_BIAS = 1.0  # a new cell keeps most of what it holds (Jozefowicz et al. 2015)


class LSTMState(CacheLayerMixin):
    """Where the decoder stands, as the one layer of a Cache: all that the next token needs of those before it.

    `keys` is s_t (R, D), `values` the LSTM's cell (R, D), `projected` W f_i + b of equation 3 (B, N, D), computed once
    an image (None without attention), `length` the number of tokens read. Beams are reordered within their image, so
    `projected`, like the features themselves, stays as it is.
    """

    def __init__(self, hidden: torch.Tensor, cell: torch.Tensor, projected: torch.Tensor | None):
        super().__init__()
        self.projected, self.length = projected, 0
        self._first = hidden, cell
        self.lazy_initialization(hidden, cell)

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        self.keys, self.values = key_states, value_states
        self.dtype, self.device = key_states.dtype, key_states.device
        self.is_initialized = True

    def update(self, key_states, value_states) -> tuple[torch.Tensor, torch.Tensor]:
        """Replace the state by the one a token later."""
        self.keys, self.values = key_states, value_states
        self.length += 1
        return self.keys, self.values

    def reset(self) -> None:
        """Back to before the first token."""
        self.keys, self.values = self._first
        self.length = 0

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.length + query_length, 0

    def get_seq_length(self) -> int:
        return self.length

    def get_max_length(self) -> int:
        return -1


class AdditiveAttention(nn.Module):
    """Equations 2 and 3: what of the image to look at, given the decoder's state."""

    def __init__(self, config: DerenderConfig):
        super().__init__()
        self.feature_proj = nn.Linear(config.d_model, config.d_model)
        self.state_proj = nn.Linear(config.d_model, config.d_model, bias=False)
        self.score = nn.Linear(config.d_model, 1, bias=False)

    def forward(self, hidden, features, projected):
        """s_{t-1} (R, D), f (B, N, D) and W f + b (B, N, D) to the context c_t (R, D) and its weights (R, N).

        The rows of one image, R / B of them, stand together.
        """
        query = self.state_proj(hidden).view(len(projected), -1, 1, hidden.shape[-1])
        energies = self.score((projected[:, None] + query).tanh_()).squeeze(-1)
        weights = energies.softmax(dim=-1)
        return (weights @ features).flatten(0, 1), weights.flatten(0, 1)


class LSTMDecoder(nn.Module):
    """Token ids and image features to hidden states, one token after another.

    The mean feature gives the LSTM's first state (Xu et al. 2015). With `lstm_attention` "none" that is all it learns
    of the image, as in the CNN+LSTM that the paper's Table 2 compares with.
    """

    def __init__(self, config: DerenderConfig):
        super().__init__()
        self.config = config
        width = config.d_model
        self.embed_tokens = nn.Embedding(config.vocab_size, width)
        self.embed_scale = math.sqrt(width)
        self.initial_state = nn.Linear(width, 2 * width)
        self.attention = AdditiveAttention(config) if config.lstm_attention == "additive" else None
        self.token_gates = nn.Linear(width, 4 * width)
        self.state_gates = nn.Linear(width if self.attention is None else 2 * width, 4 * width, bias=False)

    @property
    def has_attention(self) -> bool:
        return self.attention is not None

    def forward(
        self,
        input_ids: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        cache: Cache | None = None,
        use_cache: bool = False,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> BaseModelOutputWithPastAndCrossAttentions:
        """`input_ids` (B, T) and `encoder_hidden_states` (B, N, D) to `last_hidden_state` (B, T, D).

        There may be fewer images than rows of tokens: then the rows of one image, as many for each, stand together.
        With a cache of P tokens, `input_ids` are those that follow. `attention_mask` (B, P + T) is needed only where
        padding stands before a token that counts: it leaves the state as it was. `hidden_states` are the embedded
        tokens and the output, `cross_attentions` one layer's (B, 1, T, N). Raises ValueError where attentions are
        asked of a decoder without attention.
        """
        if output_attentions and not self.has_attention:
            raise ValueError("output_attentions: this model's decoder has no attention (lstm_attention is 'none')")
        embedded = F.dropout(self.embed_tokens(input_ids) * self.embed_scale, self.config.dropout, self.training)
        # Autocast would round the state at each of its many steps, and it would lose what it has gathered.
        with torch.autocast(embedded.device.type, enabled=False):
            features = encoder_hidden_states.to(embedded.dtype)
            state = self._begin(features, len(input_ids)) if cache is None else _state_of(cache)
            mask = None if attention_mask is None else attention_mask[:, -input_ids.shape[1] :, None].bool()
            hidden, weights = zip(*self._steps(embedded, features, state, mask), strict=True)
        output = F.dropout(torch.stack(hidden, dim=1), self.config.dropout, self.training)
        if use_cache and cache is None:
            cache = Cache(layers=[state])
        return BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=output,
            **{CACHE: cache},
            hidden_states=(embedded, output) if output_hidden_states else None,
            cross_attentions=(torch.stack(weights, dim=1)[:, None],) if output_attentions else None,
        )

    def _begin(self, features: torch.Tensor, num_rows: int) -> LSTMState:
        first = self.initial_state(features.mean(dim=1)).tanh()
        hidden, cell = first.repeat_interleave(num_rows // len(features), dim=0).chunk(2, dim=-1)
        return LSTMState(hidden, cell, None if self.attention is None else self.attention.feature_proj(features))

    def _steps(self, embedded, features, state: LSTMState, mask) -> Iterator[tuple[torch.Tensor, torch.Tensor | None]]:
        """s_t (B, D) of each token and the weights (B, N) of where the decoder looked for it; `state` moves on."""
        token_gates = self.token_gates(embedded).unbind(dim=1)
        for position, gates in enumerate(token_gates):
            hidden, weights = state.keys, None
            if self.attention is not None:
                context, weights = self.attention(hidden, features, state.projected)
                hidden = torch.cat((context, hidden), dim=-1)
            hidden, cell = step_lstm(gates + self.state_gates(hidden), state.values)
            if mask is not None:
                hidden, cell = (
                    torch.where(mask[:, position], new, old)
                    for new, old in ((hidden, state.keys), (cell, state.values))
                )
            state.update(hidden, cell)
            yield hidden, weights


def _state_of(cache: Cache) -> LSTMState:
    layers = getattr(cache, "layers", ())
    if len(layers) != 1 or not isinstance(layers[0], LSTMState):
        kind = type(cache).__name__
        raise ValueError(f"cache: an LSTM goes on from the cache that it made itself, not from a {kind}")
    return layers[0]


def step_lstm(gates: torch.Tensor, cell: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Hochreiter and Schmidhuber (1997) with a forget gate: pre-activations (B, 4 D) and the cell (B, D) to both new.

    The gates stand as input, forget, output, candidate.
    """
    width = cell.shape[-1]
    candidate = gates[:, 3 * width :].tanh()
    enter, keep, leave = gates[:, : 3 * width].unflatten(-1, (3, width)).unbind(1)
    cell = (keep + FORGET_BIAS).sigmoid() * cell + enter.sigmoid() * candidate
    return leave.sigmoid() * cell.tanh(), cell
