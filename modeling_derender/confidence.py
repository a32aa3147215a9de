"""How sure a model is of each object that it read in a picture, and where in the picture it looked for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from .grammar import SpecificationGrammar
from .modeling_derender import DerenderForConditionalGeneration
from .specification import objects_to_ids


def score_objects(
    model: DerenderForConditionalGeneration, pixel_values: torch.Tensor, objects: Sequence[Sequence[dict]]
) -> list[list[float]]:
    """The confidence in each object of each picture: the product of its tokens' probabilities, from 0 to 1.

    `pixel_values` (B, C, H, W); `objects` are B lists of canonical objects in the order in which they were written,
    such as what was generated. A token's probability is the model's given the picture and all tokens before,
    renormalised over those that the grammar allows there. Raises ValueError for objects that the grammar does not
    allow, or that are too many for the model's length.
    """
    sequences = _as_sequences(model, objects)
    with torch.inference_mode():
        logits = model(pixel_values=pixel_values, decoder_input_ids=sequences[:, :-1], use_cache=False).logits
    grammar = SpecificationGrammar(model.grammar, model.generation_config.max_length)
    scores = grammar.restrict(sequences, logits.float()).log_softmax(-1)
    tokens = scores.gather(-1, sequences[:, 1:, None]).squeeze(-1)
    return [
        [tokens[row, first - 1 : last - 1].sum().exp().item() for first, last in spans]
        for row, spans in enumerate(_find_spans(model, objects))
    ]


def find_looks(
    model: DerenderForConditionalGeneration, pixel_values: torch.Tensor, objects: Sequence[Sequence[dict]]
) -> list[list[torch.Tensor]]:
    """Where the model looked for each object of each picture: float32 (rows, columns) that sum to 1.

    The attention to the features, averaged over the object's tokens and over layers and heads; arguments as in
    `score_objects`. Raises ValueError for a model without attention.
    """
    sequences = _as_sequences(model, objects)
    with torch.inference_mode(), _eager(model):
        output = model(
            pixel_values=pixel_values, decoder_input_ids=sequences[:, :-1], use_cache=False, output_attentions=True
        )
    stride = model.config.backbone_stride
    grid = [-(-side // stride) for side in pixel_values.shape[-2:]]
    attention = torch.stack([layer.float().mean(dim=1) for layer in output.cross_attentions]).mean(dim=0)
    attention = attention.unflatten(-1, grid)
    return [
        [attention[row, first - 1 : last - 1].mean(dim=0).cpu() for first, last in spans]
        for row, spans in enumerate(_find_spans(model, objects))
    ]


def _as_sequences(model, objects: Sequence[Sequence[dict]]) -> torch.Tensor:
    """Token ids (B, T) with both ends, padded."""
    rows = [torch.tensor(objects_to_ids(model.language, items)) for items in objects]
    padding = model.config.pad_token_id
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=padding).to(model.device)


def _find_spans(model, objects: Sequence[Sequence[dict]]) -> Iterator[list[tuple[int, int]]]:
    """For each picture, where each object's tokens begin and end in its sequence."""
    language = model.language
    for items in objects:
        spans, begin = [], 1
        for item in items:
            end = begin + 1 + len(language.categories[item[language.category_property]].slots)
            spans.append((begin, end))
            begin = end
        yield spans


@contextmanager
def _eager(model) -> Iterator[None]:
    """The one attention of the Transformer that shows its weights."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)
