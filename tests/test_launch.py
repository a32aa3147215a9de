"""The three scripts under `accelerate launch`, by the example configuration: two processes on the CPU."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
import yaml
from accelerate.commands.config.config_args import load_config_from_file
from launched import CONFIGS, launch
from safetensors.torch import load_file

import train
from derender_training.checkpoints import CheckpointError
from derender_training.options import read_options
from derender_training.rl_options import RLOptions
from derender_training.training_log import TrainingLog
from derender_training.training_options import TrainingOptions
from modeling_derender.checkpoint import load_checkpoint


TOY = str(Path(__file__).parent / "toy_language")


@pytest.fixture(scope="module")
def runs(options, tmp_path_factory) -> tuple[Path, dict]:
    """train.py, rl_train.py and eval.py, one after the other; their folders and what they said."""
    folder, said = tmp_path_factory.mktemp("launched"), {}

    def run(script: str, options) -> None:
        recipe = folder / f"{script}.yaml"
        recipe.write_text(
            yaml.safe_dump({name: value for name, value in asdict(options).items() if value is not None})
        )
        said[script] = launch(script, recipe)
        assert said[script].returncode == 0, said[script].stderr

    small = {"batch_size": 8, "evaluation_size": 7, "save_every": 4, "steps": 4, "evaluate_every": 4}
    # Of this backbone some parameters lie behind the map, and have no gradient.
    model = options.model | {"backbone": "test_efficientnet"}
    run("train.py", replace(options, output_dir=str(folder / "train"), max_minutes=60.0, model=model, **small))
    run("rl_train.py", RLOptions(
        checkpoint=str(folder / "train" / "model"), output_dir=str(folder / "rl"), language=TOY,
        scene={"max_objects": 1}, num_workers=0, num_threads=1, **small,
    ))  # fmt: skip
    said["eval.py"] = launch(
        "eval.py", "--model", folder / "rl" / "model", "--data", TOY, "--size", "9", "--batch_size", "2",
        "--json", folder / "eval.json",
    )  # fmt: skip
    assert said["eval.py"].returncode == 0, said["eval.py"].stderr
    return folder, said


def test_one_process_shows_a_bar(tmp_path):
    bars = [TrainingLog(tmp_path / str(main), 0, main).bar for main in (True, False)]
    assert [bar.disable for bar in bars] == [False, True]


@pytest.mark.parametrize("script", ["train.py", "rl_train.py"])
def test_two_processes_train_together(runs, script):
    folder, said = runs
    run = folder / script.split("_")[0].removesuffix(".py")
    (checkpoint,) = (run / "checkpoints").iterdir()
    progress = json.loads((checkpoint / "progress.json").read_text())
    assert (progress["step"], progress["finished"], progress["num_processes"]) == (4, True, 2)
    assert 0 <= progress["best_score"] <= 1
    load_checkpoint(run / "model")
    assert len(list((run / "tensorboard").iterdir())) == 1
    assert said[script].stdout.count("step 4: validation") == 1
    assert said[script].stdout.count("finished") == 1


def test_one_process_does_not_go_on_with_what_two_began(runs):
    recipe = read_options(TrainingOptions, [str(runs[0] / "train.py.yaml")])
    with pytest.raises(CheckpointError, match="was written by 2 processes and cannot be resumed by 1"):
        train.training_function(recipe)


def test_two_processes_predict_by_the_model_that_is_saved(tmp_path):
    run = launch("tests/predict_process.py", tmp_path / "predictions.json")
    assert run.returncode == 0, run.stderr
    said = json.loads((tmp_path / "predictions.json").read_text())
    assert said["together"] == said["alone"][0] and len(said["together"]) == 7
    assert all(first and first != second for first, second in zip(*said["alone"], strict=True))


def test_two_processes_take_the_gradient_of_one(tmp_path):
    """Each token counts alike, however many there are beside it in its process."""
    together = launch("tests/gradient_process.py", tmp_path / "two")
    alone = launch("tests/gradient_process.py", tmp_path / "one", num_processes=1)
    assert together.returncode == alone.returncode == 0, together.stderr + alone.stderr
    two, one = load_file(tmp_path / "two"), load_file(tmp_path / "one")
    assert two.keys() == one.keys() and any(gradient.abs().max() > 0.01 for gradient in one.values())
    for name, gradient in one.items():
        torch.testing.assert_close(two[name], gradient, rtol=1e-3, atol=1e-6)


def test_two_processes_score_each_picture_once(runs):
    folder, said = runs
    result = json.loads((folder / "eval.json").read_text())
    assert [item["file_name"] for item in result["predictions"]] == [str(number) for number in range(9)]
    assert said["eval.py"].stdout.count("reconstruction_error") == 1


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_configuration_is_one(path):
    config = load_config_from_file(str(path))
    assert config.distributed_type == "MULTI_GPU" and config.num_processes % config.num_machines == 0
