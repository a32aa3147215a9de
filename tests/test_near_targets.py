"""Targets that know distance: shares by the normal curve around a coordinate, all else as in plain cross-entropy."""

import math

import pytest
import torch
import torch.nn.functional as F

from datasets_scripts.abstract_scenes import LANGUAGE as SCENES
from datasets_scripts.noisy_shapes import LANGUAGE as SHAPES
from derender_training.near_targets import NearTargets
from derender_training.options import OptionError
from derender_training.training_options import TrainingOptions


CPU = torch.device("cpu")


def target_of(targets, token, size):
    """The target of a token as a distribution over all."""
    return torch.zeros(size).index_add(0, targets.tokens[token], targets.shares[token])


@pytest.mark.parametrize("language, spread", [(SCENES, 4.0), (SHAPES, 0.5)], ids=["scenes", "shapes"])
def test_a_coordinate_is_spread_over_its_neighbours(language, spread):
    targets, size = NearTargets(language, spread, CPU), language.vocab_size
    domain = language.domains["coordinate"]
    middle = len(domain.values) // 2
    target = target_of(targets, language.token_ids[domain.words[middle]], size)
    for place, word in enumerate(domain.words):
        distance = abs(place - middle)
        ratio = math.exp(-0.5 * (distance / spread) ** 2) if distance <= math.ceil(3 * spread) else 0
        own = target.max().item()
        assert target[language.token_ids[word]].item() == pytest.approx(ratio * own, abs=1e-7)
    for edge in (domain.words[0], domain.words[-1]):
        target = target_of(targets, language.token_ids[edge], size)
        assert target.sum().item() == pytest.approx(1) and target.argmax() == language.token_ids[edge]
    coordinates = {language.token_ids[word] for word in domain.words}
    assert (
        target_of(targets, min(coordinates), size).nonzero().flatten().tolist()
        == sorted(coordinates)[: math.ceil(3 * spread) + 1]
    )
    for token in set(range(size)) - coordinates:
        assert torch.equal(target_of(targets, token, size), F.one_hot(torch.tensor(token), size).float())


def test_the_loss_is_the_cross_entropy_with_these_targets():
    torch.manual_seed(0)
    targets, size = NearTargets(SHAPES, 0.7, CPU), SHAPES.vocab_size
    logits = torch.randn(2, 9, size, requires_grad=True)
    labels = torch.randint(0, size, (2, 9))
    labels[1, 5:] = -100
    counts = labels >= 0
    full = torch.stack([target_of(targets, token, size) for token in labels[counts].tolist()])
    loss = targets.loss(logits, labels)
    assert loss.item() == pytest.approx(F.cross_entropy(logits[counts], full).item(), rel=1e-5)
    loss.backward()
    assert logits.grad[1, 5:].abs().sum() == 0 < logits.grad[1, :5].abs().sum()
    narrow = NearTargets(SHAPES, 1e-3, CPU).loss(logits, labels)
    plain = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
    assert narrow.item() == pytest.approx(plain.item(), rel=1e-6)


def test_a_bad_spread_is_refused():
    with pytest.raises(OptionError, match="option 'coordinate_spread'"):
        TrainingOptions("toy", "folder", coordinate_spread=0.0)
