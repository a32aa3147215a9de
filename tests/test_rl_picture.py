"""The picture of a sample and its baseline: pairs that differ, with the rewards that training would give them."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_checkpoint import save_tiny_checkpoint
from toy_language import LANGUAGE, render_batch

from datasets_scripts import load_language_folder
from datasets_scripts.evaluation_data import EvaluationData
from derender_training.model_folder import open_model
from experiments.rl_picture import LINES, Decoder, list_objects, main
from modeling_derender.serialization import from_text


TOY = str(Path(__file__).with_name("toy_language"))


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory) -> Path:
    return save_tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "model", LANGUAGE)


def test_pairs_differ_and_earn_what_their_objects_say(model_folder):
    model, processor = open_model(str(model_folder))
    decoder = Decoder(model, processor, load_language_folder(TOY), None, seed=0)
    examples = EvaluationData(TOY, size=40).open(LANGUAGE)
    rows = decoder.find_rows(examples, 5)
    assert len(rows) == 5
    for given, baseline, sample in rows:
        assert all(true for _, true in given.objects) and not given.rewards
        assert [text for text, _ in baseline.objects] != [text for text, _ in sample.objects]
        for panel in (baseline, sample):
            right, either = sum(true for _, true in panel.objects), len(given.objects) + len(panel.objects)
            assert panel.rewards["iou"] == pytest.approx(right / (either - right))
            objects = from_text(LANGUAGE, "\n".join(text for text, _ in panel.objects))
            assert np.array_equal(panel.picture, render_batch([objects])[0])


def test_it_is_written_as_a_picture(model_folder, tmp_path):
    out = tmp_path / "pairs.png"
    main(["--model", str(model_folder), "--data", TOY, "--size", "20", "--count", "2", "--out", str(out)])
    with Image.open(io.BytesIO(out.read_bytes())) as image:
        assert image.format == "PNG" and min(image.size) > 300
    with pytest.raises(SystemExit, match="absent"):
        main(["--model", str(tmp_path / "absent"), "--data", TOY, "--size", "20", "--out", str(out)])


def test_wrong_objects_come_first_and_many_are_cut():
    assert list_objects([("a", True), ("b", False)]) == "\N{BALLOT X} b\na"
    lines = list_objects([(str(number), True) for number in range(9)]).split("\n")
    assert len(lines) == LINES and lines[-1] == f"and {9 - LINES + 1} more"
