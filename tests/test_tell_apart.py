"""What was read wrong and can be told from the truth: a network that has to, pictures that cannot, and the table."""

import json

import numpy as np
import pytest
from PIL import Image

from datasets_scripts import noisy_shapes
from experiments import tell_apart as script
from experiments.tell_apart import draw_often, find_difference, find_drawing, find_window, tell_apart


CIRCLE = {"category": "circle", "x": 5, "y": 5}
MOVED = CIRCLE | {"x": 6}
LINE = {"category": "line", "x1": 2, "y1": 12, "x2": 12, "y2": 12, "arrow": False, "solid": True}
DATA = {"data": "noisy_shapes", "data_options": {"split": "validation", "size": 4}}


@pytest.fixture(scope="module")
def draw():
    data = script.EvaluationData(DATA["data"], **DATA["data_options"])
    return find_drawing(noisy_shapes, data)


def test_what_looks_different_is_told_apart_and_the_picture_with_it(draw):
    for shown, expected in ((CIRCLE, True), (MOVED, False)):
        picture = noisy_shapes.render([shown, LINE], rng=np.random.default_rng(7))
        share, taken_for_true = tell_apart(draw, [CIRCLE, LINE], [MOVED, LINE], picture, 60, 20)
        assert share > 0.9 and taken_for_true is expected


def test_what_looks_alike_is_not_told_apart(draw, monkeypatch):
    monkeypatch.setattr(script, "EPOCHS", 5)  # of whole pictures
    picture = noisy_shapes.render([CIRCLE], rng=np.random.default_rng(7))
    share, _ = tell_apart(draw, [CIRCLE, LINE], [LINE, CIRCLE], picture, 40, 40)
    assert 0.3 < share < 0.7


def test_it_gives_the_same_again_and_leaves_the_random_numbers_alone(draw):
    script.torch.manual_seed(5)
    state = script.torch.get_rng_state()
    picture = noisy_shapes.render([CIRCLE], rng=np.random.default_rng(7))
    first, second = (tell_apart(draw, [CIRCLE], [MOVED], picture, 10, 10) for _ in range(2))
    assert first == second
    assert script.torch.equal(state, script.torch.get_rng_state())


def test_drawings_are_those_of_the_evaluations_renderer():
    data = script.EvaluationData("noisy_shapes", size=1, render="sketched")
    draw = find_drawing(noisy_shapes, data)
    rngs = [np.random.default_rng([1, number]) for number in range(2)]
    expected = noisy_shapes.RENDERERS["sketched"]([[LINE]] * 2, rngs=rngs)
    assert np.array_equal(draw_often(draw, [LINE], 1, 2), expected)
    assert np.array_equal(draw([[LINE]]), noisy_shapes.render_batch([[LINE]]))


def test_pictures_without_noise_are_refused():
    draw = noisy_shapes.RENDERERS["clean"]
    with pytest.raises(ValueError, match="drawn without noise"):
        tell_apart(draw, [CIRCLE], [MOVED], np.zeros((256, 256), np.uint8), 2, 2)


def test_the_window_holds_what_differs():
    first = np.zeros((100, 90), np.uint8)
    second = first.copy()
    assert find_window(first, second) == (slice(None), slice(None))
    second[30, 5] = second[40, 60] = 1
    assert find_window(first, second) == (slice(10, 61), slice(0, 81))


@pytest.mark.parametrize(
    ("objects", "expected"),
    [([MOVED, LINE], "x"), ([CIRCLE], "missing"), ([CIRCLE, LINE | {"solid": False, "x2": 11}], "solid, x2")],
)
def test_what_is_wrong_is_named(objects, expected):
    item = {"objects": objects, "reference": [CIRCLE, LINE]}
    assert find_difference(noisy_shapes.LANGUAGE, item) == expected


