"""experiments/pen_study.py: looks are as wide and as large as they are called, and the table tells the scores."""

import json

import numpy as np
import pytest

from derender.reader import Reader
from derender.strokes import stroke_width
from experiments import pen_study
from experiments.pen_study import Look, draw_scenes


def bar(width: int) -> np.ndarray:
    picture = np.full((1024, 1024), 255, np.uint8)
    picture[500 : 500 + width, 100:900] = 0
    return picture


@pytest.mark.parametrize("wider", [0, 0.8, 2.4])
def test_strokes_are_as_much_wider_as_the_look_says(wider):
    seen = np.asarray(Look(wider=wider).apply(bar(7)))
    assert seen.shape == (512, 512)
    expected = (7 + wider / 100 * 1024) / 2
    assert stroke_width((255 - seen) / 255.0) == pytest.approx(expected, abs=1.5)


@pytest.mark.parametrize("side, is_bilevel", [(64, False), (64, True), (512, True)])
def test_a_look_has_its_side_and_its_levels(side, is_bilevel):
    look = Look(side=side, is_bilevel=is_bilevel)
    seen = np.asarray(look.apply(bar(9)))
    assert seen.shape == (side, side) and f"{side} x {side}" in str(look) and ("white" in str(look)) == is_bilevel
    assert set(np.unique(seen)) == {0, 255} if is_bilevel else seen.min() > 0
    assert (seen[:, side // 2] < 255).sum() <= max(2, side // 100)


def test_the_table_tells_each_look(monkeypatch, tmp_path):
    scenes = draw_scenes("validation", 3)

    sides = []

    class Perfect:
        language = Reader.open("noisy_shapes").language

        def read(self, image, options):
            sides.append(image.size[0])
            return next(answers)

    class Answer:
        def __init__(self, objects):
            self.objects = objects

    answers = iter([Answer(scene["objects"]) for _ in range(2) for scene in scenes[:2]] + [Answer([])] * 2)
    monkeypatch.setattr(Reader, "open", lambda name: Perfect())
    monkeypatch.setattr(pen_study, "LOOKS", (Look(), Look(side=64), Look(wider=0.8)))
    out = tmp_path / "pens.md"
    pen_study.main(["--split", "validation", "--size", "2", "--out", str(out)])
    looks = json.loads(out.with_suffix(".json").read_text())["looks"]
    assert sides == [512, 512, 64, 64, 512, 512]
    assert [item["exact"] for item in looks.values()] == [2, 2, 0]
    text = out.read_text()
    assert "| pens of 0.6% of the side, 64 x 64 pixels | 100.00 | 100.00 | 0.00 | 0 |" in text
    assert "| pens of 1.4% of the side, 512 x 512 pixels | 0.00 | 0.00 | 100.00 | 0 |" in text
    assert {path.name for path in tmp_path.iterdir()} == {"pens.json", "pens.md"}


def test_another_language_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="reads abstract_scenes, and the scenes are of noisy_shapes"):
        pen_study.main(["--model", "abstract_scenes", "--out", str(tmp_path / "pens.md")])
