"""Policy gradients: on a language that can be listed, the mean over samples is the exact gradient."""

import itertools
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from tiny import tiny_pictures

from derender_training import rl_step
from derender_training.joint_reward import AlternatingReward, WeightedReward, join_rewards
from derender_training.options import OptionError
from derender_training.reward_suite import RewardSuite
from derender_training.rl_step import RLStep
from derender_training.self_critical import draw_uniform, find_advantages
from modeling_derender.configuration_derender import DerenderConfig
from modeling_derender.grammar_tables import GrammarTables
from modeling_derender.language import Language
from modeling_derender.modeling_derender import DerenderForConditionalGeneration
from modeling_derender.rewards import InferenceReward, iou_reward, objects_to_tokens
from modeling_derender.rollout import Rollout, pick_tokens, restrict
from modeling_derender.specification import objects_to_ids


# Points on a line: all specifications of at most two of them can be listed.
POINTS = Language.from_dict(
    {
        "name": "points",
        "version": "1",
        "canvas": {"width": 4, "height": 4, "y_axis": "down", "pixels": [16, 16], "channels": 1},
        "domains": [{"name": "n", "type": "integer", "minimum": 0, "maximum": 2}],
        "categories": [{"name": name, "properties": [{"name": "n", "domain": "n"}]} for name in ("dot", "ring")],
    }
)
LENGTH = 6  # two objects and both ends
TABLES = GrammarTables(POINTS)
REFERENCES = [[{"category": "dot", "n": 1}], [{"category": "ring", "n": 0}, {"category": "dot", "n": 2}]]
ITEMS = [{"category": name, "n": n} for name in ("dot", "ring") for n in range(3)]
ALL = [list(items) for size in range(3) for items in itertools.permutations(ITEMS, size)]
SAMPLES = 40_000
JOINTS = {
    "first of two in turn": (AlternatingReward(("iou", "inference"), (1, 1)), 0),
    "second of two in turn": (AlternatingReward(("iou", "inference"), (1, 1)), 1),
    "weighted": (WeightedReward(("iou", "inference"), (0.3, 2.0)), 0),
}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    options = {"backbone_stride": 4, "d_model": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "ffn_dim": 8}
    config = DerenderConfig.from_language(POINTS, max_specification_length=LENGTH, dropout=0.0, **options)
    return DerenderForConditionalGeneration(config).eval()


def rewards_of(objects, num_rows, joint):
    references = objects_to_tokens(POINTS, REFERENCES).repeat_interleave(num_rows, dim=0)
    combine, step = JOINTS[joint]
    rewards = {"iou": iou_reward(objects, references), "inference": InferenceReward(POINTS)(objects, references)}
    return combine(step, rewards)


def gradient_of(model, loss):
    model.zero_grad()
    loss.backward()
    return torch.cat([parameter.grad.flatten() for parameter in model.decoder.parameters()])


def score_of(logits, rollout, temperature):
    """Log-probabilities of a roll-out's own tokens, as a training step has them."""
    return pick_tokens(restrict(logits, rollout.allowed, temperature), rollout.sequences)


def exact_gradient(model, features, joint, temperature=1.0):
    """Of minus the expected reward, by listing every specification in every order."""
    rows = [objects_to_ids(POINTS, items) for items in ALL] * len(REFERENCES)
    sequences = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    state, masks = TABLES.begin(len(rows), LENGTH), []
    for token in sequences.T[1:]:
        masks.append(state.allowed())
        state.advance(token)
    rollout = Rollout(sequences, None, torch.stack(masks, dim=1), state.objects, state.num_objects)
    logits = model(encoder_outputs=(features,), decoder_input_ids=sequences[:, :-1]).logits
    probabilities = score_of(logits, rollout, temperature).sum(dim=1).exp().view(len(REFERENCES), -1)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(len(REFERENCES)))
    rewards = rewards_of(rollout.objects, len(ALL), joint).view(len(REFERENCES), -1)
    return gradient_of(model, -(probabilities * rewards).sum(dim=1).mean())


class StepOfFeatures(RLStep):
    """A training step whose images are encoded already: the batch's pictures are their features."""

    def _encode(self, pictures):
        return pictures


