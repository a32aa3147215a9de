"""Mixtures of the weights of two models."""

import pytest
import torch

from derender_training.model_folder import open_model
from experiments.mix_weights import main, mix
from experiments.publish_weights import _how_made
from modeling_derender.modeling_derender import DerenderForConditionalGeneration


@pytest.fixture
def models(options, trained, tmp_path):
    """The folders of a trained model and of another of its architecture."""
    new = f"{options.output_dir}/model"
    model, processor = open_model(new)
    torch.manual_seed(7)
    other = DerenderForConditionalGeneration(model.config)
    other.save_pretrained(tmp_path / "old")
    processor.save_pretrained(tmp_path / "old")
    return new, str(tmp_path / "old")


def test_a_share_of_each(models, tmp_path):
    output = tmp_path / "somewhere" / "mixed"
    main([*models, str(output), "--share", "0.75"])
    new, old, mixed = (open_model(str(folder))[0].state_dict() for folder in (*models, output))
    weight = "decoder.embed_tokens.weight"
    assert torch.allclose(mixed[weight], 0.75 * new[weight] + 0.25 * old[weight])
    assert not torch.allclose(mixed[weight], new[weight])
    assert f"0.75 of the weights of `{models[0]}` and 0.25" in _how_made(output)
    assert [path.name for path in output.parent.iterdir()] == ["mixed"]


def test_counts_are_those_of_the_new_model():
    new, old = (
        {"count": torch.tensor(8), "weight": torch.ones(2)},
        {"count": torch.tensor(2), "weight": torch.zeros(2)},
    )
    mixed = mix(new, old, 0.25)
    assert mixed["count"] == 8 and mixed["weight"].tolist() == [0.25, 0.25]


def test_models_of_another_architecture_are_refused():
    with pytest.raises(ValueError, match="not of one architecture"):
        mix({"weight": torch.ones(2)}, {"weight": torch.ones(3)}, 0.5)


@pytest.mark.parametrize("share", ["-0.1", "1.5", "nan", "half"])
def test_a_share_beyond_its_bounds_is_refused(models, tmp_path, share, capsys):
    with pytest.raises(SystemExit):
        main([*models, str(tmp_path / "mixed"), f"--share={share}"])
    assert "argument --share" in capsys.readouterr().err and not (tmp_path / "mixed").exists()