@pytest.fixture
def evaluation(tmp_path):
    """An evaluation of four pictures, the last two read wrong."""
    examples = script.EvaluationData(DATA["data"], **DATA["data_options"]).open(noisy_shapes.LANGUAGE)
    predictions = []
    for number in range(4):
        objects = examples[number]["objects"]
        read = objects if number < 2 else [*objects[:-1], CIRCLE]
        iou = 1.0 if number < 2 else 0.5
        predictions.append({"file_name": str(number), "objects": read, "reference": objects, "iou": iou})
    path = tmp_path / "evaluation.json"
    content = {**DATA, "language": "noisy_shapes", "command": "eval", "commit": "abc", "predictions": predictions}
    path.write_text(json.dumps(content))
    return path


def test_table_and_numbers_of_those_read_wrong(evaluation, tmp_path):
    out = tmp_path / "table.md"
    script.main([str(evaluation), "--learned", "20", "--tested", "10", "--out", str(out)])
    result = json.loads(out.with_suffix(".json").read_text())
    assert [item["file_name"] for item in result["pictures"]] == ["2", "3"]
    assert (result["read"], result["wrong"]) == (4, 2)
    table = out.read_text()
    assert "Of 4 pictures 2 were read wrong (`eval`, commit abc). For 2 of them" in table
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")][2:]
    assert sum(int(row[1]) for row in rows) == 2
    assert sum(int(row[3]) for row in rows) == sum(item["taken_for_true"] for item in result["pictures"])


def test_limit_takes_the_first_read_wrong(evaluation, tmp_path):
    out = tmp_path / "table.md"
    script.main([str(evaluation), "--limit", "1", "--learned", "2", "--tested", "2", "--out", str(out)])
    assert "For 1 of them" in out.read_text()


def test_bad_input_is_refused(evaluation, tmp_path):
    with pytest.raises(SystemExit, match="nothing.json: no such file"):
        script.main([str(tmp_path / "nothing.json"), "--out", str(tmp_path / "table.md")])
    with pytest.raises(SystemExit) as ended:
        script.main([str(evaluation), "--out", str(tmp_path / "table.txt")])
    assert ended.value.code == 2
    content = json.loads(evaluation.read_text())
    content["data"] = str(tmp_path / "pictures")
    evaluation.write_text(json.dumps(content | {"data_options": {"language_folder": "noisy_shapes"}}))
    (tmp_path / "pictures").mkdir()
    Image.fromarray(noisy_shapes.render([CIRCLE])).save(tmp_path / "pictures" / "0.png")
    line = json.dumps({"file_name": "0.png", "objects": [CIRCLE]})
    (tmp_path / "pictures" / "metadata.jsonl").write_text(line + "\n")
    with pytest.raises(SystemExit, match="only grey pictures drawn here"):
        script.main([str(evaluation), "--out", str(tmp_path / "table.md")])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evaluation.json", "pictures"]


def test_what_was_told_before_a_stop_is_not_told_again(evaluation, tmp_path, monkeypatch):
    out, told = tmp_path / "table.md", []

    def stop(draw, true, *rest):
        if told:
            raise KeyboardInterrupt
        told.append(true)
        return 0.75, True

    arguments, origin = [str(evaluation), "--out", str(out)], {"command": "c", "commit": "abc", "hardware": "h"}
    monkeypatch.setattr(script, "describe_origin", lambda device: origin)
    monkeypatch.setattr(script, "tell_apart", stop)
    with pytest.raises(KeyboardInterrupt):
        script.main(arguments)
    assert not out.exists()
    monkeypatch.setattr(script, "tell_apart", lambda draw, true, *rest: told.append(true) or (0.25, False))
    script.main(arguments)
    shares = [item["told_apart"] for item in json.loads(out.with_suffix(".json").read_text())["pictures"]]
    assert len(told) == 2 and shares == [0.75, 0.25]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evaluation.json", "table.json", "table.md"]
    script.main([*arguments, "--tested", "3"])
    assert len(told) == 4  # another measurement
