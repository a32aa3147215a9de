"""The average of the weights is that of the formula, takes their place only for a while, and survives a checkpoint."""

import pytest
import torch
from torch import nn

from derender_training.options import OptionError
from derender_training.training_options import TrainingOptions
from derender_training.weight_average import WeightAverage


class Tied(nn.Module):
    """Weights, tied ones, running statistics and a counter."""

    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(3, 2), nn.Linear(2, 3, bias=False)
        self.head.weight = self.embedding.weight
        self.norm = nn.BatchNorm1d(2)


def change(model):
    for tensor in {tensor.data_ptr(): tensor for tensor in model.state_dict().values()}.values():
        with torch.no_grad():
            tensor.add_(1)


def snapshot(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("decay, shares", [(0.5, (2 / 11, 3 / 12, 4 / 13)), (0.2, (2 / 11, 0.2, 0.2))])
def test_the_average_is_that_of_the_formula(decay, shares):
    model = Tied()
    average, expected = WeightAverage(model, decay), snapshot(model)
    for share in shares:
        change(model)
        average.update()
        expected = {
            name: share * value + (1 - share) * model.state_dict()[name] if value.is_floating_point() else None
            for name, value in expected.items()
        } | {"norm.num_batches_tracked": model.norm.num_batches_tracked.clone()}
    own = snapshot(model)
    with average.in_place():
        for name, tensor in model.state_dict().items():
            torch.testing.assert_close(tensor, expected[name], msg=name)
        assert model.head.weight is model.embedding.weight
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, own[name])


def test_an_error_gives_the_weights_back():
    model = Tied()
    average, own = WeightAverage(model, 0.5), snapshot(model)
    average._average[0].add_(1)
    with pytest.raises(KeyError), average.in_place():
        assert not torch.equal(model.embedding.weight, own["embedding.weight"])
        raise KeyError
    assert torch.equal(model.embedding.weight, own["embedding.weight"])


def test_a_checkpoint_holds_it(tmp_path):
    torch.manual_seed(0)
    model = Tied()
    average = WeightAverage(model, 0.9)
    change(model)
    average.update()
    torch.save(average.state_dict(), tmp_path / "state")
    other = WeightAverage(Tied(), 0.9)
    other.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    assert other.updates == 1
    for one, two in zip(average._average, other._average, strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("value", [1.0, -0.1, float("nan")])
def test_a_bad_decay_is_refused(value):
    with pytest.raises(OptionError, match="option 'averaging' must be at least 0 and below 1"):
        TrainingOptions("toy", "folder", averaging=value)