def estimated_gradient(model, features, joint, estimator, temperature=1.0, samples=SAMPLES):
    """That of one training step on many copies of the images; a group's size is 3."""
    combine, number = JOINTS[joint]
    suite = RewardSuite(("iou", "inference"), POINTS, draw=None, size=(16, 16))
    copies = samples // 3
    batch = {
        "pixel_values": features.repeat_interleave(copies, dim=0),
        "references": objects_to_tokens(POINTS, REFERENCES).repeat_interleave(copies, dim=0),
    }
    step = StepOfFeatures(
        Accelerator(cpu=True), model, None, TABLES, suite, lambda _, rewards: combine(number, rewards),
        estimator, 3, seed=1, temperature=temperature,
    )  # fmt: skip
    model.zero_grad()
    step(batch, 0)
    return torch.cat([parameter.grad.flatten() for parameter in model.decoder.parameters()])


def distance(one, other) -> float:
    return ((one - other).norm() / other.norm()).item()


@pytest.mark.parametrize("estimator", ["scst", "leave_one_out"])
@pytest.mark.parametrize("joint", JOINTS)
def test_the_mean_gradient_is_the_exact_one(model, joint, estimator):
    features = model.encoder(tiny_pictures(2, 16, 16))[0].detach()
    exact = exact_gradient(model, features, joint)
    assert distance(estimated_gradient(model, features, joint, estimator), exact) < 0.06


@pytest.mark.parametrize("estimator", ["scst", "leave_one_out"])
def test_it_is_at_another_temperature_too(model, estimator):
    features = model.encoder(tiny_pictures(2, 16, 16))[0].detach()
    estimated = estimated_gradient(model, features, "weighted", estimator, temperature=0.4)
    assert distance(estimated, exact_gradient(model, features, "weighted", temperature=0.4)) < 0.06
    assert distance(estimated, exact_gradient(model, features, "weighted")) > 0.2


def test_log_probabilities_are_of_the_logits_over_the_temperature():
    logits = torch.tensor([1.0, 3.0, 2.0, 9.0])
    allowed = torch.tensor([True, True, True, False])
    weights = torch.tensor([1.0, 3.0, 2.0]).div(0.4).exp()
    expected = [*(weights / weights.sum()).log().tolist(), -float("inf")]
    assert restrict(logits, allowed, 0.4).tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    "estimator, rewards, zeros",
    [
        ("scst", [1.0, 1.0, 0.0, 1.0, 0.5, 0.5, 0.5, 0.5], 5 / 6),  # the greedy row comes first
        ("leave_one_out", [1.0, 1.0, 0.0, 0.5, 0.5, 0.5], 3 / 6),
    ],
)
def test_the_share_of_samples_that_teach_nothing(model, estimator, rewards, zeros):
    def suite(*_):
        return SimpleNamespace(
            rewards={"iou": torch.tensor(rewards)}, render_seconds=0.0, reward_seconds=0.0, not_drawn=0
        )

    step = StepOfFeatures(
        Accelerator(cpu=True), model, None, TABLES, suite, lambda _, rewards: rewards["iou"], estimator, 3, seed=1
    )
    features = model.encoder(tiny_pictures(2, 16, 16))[0].detach()
    _, scalars = step({"pixel_values": features, "references": objects_to_tokens(POINTS, REFERENCES)}, 0)
    assert scalars["zero_advantages"].item() == pytest.approx(zeros)


def without_end(scores, sequences):
    """As if the end token were padding."""
    return pick_tokens(scores, sequences).masked_fill(sequences[:, 1:] == POINTS.eos_token_id, 0)


def by_length(scores, sequences):
    """The mean over a row's tokens."""
    counts = (sequences[:, 1:] != POINTS.pad_token_id).sum(dim=1, keepdim=True)
    return pick_tokens(scores, sequences) / counts


