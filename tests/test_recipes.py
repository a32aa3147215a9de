"""Every recipe in configs/ is one that its script takes: its options and, for train.py, its model and first batch."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import train
from derender_training.data import TrainingBatches, load_examples
from derender_training.options import read_options
from derender_training.rl_options import RLOptions
from derender_training.training_options import TrainingOptions


ALL_RECIPES = sorted((Path(__file__).parents[1] / "configs").glob("*.yaml"))
RL_RECIPES = [path for path in ALL_RECIPES if path.stem.endswith("_rl")]
RECIPES = [path for path in ALL_RECIPES if path not in RL_RECIPES]


def kinds_of_data(path: Path) -> list[str]:
    """Those a recipe can be run on: a language whose scenes are given also has fresh ones, recomposed from them."""
    options = read_options(TrainingOptions, [str(path)])
    return ["fresh", "given"] if hasattr(train.open_language(options.language), "read_scenes") else ["fresh"]


CASES = [(path, data) for path in RECIPES for data in kinds_of_data(path)]


@pytest.mark.parametrize("path", RL_RECIPES, ids=[path.stem for path in RL_RECIPES])
def test_a_recipe_of_reinforcement_has_options_that_fit(path):
    options = read_options(RLOptions, [str(path)])
    assert options.join_rewards() and Path(options.checkpoint).name == "model"


def test_a_single_reward_in_place_of_two():
    recipe = next(path for path in RL_RECIPES if path.stem == "abstract_scenes_paper_rl")
    options = read_options(RLOptions, [str(recipe), "--rewards", "[inference]", "--ratio", "null"])
    assert options.join_rewards().name_of(3) == "inference"


@pytest.mark.parametrize(("path", "data"), CASES, ids=[f"{path.stem}-{data}" for path, data in CASES])
def test_a_recipe_can_be_trained(path, data, clip_art_dir):
    options = read_options(TrainingOptions, [str(path)])
    folder = train.open_language(options.language)
    data_dir = str(clip_art_dir) if hasattr(folder, "find_data_dir") else None
    scene = {**options.scene, **({"validation_share": 0.2} if "validation_share" in options.scene else {})}
    options = replace(options, data=data, data_dir=data_dir, evaluation_size=2, batch_size=2, scene=scene)
    model, processor = train.build_model(options, folder.LANGUAGE)
    examples = load_examples(options, folder)
    batch = TrainingBatches(examples.train, processor, 2, 0, examples.size, options.order, options.max_length)[0]
    assert batch["pixel_values"].shape[2:] == tuple(options.image_size)
    with torch.no_grad():
        assert model(**batch).loss.isfinite()
    assert examples.validation
