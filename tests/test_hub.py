"""Models on the Hub: pushed to a server on the loopback, loaded in a process that has not our package."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hub_server import Hub, serve_hub
from PIL import Image
from tiny_checkpoint import TRANSFORMER, save_tiny_checkpoint
from transformers import pipeline

from datasets_scripts.abstract_scenes import LANGUAGE as ABSTRACT_SCENES
from datasets_scripts.noisy_shapes import LANGUAGE as NOISY_SHAPES
from derender_training.model_folder import open_model
from modeling_derender.confidence import score_objects
from modeling_derender.processing_derender import DerenderProcessor
from modeling_derender.serialization import to_text
from modeling_derender.tokenization_derender import build_tokenizer


HERE = Path(__file__).parent
LANGUAGES = {"noisy_shapes": NOISY_SHAPES, "abstract_scenes": ABSTRACT_SCENES}
DECODERS = {"transformer": TRANSFORMER, "lstm": {"decoder_type": "lstm"}}
NAMES = [f"someone/{language}-{decoder}" for language in LANGUAGES for decoder in DECODERS]
TRAINED = "someone/toy"


def run(script: str, *arguments, hub: Hub | None, cache: Path) -> str:
    """The output of a script, which may speak with that Hub alone."""
    offline = {"HF_HUB_OFFLINE": "1"} if hub is None else {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": hub.url}
    environment = {
        **os.environ, **offline, "HF_HOME": str(cache), "HF_MODULES_CACHE": str(cache / "modules"),
        "HF_TOKEN": "hf_of_nobody", "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1", "PYTHONPATH": str(HERE.parent), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=cache.parent)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    parent = tmp_path_factory.mktemp("models")
    folders = {}
    for name in NAMES:
        language, decoder = name.removeprefix("someone/").split("-")
        folders[name] = save_tiny_checkpoint(
            parent / f"{language}-{decoder}", LANGUAGES[language], **DECODERS[decoder]
        )
    return folders


@pytest.fixture(scope="module")
def picture(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("picture") / "picture.png"
    Image.linear_gradient("L").resize((50, 40)).save(path)
    return path


@pytest.fixture(scope="module")
def trained_folder(trained, options) -> Path:
    return Path(options.output_dir) / "model"


@pytest.fixture(scope="module")
def loaded(folders, trained_folder, picture, tmp_path_factory) -> tuple[Hub, dict[str, dict]]:
    """The Hub after all models were pushed and loaded again, and what they made of the picture."""
    work, names = tmp_path_factory.mktemp("hub"), [*NAMES, TRAINED]
    with serve_hub() as hub:
        pairs = [part for name, folder in folders.items() for part in (folder, name)]
        run("hub_push.py", trained_folder, TRAINED, *pairs, hub=hub, cache=work / "pusher")
        lines = run("hub_load.py", picture, *names, hub=hub, cache=work / "stranger").splitlines()
    return hub, dict(zip(names, map(json.loads, lines), strict=True))


def check(folder: Path, picture: Path, result: dict) -> None:
    """What a stranger's process made of the picture is what the model in the folder makes of it here."""
    model, processor = open_model(str(folder))
    inputs = processor(images=Image.open(picture))
    with torch.no_grad():
        logits = model(**inputs, decoder_input_ids=torch.tensor([[model.config.bos_token_id]])).logits
    torch.testing.assert_close(torch.tensor(result["logits"]), logits.flatten())
    tokens = model.generate(**inputs)
    assert result["tokens"] == tokens[0].tolist() and result["same"]
    assert result["words"] == processor.tokenizer.convert_ids_to_tokens(tokens[0])
    (objects,) = processor.post_process_objects(tokens)
    ((*confidences,),) = score_objects(model, inputs["pixel_values"], [objects], near=True)
    said = result["pipeline"]
    assert said["objects"] == objects and said["text"] == to_text(model.language, objects)
    assert said["confidences"] == pytest.approx(confidences, rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_reads_the_same_from_the_hub(loaded, folders, picture, name):
    hub, results = loaded
    check(folders[name], picture, results[name])
    tokenizer = type(open_model(str(folders[name]))[1].tokenizer).__name__
    assert results[name]["classes"] == {
        "AutoConfig": "DerenderConfig", "AutoImageProcessor": "DerenderImageProcessor",
        "AutoProcessor": "DerenderProcessor", "AutoTokenizer": tokenizer,
        "AutoModel": "DerenderForConditionalGeneration",
        "AutoModelForImageTextToText": "DerenderForConditionalGeneration",
    }  # fmt: skip
    files = hub.files(name)
    assert "model.safetensors" in files and not any(path.endswith((".bin", ".pt", ".pth")) for path in files)


def test_a_trained_folder_goes_up_with_its_card(loaded, trained_folder, picture):
    hub, results = loaded
    check(trained_folder, picture, results[TRAINED])
    files = hub.files(TRAINED)
    assert files["README.md"] == (trained_folder / "README.md").read_bytes() and "readings.png" in files


def test_some_models_say_something(loaded):
    assert any(loaded[1][name]["pipeline"]["objects"] for name in NAMES)


def test_a_stranger_reads_the_same_from_a_folder(folders, picture, tmp_path):
    folder = folders[NAMES[1]]
    (line,) = run("hub_load.py", picture, folder, hub=None, cache=tmp_path / "stranger").splitlines()
    check(folder, picture, json.loads(line))


def remove_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def remove_code(folder: Path) -> None:
    (folder / "grammar.py").unlink()


def cut_weights_short(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


def change_config(**changes):
    def change(folder: Path) -> None:
        path = folder / "config.json"
        config = json.loads(path.read_text())
        for name, value in changes.items():
            place = config["language"] if name == "format" else config
            place[name] = value
        path.write_text(json.dumps(config))

    return change


def take_another_processor(folder: Path) -> None:
    DerenderProcessor.from_language(ABSTRACT_SCENES, [32, 32], 16).save_pretrained(folder)


def remove_processor(folder: Path) -> None:
    (folder / "processor_config.json").unlink()


def take_another_tokenizer(folder: Path) -> None:
    build_tokenizer(ABSTRACT_SCENES, 16).save_pretrained(folder)


DAMAGES = {
    "no processor": (remove_processor, "processor|image processor"),
    "another language's tokenizer": (take_another_tokenizer, "tokenizer: its words are not those of the language"),
    "no weights": (remove_weights, "model.safetensors"),
    "no code": (remove_code, "grammar.py"),
    "weights cut short": (cut_weights_short, "{folder}: the weights cannot be read .*cut short"),
    "an unknown decoder": (change_config(decoder_type="gru"), "decoder_type: 'gru'"),
    "an unknown form of language": (change_config(format=99), "format.*99"),
    "another language's processor": (take_another_processor, "do not belong together"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_model_is_refused_by_name(folders, tmp_path, name):
    damage, message = DAMAGES[name]
    folder = tmp_path / "model"
    shutil.copytree(folders[NAMES[0]], folder)
    damage(folder)
    with pytest.raises((OSError, ValueError), match=message.format(folder=folder)):
        pipeline("image-to-spec", model=str(folder), trust_remote_code=True)
