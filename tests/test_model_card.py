"""The card that training writes beside a model: valid for the Hub, with what made the model and how well it does."""

import io
from pathlib import Path

import pytest
import yaml
from accelerate import Accelerator
from huggingface_hub import ModelCard
from PIL import Image
from toy_language import render_batch

import rl_train
from datasets_scripts import load_language_folder
from derender_training.model_card import CardWriter
from derender_training.rl_options import RLOptions
from derender_training.training_options import TrainingOptions


EXAMPLES = [
    {"image": render_batch([[item]])[0], "objects": [item]}
    for item in ({"category": "dot", "x": 1, "y": 2}, {"category": "bar", "x1": 3, "x2": 6, "y": 5})
]


def card_of(folder: Path) -> ModelCard:
    card = ModelCard.load(folder / "README.md")
    with Image.open(folder / "readings.png") as picture:
        assert picture.format == "PNG"
    return card


def test_training_writes_a_card(trained, options):
    card = card_of(Path(options.output_dir) / "model")
    assert (card.data.license, card.data.library_name, card.data.model_name) == ("apache-2.0", "transformers", "toy")
    scores = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert scores["iou_binned"] == pytest.approx(trained.best_score)
    for part in (
        f"{160 * 32:,} pictures seen, fresh",
        "`train.py`",
        'pipeline("image-to-spec"',
        "seed | 0 |",
        "commit ",
    ):
        assert part in card.text
    recipe = yaml.safe_load(card.text.split("```yaml")[1].split("```")[0])
    assert recipe["model"] == options.model and "output_dir" not in recipe


def test_reinforcement_writes_a_card(trained, options, tmp_path):
    run = RLOptions(
        checkpoint=str(Path(options.output_dir) / "model"), language=options.language,
        output_dir=str(tmp_path / "run"),
        scene={"max_objects": 1}, batch_size=4, steps=1, evaluation_size=4, num_workers=0, num_threads=1,
        metric="reconstruction_error",
    )  # fmt: skip
    progress = rl_train.training_function(run)
    card = card_of(tmp_path / "run" / "model")
    scores = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert scores["reconstruction_error"] == pytest.approx(-progress.best_score)
    assert "`rl_train.py`" in card.text and "rewards:\n- iou" in card.text


def test_the_card_tells_no_place_on_the_machine():
    folder = load_language_folder(str(Path(__file__).with_name("toy_language")))
    options = RLOptions(
        checkpoint="/home/me/runs/toy/model", output_dir="/home/me/runs/toy_rl", data_dir="/home/me/art"
    )
    files = CardWriter("rl_train.py", options, folder, render_batch, Accelerator(cpu=True))(
        1, {"iou": 1.0}, EXAMPLES, [example["objects"] for example in EXAMPLES]
    )
    card = files["README.md"].decode()
    assert "/home/me" not in card and "checkpoint: toy/model" in card and "# toy_rl" in card


@pytest.mark.parametrize(("name", "license"), [("noisy_shapes", "apache-2.0"), ("abstract_scenes", "cc-by-nc-4.0")])
def test_the_licence_is_that_of_the_pictures(name, license):
    folder = load_language_folder(name)
    scene = [{"image": render_batch([[]])[0], "objects": []}]
    options = TrainingOptions(language=name, output_dir="runs/reader", train_size=99000)

    def draw(scenes, size):
        return render_batch([[] for _ in scenes], size=size)

    files = CardWriter("train.py", options, folder, draw, Accelerator(cpu=True))(7, {"iou": 0.5}, scene, [[]])
    card = ModelCard(files["README.md"].decode())
    assert card.data.license == license and "of 99,000" in card.text


def test_wrong_readings_have_a_red_frame():
    options = TrainingOptions(language="toy", output_dir="runs/toy")
    writer = CardWriter("train.py", options, load_language_folder(str(Path(__file__).with_name("toy_language"))),
                        render_batch, Accelerator(cpu=True))  # fmt: skip
    reds = []
    for second in (EXAMPLES[1]["objects"], []):
        content = writer(1, {"iou": 1.0}, EXAMPLES, [EXAMPLES[0]["objects"], second])["readings.png"]
        pixels = list(Image.open(io.BytesIO(content)).convert("RGB").getdata())
        reds.append(pixels.count((255, 0, 0)))
    assert reds[0] == 0 < reds[1]
