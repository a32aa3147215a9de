"""report.py writes one page that stands alone: counts, scores, pictures and marked predictions."""

import base64
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from test_eval import load_script
from toy_folder import write_toy_folder

from datasets_scripts import load_language_folder
from datasets_scripts.scenes import FreshScenes


report = load_script("report")

DOT = {"category": "dot", "x": 1, "y": 2}
BAR = {"category": "bar", "x1": 0, "x2": 3, "y": 5}


def write_evaluation(folder, data, predictions, **options):
    """An evaluation as eval.py writes it."""
    predictions = [{"iou_binned": item["iou"], "inference_error": 1 - item["iou"], **item} for item in predictions]
    references = [item["reference"] for item in predictions]
    result = {
        **dict.fromkeys(("precision", "recall", "f1", "iou", "iou_1.0", "iou_0.8", "iou_0.6"), 0.125),
        "counts": {"pictures": 1234, "true": sum(map(len, references)), "predicted": 77, "matched": 66},
        "images_per_second": 9.5,
        "language": "toy",
        "data": str(data),
        "data_options": options,
        "command": "eval.py <all>",
        "commit": None,
        "hardware": "an abacus",
        "predictions": predictions,
    }
    path = folder / "evaluation.json"
    path.write_text(json.dumps(result))
    return path


def test_what_cannot_be_drawn_is_an_empty_page(evaluation):
    opened = report.open_evaluation(evaluation)

    def draw(scenes, size):
        if any(len(objects) > 1 for objects in scenes):
            raise RuntimeError("no ink")
        return np.stack([np.full(size, 100 * len(objects), np.uint8) for objects in scenes])

    opened = replace(opened, draw=draw)
    assert (opened.draw_one([DOT, BAR]) == 0).all() and (opened.draw_one([DOT]) == 100).all()


@pytest.fixture
def toy(tmp_path):
    return load_language_folder(str(write_toy_folder(tmp_path)))


@pytest.fixture
def evaluation(toy, tmp_path):
    """Six fresh scenes; number 4 is the worst, the others are right."""
    scenes = FreshScenes(toy, (32, 32), seed=3, split="test").__getitems__(list(range(6)))
    predictions = [
        {"file_name": str(index), "objects": scene["objects"], "reference": scene["objects"], "iou": 1.0}
        for index, scene in enumerate(scenes)
    ]
    predictions[4].update(objects=[], iou=0.0)
    return write_evaluation(tmp_path, tmp_path / "toy", predictions, size=6, seed=3)