@pytest.mark.parametrize("estimator", ["scst", "leave_one_out"])
@pytest.mark.parametrize(
    "name, spoiled",
    [("find_advantages", lambda *rewards: -find_advantages(*rewards)), ("pick_tokens", without_end)],
    ids=["a wrong sign", "a wrongly masked end"],
)
def test_the_tests_above_would_see(model, estimator, name, spoiled, monkeypatch):
    features = model.encoder(tiny_pictures(2, 16, 16))[0].detach()
    monkeypatch.setattr(rl_step, name, spoiled)
    estimated = estimated_gradient(model, features, "weighted", estimator, samples=SAMPLES // 5)
    assert distance(estimated, exact_gradient(model, features, "weighted")) > 0.2


def test_a_mean_over_tokens_would_be_seen_too(model, monkeypatch):
    features = model.encoder(tiny_pictures(2, 16, 16))[0].detach()
    exact = exact_gradient(model, features, "weighted")
    monkeypatch.setattr(rl_step, "pick_tokens", by_length)
    gradient = estimated_gradient(model, features, "weighted", "scst")
    gradient *= (exact @ gradient) / (gradient @ gradient)  # the best scale for it
    assert distance(gradient, exact) > 0.1


# Advantages, random numbers, joint rewards


def test_advantages_by_hand():
    rewards = torch.tensor([[0.5, 0.25, 1.0], [0.0, 0.0, 0.75]])
    assert find_advantages(rewards, "scst").tolist() == [[-0.25, 0.5], [0.0, 0.75]]
    expected = [[0.5 - 0.625, 0.25 - 0.75, 1.0 - 0.375], [-0.375, -0.375, 0.75]]
    torch.testing.assert_close(find_advantages(rewards, "leave_one_out"), torch.tensor(expected))


@pytest.mark.parametrize("estimator, message", [("scst", "a greedy row and a"), ("leave_one_out", "two samples")])
def test_too_few_rows_are_refused(estimator, message):
    with pytest.raises(ValueError, match=f"{estimator} needs {message}.* or more, not 1 rows"):
        find_advantages(torch.zeros(2, 1), estimator)


def test_random_numbers_belong_to_the_step_and_the_image():
    whole = draw_uniform(3, 7, 6, 2, 5)
    assert torch.equal(torch.cat([draw_uniform(3, 7, 6, 2, 5, part) for part in (slice(0, 3), slice(3, 6))]), whole)
    for other in (draw_uniform(3, 8, 6, 2, 5), draw_uniform(4, 7, 6, 2, 5)):
        assert not torch.equal(other, whole)
    assert whole.min() >= 0 and whole.max() < 1


@pytest.mark.parametrize(
    "ratio, names", [((1, 1), "abababab"), ((1, 4), "abbbbabb"), ((2, 1), "aabaabaa"), ((0, 3), "bbbbbbbb")]
)
def test_rewards_take_turns(ratio, names):
    reward = AlternatingReward(("a", "b"), ratio)
    assert "".join(reward.name_of(step) for step in range(8)) == names
    values = {"a": torch.zeros(2), "b": torch.ones(2)}
    assert [reward(step, values)[0].item() for step in range(8)] == [float(name == "b") for name in names]


def test_rewards_are_added():
    values = {"a": torch.tensor([1.0, 2.0]), "b": torch.tensor([0.0, 1.0])}
    assert join_rewards(["a", "b"], "weighted", [1, 1], [2.0, 0.5])(9, values).tolist() == [2.0, 4.5]


@pytest.mark.parametrize(
    "joint, ratio, weights, message",
    [
        ("alternate", [0, 0], [1, 1], r"option 'ratio': \[0, 0\] leaves no step to any reward"),
        ("alternate", [1, -1], [1, 1], "option 'ratio'"),
        ("alternate", [1], [1, 1], r"option 'ratio': \[1\] for the 2 rewards"),
        ("weighted", [1, 1], [0, 0], "option 'weights': .* nor all 0"),
        ("weighted", [1, 1], [1, -1], "option 'weights': .* must not be negative"),
        ("weighted", [1, 1], [1, 1, 1], "option 'weights': .* for the 2 rewards"),
    ],
)
def test_joint_rewards_that_make_no_sense_are_refused(joint, ratio, weights, message):
    with pytest.raises(OptionError, match=message):
        join_rewards(["iou", "image"], joint, ratio, weights)


def test_restricted_scores_are_probabilities_of_what_is_allowed():
    logits, allowed = torch.randn(3, 5), torch.tensor([[True, False, True, True, False]] * 3)
    probabilities = restrict(logits.to(torch.bfloat16), allowed).exp()
    assert probabilities.dtype == torch.float32
    torch.testing.assert_close(probabilities.sum(-1), torch.ones(3))
    assert (probabilities[:, [1, 4]] == 0).all()
