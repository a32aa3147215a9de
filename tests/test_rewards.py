"""Rewards on tensors are the plain scores, on random specifications of every kind of language."""

import numpy as np
import pytest
import torch
import toy_language
from test_grammar_tables import FEW
from test_language import NOISY_SHAPES, TOY, random_objects

from datasets_scripts.abstract_scenes import LANGUAGE as ABSTRACT_SCENES
from derender_training.scores import score_specifications
from modeling_derender.language import Language
from modeling_derender.rewards import InferenceReward, iou_reward, objects_to_tokens
from modeling_derender.specification import encode_object


LANGUAGES = [NOISY_SHAPES, ABSTRACT_SCENES, toy_language.LANGUAGE, Language.from_dict(TOY), FEW]
every_language = pytest.mark.parametrize("language", LANGUAGES, ids=[language.name + "" for language in LANGUAGES])


def random_pairs(language, number=60):
    """Predictions made of references: objects kept, left out, repeated and new, coordinates moved a little."""
    rng = np.random.default_rng(0)
    references = [random_objects(language, rng, int(rng.integers(0, 7))) for _ in range(number)]
    predictions = []
    for objects in references:
        kept = [item for item in objects if rng.random() < 0.7]
        kept += [_change_one(language, item, rng) for item in objects if rng.random() < 0.4]
        kept += objects[: int(rng.random() < 0.2)] + random_objects(language, rng, rng.integers(3))
        predictions.append([kept[index] for index in rng.permutation(len(kept))])
    return predictions, references


def _change_one(language, item, rng):
    """The object with one property as another one of its category has it; as it is where that breaks a rule."""
    category = language.categories[item[language.category_property]]
    if not category.properties:
        return item
    name = rng.choice(list(category.properties))
    values = category.properties[name].values
    changed = {**item, str(name): values[rng.integers(len(values))]}
    return changed if all(rule.holds(changed) for rule in category.rules) else item


@every_language
def test_rewards_are_the_plain_scores(language):
    predictions, references = random_pairs(language)
    tokens = [objects_to_tokens(language, side) for side in (predictions, references)]
    iou, inference = iou_reward(*tokens), InferenceReward(language)(*tokens)
    assert iou.dtype == inference.dtype == torch.float32 and len(iou.unique()) > 8
    for number, pair in enumerate(zip(predictions, references, strict=True)):
        scores = score_specifications(language, *([side] for side in pair))
        assert iou[number].item() == pytest.approx(scores["iou"], abs=1e-6)
        assert inference[number].item() == pytest.approx(1 - scores["inference_error"], abs=1e-6)


@every_language
def test_nothing_read_in_a_blank_picture_is_right(language):
    nothing = objects_to_tokens(language, [[], []])
    something = objects_to_tokens(language, [[], random_objects(language, np.random.default_rng(1), 2)])
    for reward in (iou_reward, InferenceReward(language)):
        assert reward(nothing, nothing).tolist() == [1, 1]
        assert reward(nothing, something).tolist() == [1, 0]
        assert reward(something, nothing).tolist() == [1, 0]


@every_language
def test_tokens_are_those_of_the_objects(language):
    objects = random_objects(language, np.random.default_rng(2), 4)
    tokens = objects_to_tokens(language, [objects, objects[:1]])
    assert tokens.shape[:2] == (2, 4) and (tokens[1, 1:] == -1).all()
    for item, row in zip(objects, tokens[0].tolist(), strict=True):
        assert language.vocabulary[row[0]] == encode_object(language, item)[0]
        assert sum(token >= 0 for token in row) == len(encode_object(language, item))
