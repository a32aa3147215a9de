"""One decode loop over the rows of many images, greedy ones and samples together, under the grammar."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer, EncoderDecoderCache

from .cache_name import CACHE
from .grammar_tables import GrammarTables
from .modeling_derender import DerenderForConditionalGeneration


LOOK_EVERY = 8  # steps between looks whether all rows have ended: each look waits for the device


@dataclass(frozen=True)
class Rollout:
    """What was decoded, R rows: those of an image stand together, its greedy row, if there is one, first.

    `sequences` (R, T) int64 begin with the start token and are padded behind the end token. `allowed` (R, T - 1, V)
    bool are the tokens that the grammar let follow, and `log_probs` (R, T - 1) float32 those of the tokens that did,
    renormalised over them: 0 for padding, which nothing else may follow. `objects` (R, M, D) int64 are the tokens of
    each row's `num_objects` (R,) objects, -1 where there is none.
    """

    sequences: Tensor
    log_probs: Tensor
    allowed: Tensor
    objects: Tensor
    num_objects: Tensor

    def take(self, rows: Tensor) -> Rollout:
        """Some of the rows, `rows` (R,) bool or their numbers."""
        return Rollout(*(getattr(self, field.name)[rows] for field in fields(self)))


class PreallocatedLayer(DynamicLayer):
    """Keys and values of one layer in memory that is taken once, for `length` positions."""

    def __init__(self, length: int):
        super().__init__()
        self.length, self.used = length, 0

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        super().lazy_initialization(key_states, value_states)
        shape = (*key_states.shape[:2], self.length, key_states.shape[-1])
        self._memory = tuple(states.new_empty(shape) for states in (key_states, value_states))

    def update(self, key_states: Tensor, value_states: Tensor, *args, **kwargs) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        begin, self.used = self.used, self.used + key_states.shape[-2]
        for memory, states in zip(self._memory, (key_states, value_states), strict=True):
            memory[:, :, begin : self.used] = states
        self.keys, self.values = (memory[:, :, : self.used] for memory in self._memory)
        return self.keys, self.values


@torch.no_grad()
def roll_out(
    model: DerenderForConditionalGeneration,
    features: Tensor,
    tables: GrammarTables,
    uniform: Tensor | None = None,
    greedy: bool = True,
    max_length: int | None = None,
    temperature: float = 1.0,
    full_length: bool = False,
) -> Rollout:
    """Decode the images of `features` (B, N, D): a greedy row for each if `greedy`, and K samples.

    `uniform` (B, K, T - 1) in [0, 1) are the random numbers of the samples, one a token: each token is the first at
    which the cumulative probability exceeds its number, so the same numbers give the same samples on any number of
    processes. The policy is softmax(logits / `temperature`), and `max_length` by default the model's. The model is to
    be in evaluation mode, or dropout makes what is decoded and what is scored again two different distributions.
    With `full_length` T is the `max_length` and nothing waits for the device; else it is that of the longest row.

    Raises ValueError where there is neither a greedy row nor a sample.
    """
    max_length = max_length or model.generation_config.max_length
    num_images, num_samples = len(features), 0 if uniform is None else uniform.shape[1]
    width = num_samples + greedy
    if not width:
        raise ValueError("neither greedy rows nor samples: there is nothing to decode")
    state = tables.begin(num_images * width, max_length)
    tokens = torch.full((num_images * width,), model.config.decoder_start_token_id, device=features.device)
    sequences, log_probs, masks = [tokens], [], []
    cache = _make_cache(model, max_length)
    for step in range(max_length - 1):
        output = model(encoder_outputs=(features,), decoder_input_ids=tokens[:, None], cache=cache, use_cache=True)
        cache, allowed = output[CACHE], state.allowed()
        scores = restrict(output.logits[:, 0], allowed, temperature)
        tokens = _choose(scores, None if uniform is None else uniform[:, :, step], num_images, greedy)
        state.advance(tokens)
        sequences.append(tokens)
        log_probs.append(scores.gather(1, tokens[:, None]).squeeze(1))
        masks.append(allowed)
        if not full_length and step % LOOK_EVERY == LOOK_EVERY - 1 and state.all_ended():
            break
    sequences = torch.stack(sequences, dim=1)
    length = max_length if full_length else int((sequences != model.config.pad_token_id).sum(dim=1).max())
    log_probs, allowed = (torch.stack(steps[: length - 1], dim=1) for steps in (log_probs, masks))
    return Rollout(sequences[:, :length], log_probs, allowed, state.objects, state.num_objects)


def restrict(logits: Tensor, allowed: Tensor, temperature: float = 1.0) -> Tensor:
    """Log-probabilities (..., V), float32, renormalised over what is `allowed` (..., V); the rest is at -inf.

    They are those of softmax(logits / `temperature`).
    """
    return (logits.float() / temperature).masked_fill(~allowed, -float("inf")).log_softmax(dim=-1)


def pick_tokens(scores: Tensor, sequences: Tensor) -> Tensor:
    """Those of the scores (R, T - 1, V) that are of a roll-out's own tokens, (R, T - 1)."""
    return scores.gather(-1, sequences[:, 1:, None]).squeeze(-1)


def _choose(scores: Tensor, uniform: Tensor | None, num_images: int, greedy: bool) -> Tensor:
    """The next token of each row (R,): the best in greedy rows, and in others the one that its random number draws."""
    scores = scores.view(num_images, -1, scores.shape[-1])
    chosen = [scores[:, :1].argmax(dim=-1)] if greedy else []
    if uniform is not None:
        cumulative = scores[:, int(greedy) :].exp().cumsum(dim=-1)
        # A number times the whole, which is 1 but for rounding, is below it, and so before the last token's end.
        drawn = (cumulative <= uniform[..., None] * cumulative[..., -1:]).sum(dim=-1)
        chosen.append(drawn.clamp(max=scores.shape[-1] - 1))
    return torch.cat(chosen, dim=1).flatten()


def _make_cache(model: DerenderForConditionalGeneration, length: int) -> Cache | None:
    """A Transformer's, with memory for `length` positions; an LSTM makes its own."""
    if model._is_stateful:
        return None
    layers = [PreallocatedLayer(length) for _ in model.decoder.layers]
    return EncoderDecoderCache(Cache(layers=layers), DynamicCache(config=model.config))
