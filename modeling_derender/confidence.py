"""How sure a model is of each object that it read in a picture, and where in the picture it looked for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, pairwise

import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence
from transformers.modeling_outputs import BaseModelOutput

from .coordinate_tokens import find_coordinate_tokens
from .grammar import SpecificationGrammar
from .language import Language
from .modeling_derender import DerenderForConditionalGeneration
from .specification import SpecificationError, check_objects, object_words, objects_to_ids


def score_objects(
    model: DerenderForConditionalGeneration,
    pixel_values: torch.Tensor | None,
    objects: Sequence[Sequence[dict]],
    encoder_outputs: BaseModelOutput | None = None,
    near: bool = False,
) -> list[list[float]]:
    """The confidence in each object of each picture: the product of its tokens' probabilities, from 0 to 1.

    With `near`, the probability of a coordinate is that of all numbers near it, as `find_coordinate_tokens` has it:
    how sure the model is of an object that may be off by so much.

    `pixel_values` (B, C, H, W), or `encoder_outputs` in their place; `objects` are B lists of objects in the order in
    which they were written, such as what was generated. A token's probability is the model's given the picture and all
    tokens before, renormalised over those that the grammar allows there. Raises ValueError, naming the picture from 0,
    for objects that are not of the language, that the grammar does not allow together, or that are too many for the
    model's length.
    """
    sequences, spans = _write(model, objects)
    tokens = _score_tokens(model, pixel_values, sequences, encoder_outputs, near)
    return [
        [tokens[row, first - 1 : last - 1].sum().exp().item() for first, last in parts]
        for row, parts in enumerate(spans)
    ]


def score_specifications(
    model: DerenderForConditionalGeneration,
    pixel_values: torch.Tensor | None,
    objects: Sequence[Sequence[dict]],
    encoder_outputs: BaseModelOutput | None = None,
) -> list[float]:
    """The log-probability of all the objects of each picture, and of nothing else; see `score_objects`."""
    sequences, spans = _write(model, objects)
    tokens = _score_tokens(model, pixel_values, sequences, encoder_outputs)
    lengths = [parts[-1][1] if parts else 1 for parts in spans]  # of the tokens after the start, the end among them
    return [tokens[row, :length].sum().item() for row, length in enumerate(lengths)]


def _score_tokens(model, pixel_values, sequences: torch.Tensor, encoder_outputs, near: bool = False) -> torch.Tensor:
    """The log-probability of each token but the first: float32 (B, T - 1)."""
    grammar = SpecificationGrammar(model.grammar, model.generation_config.max_length)
    with _as_generating(model):
        inputs = {"pixel_values": pixel_values, "encoder_outputs": encoder_outputs, "use_cache": False}
        logits = model(**inputs, decoder_input_ids=sequences[:, :-1]).logits
        scores = grammar.restrict(sequences, logits.float()).log_softmax(-1)
        return (_sum_near(model.language, scores) if near else scores).gather(-1, sequences[:, 1:, None]).squeeze(-1)


def _sum_near(language: Language, scores: torch.Tensor) -> torch.Tensor:
    """Log-probabilities (B, T, V), of coordinates those of all that are near."""
    scores = scores.clone()
    for first, last, reach in find_coordinate_tokens(language):
        own = scores[..., first : last + 1]
        padded = F.pad(own, (reach, reach), value=-torch.inf)
        scores[..., first : last + 1] = padded.unfold(-1, 2 * reach + 1, 1).logsumexp(-1).clamp(max=0)
    return scores


def find_looks(
    model: DerenderForConditionalGeneration, pixel_values: torch.Tensor, objects: Sequence[Sequence[dict]]
) -> list[list[torch.Tensor]]:
    """Where the model looked for each object of each picture: float32 (rows, columns) that sum to 1.

    The attention to the cells of the feature map, averaged over the object's tokens and over layers and heads;
    arguments and errors as for `score_objects`. Raises ValueError for a model without attention.
    """
    sequences, spans = _write(model, objects)
    with _as_generating(model), _eager(model):
        feature_map = model.encoder.find_map(pixel_values)
        output = model(
            encoder_outputs=(model.encoder.project(feature_map),),
            decoder_input_ids=sequences[:, :-1],
            use_cache=False,
            output_attentions=True,
        )
        attention = torch.stack([layer.float().mean(dim=1) for layer in output.cross_attentions]).mean(dim=0)
        attention = attention.unflatten(-1, feature_map.shape[-2:]).cpu()
    return [
        [attention[row, first - 1 : last - 1].mean(dim=0) for first, last in parts] for row, parts in enumerate(spans)
    ]


def _write(model, objects: Sequence[Sequence[dict]]) -> tuple[torch.Tensor, list[list[tuple[int, int]]]]:
    """Token ids (B, T) with both ends, padded, and where the tokens of each object begin and end."""
    language, rows, spans = model.language, [], []
    for number, items in enumerate(objects):
        try:
            checked = check_objects(language, items)
        except SpecificationError as error:
            raise SpecificationError(f"picture {number}: {error}") from None
        rows.append(torch.tensor(objects_to_ids(language, checked)))
        ends = list(accumulate((len(object_words(language, item)) for item in checked), initial=1))
        spans.append(list(pairwise(ends)))
    padding = model.config.pad_token_id
    return pad_sequence(rows, batch_first=True, padding_value=padding).to(model.device), spans


@contextmanager
def _as_generating(model) -> Iterator[None]:
    """Without dropout and gradient."""
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(was_training)


@contextmanager
def _eager(model) -> Iterator[None]:
    """With the one attention of the Transformer that shows its weights."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)
