"""A checkpoint that is not whole is an error that names the folder and what is wrong."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import tiny_model

from modeling_derender.checkpoint import load_checkpoint


CONFIG, WEIGHTS = "config.json", "model.safetensors"


def edit_weights(folder, change):
    weights = load_file(folder / WEIGHTS)
    change(weights)
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})


DAMAGES = {
    "holds no config.json": lambda folder: (folder / CONFIG).unlink(),
    "holds no weights": lambda folder: (folder / WEIGHTS).unlink(),
    "config.json: .*not a valid JSON": lambda folder: (folder / CONFIG).write_text('{"d_model":'),
    "config.json: ": lambda folder: (folder / CONFIG).write_text("[]"),
    "config.json: decoder_type: 'gru' is unknown": lambda folder: (folder / CONFIG).write_text(
        (folder / CONFIG).read_text().replace('"transformer"', '"gru"')
    ),
    "config.json: unknown option 'feature_position'": lambda folder: (folder / CONFIG).write_text(
        (folder / CONFIG).read_text().replace("feature_positions", "feature_position")
    ),
    "the weights cannot be read": lambda folder: (folder / WEIGHTS).write_bytes(
        (folder / WEIGHTS).read_bytes()[:100_000]
    ),
    r"weights cannot be read .*header": lambda folder: (folder / WEIGHTS).write_bytes(b""),
    r"2 missing \(encoder.backbone.network.bn1.running_var, lm_head.weight\)": lambda folder: edit_weights(
        folder, lambda weights: [weights.pop(f"{name}") for name in MISSING]
    ),
    r"1 unexpected \(lm_head.bias\)": lambda folder: edit_weights(
        folder, lambda weights: weights.update({"lm_head.bias": torch.zeros(3)})
    ),
    r"1 of another shape \(lm_head.weight\)": lambda folder: edit_weights(
        folder, lambda weights: weights.update({"lm_head.weight": torch.zeros(3, 32)})
    ),
}
MISSING = ("lm_head.weight", "encoder.backbone.network.bn1.running_var")


def test_a_whole_checkpoint_opens(tmp_path):
    model = tiny_model()
    model.save_pretrained(tmp_path)
    loaded = load_checkpoint(tmp_path)
    assert not loaded.training
    assert all(torch.equal(tensor, loaded.state_dict()[name]) for name, tensor in model.state_dict().items())


def test_a_config_with_all_that_transformers_writes_opens(tmp_path):
    model = tiny_model()
    model.save_pretrained(tmp_path)
    model.config.auto_map = {"AutoConfig": "configuration_derender.DerenderConfig"}
    model.config.to_json_file(tmp_path / CONFIG, use_diff=False)
    assert load_checkpoint(tmp_path).config.auto_map == model.config.auto_map


@pytest.mark.parametrize("message", DAMAGES)
def test_a_damaged_checkpoint_is_refused(message, tmp_path):
    tiny_model().save_pretrained(tmp_path)
    DAMAGES[message](tmp_path)
    with pytest.raises(ValueError, match=message) as error:
        load_checkpoint(tmp_path)
    assert str(tmp_path) in str(error.value)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nowhere: no such folder"):
        load_checkpoint(tmp_path / "nowhere")
