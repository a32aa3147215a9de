"""What several tests share: a tiny run of train.py on the toy language, and a folder of stand-in clip art."""

from pathlib import Path

import modules_cache  # noqa: F401
import pytest
from clip_art import draw_clip_art, write_scenes_file

import train
from derender_training.checkpoints import Progress
from derender_training.training_options import TrainingOptions


TOY = str(Path(__file__).parent / "toy_language")
MODEL = {
    "backbone": "test_resnet", "backbone_stride": 8, "d_model": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "dropout": 0.0, "feature_positions": "2d",
}  # fmt: skip


# Files of minutes, most of which start processes of their own.
LONG = {
    f"test_{name}.py" for name in (
        "cli", "eval", "fuzz", "hub", "launch", "own_language", "page", "rl_train", "runs", "spaces", "training",
    )
}  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first: at the end no process is left alone with one."""
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.fixture(scope="session")
def options(tmp_path_factory) -> TrainingOptions:
    """The recipe of the run that the tests below share."""
    return TrainingOptions(
        language=TOY, output_dir=str(tmp_path_factory.mktemp("runs") / "toy"), image_size=[32, 32], max_length=12,
        scene={"max_objects": 1}, model=MODEL, batch_size=32, steps=160, learning_rate=3e-3, schedule="cosine",
        warmup_steps=10, evaluate_every=80, evaluation_size=64, save_every=1000, num_workers=0, num_threads=1,
    )  # fmt: skip


@pytest.fixture(scope="session")
def trained(options) -> Progress:
    return train.training_function(options)


@pytest.fixture(scope="session")
def clip_art_dir(tmp_path_factory) -> Path:
    """Data of Abstract Scenes in the original format, with pictures drawn here: 60 scenes, two of them empty."""
    folder = tmp_path_factory.mktemp("clip_art")
    draw_clip_art(folder)
    write_scenes_file(folder, 60, empty=(3, 17))
    return folder