class Page(HTMLParser):
    """The tags of a page, with those that are left open or closed wrongly."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def pictures(self, word):
        sources = [fields["src"] for tag, fields in self.tags if tag == "img" and fields["alt"].startswith(word)]
        return [np.asarray(Image.open(io.BytesIO(base64.b64decode(source.split(",")[1])))) for source in sources]


def write(tmp_path, *arguments):
    report.main([*map(str, arguments), "--out", str(tmp_path / "page" / "report.html")])
    return (tmp_path / "page" / "report.html").read_text(encoding="utf-8")


def test_the_page_stands_alone(tmp_path, evaluation):
    text = write(tmp_path, evaluation)
    page = Page(text)
    assert page.open == []
    assert not [tag for tag, _ in page.tags if tag in ("script", "link", "iframe", "object")]
    references = [value for _, fields in page.tags for name, value in fields.items() if name in ("src", "href")]
    assert references and all(value.startswith("data:image/png;base64,") for value in references)
    assert not re.search(r"url\(|@import|https?://", text)
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in page.tags


def test_shows_counts_scores_and_origin(tmp_path, evaluation):
    text = write(tmp_path, evaluation)
    for shown in ("1,234", "66 of", "77 predicted", "0.125", "an abacus", "eval.py &lt;all&gt;", "commit unknown"):
        assert shown in text
    assert "seed 3" in text


def test_worst_first_with_its_pictures(tmp_path, evaluation, toy):
    page = Page(write(tmp_path, evaluation, "--count", 2))
    scene = FreshScenes(toy, (32, 32), seed=3, split="test")[4]
    assert np.array_equal(page.pictures("input")[0], scene["image"])
    assert np.array_equal(page.pictures("prediction")[0], toy.render([]))
    assert np.array_equal(page.pictures("truth")[0], toy.render(scene["objects"]))
    assert len(page.pictures("input")) == 4


def test_every_evaluation_gets_a_section(tmp_path, evaluation):
    assert write(tmp_path, evaluation, evaluation).count("<section>") == 2


def test_marks_extra_and_missing_objects(toy):
    lines = report._as_lines([DOT, DOT, BAR], [DOT, {**BAR, "y": 6}], toy.LANGUAGE).split("\n")
    assert [re.sub("<[^>]*>", "", line).split()[0] for line in lines] == ["dot", "+", "+", "&minus;"]


def test_imagefolder_with_large_colour_pictures(tmp_path, toy):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    Image.new("RGBA", (900, 600), (255, 0, 0, 128)).save(pictures / "a <b>.png")
    (pictures / "metadata.jsonl").write_text(json.dumps({"file_name": "a <b>.png", "objects": [DOT]}))
    prediction = {"file_name": "a <b>.png", "objects": [BAR], "reference": [DOT], "iou": 0.0}
    text = write(tmp_path, write_evaluation(tmp_path, pictures, [prediction]), "--language", tmp_path / "toy")
    assert Page(text).pictures("input")[0].shape[:2] == (171, 256)
    assert "<b>" not in text


def test_a_sheet_of_pictures_of_unequal_size(tmp_path, toy):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    entries = [{"file_name": f"{width}.png", "objects": [DOT]} for width in (40, 300)]
    for entry, width in zip(entries, (40, 300), strict=True):
        Image.new("L", (width, 30), 128).save(pictures / entry["file_name"])
    (pictures / "metadata.jsonl").write_text("\n".join(map(json.dumps, entries)))
    predictions = [{**entry, "reference": [DOT], "iou": 1.0} for entry in entries]
    evaluation = write_evaluation(tmp_path, pictures, predictions)
    write(tmp_path, evaluation, "--language", tmp_path / "toy", "--sheet", tmp_path / "sheet.png")
    width, height = 256 + 2 * 4, 32 + 2 * 4  # the widest and the highest, in their frames
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (2 * height, 2 * width, 3)
    assert sheet[height // 2, width + width // 2].tolist() == [128] * 3  # a wide picture in the middle of its paper
    assert sheet[5, width + width // 2].tolist() == [255] * 3


def test_a_sheet_goes_on_below_when_a_row_is_full(tmp_path, toy):
    scenes = FreshScenes(toy, (32, 32), seed=3, split="test").__getitems__(list(range(7)))
    predictions = [
        {"file_name": str(number), "objects": scene["objects"], "reference": scene["objects"], "iou": 1.0}
        for number, scene in enumerate(scenes)
    ]
    options = {"split": "test", "size": 7, "seed": 3}
    evaluation = write_evaluation(tmp_path, tmp_path / "toy", predictions, **options)
    write(tmp_path, evaluation, "--sheet", tmp_path / "sheet.png", "--sheet_count", 7)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (4 * 40, 4 * 40, 3)
    assert (sheet[80:, 120:] == 255).all() and not (sheet[80:, 80:120] == 255).all()


@pytest.mark.parametrize("option", ["--count", "--sheet_count"])
def test_a_count_of_no_picture_is_refused(option, capsys):
    with pytest.raises(SystemExit):
        report.main(["evaluation.json", "--out", "report.html", option, "0"])
    assert f"argument {option}: '0' is not a whole number above 0" in capsys.readouterr().err


def test_a_page_that_cannot_be_written_is_named(tmp_path, evaluation):
    with pytest.raises(SystemExit, match="^error: .*evaluation.json"):
        report.main([str(evaluation), "--out", str(evaluation / "report.html")])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        ("{", "not JSON"),
        ("[]", "is not an evaluation"),
        ('{"iou": 1}', "is not an evaluation"),
    ],
)
def test_a_file_that_is_no_evaluation_is_named(tmp_path, content, message):
    path = tmp_path / "some.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit) as caught:
        write(tmp_path, path)
    assert f"{path}: {message}" in str(caught.value)
    assert not (tmp_path / "page").exists()


def test_a_language_without_a_folder_is_named(tmp_path, evaluation):
    result = json.loads(evaluation.read_text())
    evaluation.write_text(json.dumps({**result, "data": "elsewhere", "language": "unheard_of"}))
    with pytest.raises(SystemExit, match="unheard_of"):
        write(tmp_path, evaluation)


def test_a_sheet_shows_inputs_above_what_was_read(tmp_path, evaluation, toy):
    write(tmp_path, evaluation, "--sheet", tmp_path / "sheet.png", "--sheet_count", 6)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    side = 32 + 2 * 4  # a picture with its two frames
    assert sheet.shape == (2 * side, 6 * side, 3)
    above, below = sheet.reshape(2, side, 6, side, 3).transpose(0, 2, 1, 3, 4)
    scenes = FreshScenes(toy, (32, 32), seed=3, split="test")
    for index in range(6):
        assert np.array_equal(above[index][4:-4, 4:-4, 0], scenes[index]["image"])
        read = [] if index == 4 else scenes[index]["objects"]
        assert np.array_equal(below[index][4:-4, 4:-4, 0], toy.render(read))
        assert below[index][1, 1].tolist() == ([255, 0, 0] if index == 4 else [255, 255, 255])
