"""experiments/command_scores.py: the command's scores on a folder of pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
import toy_language
from PIL import Image

from derender.reader import Reader, ReadOptions
from experiments import command_scores


TOY = str(Path(__file__).parent / "toy_language")


@pytest.fixture
def pictures(tmp_path) -> Path:
    """Twelve drawings, and a blank page that is told to hold something."""
    lines = []
    for seed in range(12):
        objects = toy_language.sample_scene(np.random.default_rng(seed), max_objects=1)
        Image.fromarray(toy_language.render(objects)).save(tmp_path / f"{seed}.png")
        lines.append({"file_name": f"{seed}.png", "objects": objects})
    Image.new("L", (32, 32), 255).save(tmp_path / "blank.png")
    lines.append({"file_name": "blank.png", "objects": lines[0]["objects"]})
    (tmp_path / "metadata.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def test_the_table_tells_what_was_read_and_what_was_refused(pictures, options, trained, tmp_path, monkeypatch):
    reader = Reader.open(f"{options.output_dir}/model", language=TOY)
    opened = []
    monkeypatch.setattr(Reader, "open", lambda name, **options: opened.append(options) or reader)
    settings = {"one": (False, ReadOptions()), "two": (True, ReadOptions(refine=30))}
    monkeypatch.setattr(command_scores, "SETTINGS", settings)
    command_scores.main([str(pictures), "--out", str(tmp_path / "out" / "scores.md")])
    result = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert opened == [{"test_time_augmentation": False}, {"test_time_augmentation": True}]
    for item in result["settings"].values():
        ious = {picture["file_name"]: picture["iou"] for picture in item["pictures"]}
        assert len(ious) == 13 and ious["blank.png"] == 0 and item["refused"] == 1
        assert item["exact"] == sum(iou == 1 for iou in ious.values()) > 6
        assert item["scores"]["iou"] == pytest.approx(np.mean(list(ious.values())))
    text = (tmp_path / "out" / "scores.md").read_text()
    assert f"| `one` | {result['settings']['one']['exact']} of 13 | " in text and text.count("| 1 |\n") == 2


def test_the_first_so_many_pictures(pictures, options, trained, tmp_path, monkeypatch):
    reader = Reader.open(f"{options.output_dir}/model", language=TOY)
    monkeypatch.setattr(Reader, "open", lambda name, **options: reader)
    monkeypatch.setattr(command_scores, "SETTINGS", {"one": (False, ReadOptions())})
    command_scores.main([str(pictures), "--limit", "2", "--out", str(tmp_path / "scores.md")])
    read = json.loads((tmp_path / "scores.json").read_text())["settings"]["one"]["pictures"]
    assert [picture["file_name"] for picture in read] == ["0.png", "1.png"]


def test_what_was_read_before_a_stop_is_not_read_again(pictures, options, trained, tmp_path, monkeypatch):
    reader = Reader.open(f"{options.output_dir}/model", language=TOY)
    monkeypatch.setattr(Reader, "open", lambda name, **options: reader)
    monkeypatch.setattr(command_scores, "SETTINGS", {"one": (False, ReadOptions()), "two": (True, ReadOptions())})
    origin = {"command": "c", "commit": "abc", "hardware": "h"}
    monkeypatch.setattr(command_scores, "describe_origin", lambda device: origin)
    out = tmp_path / "scores.md"
    command_scores.main([str(pictures), "--out", str(out)])
    expected, names, read = out.read_text(), [], command_scores.read_picture

    def stop_at_18(reader, options, picture):
        if len(names) == 18:
            raise KeyboardInterrupt
        names.append(picture["file_name"])
        return read(reader, options, picture)

    out.unlink()
    monkeypatch.setattr(command_scores, "read_picture", stop_at_18)
    with pytest.raises(KeyboardInterrupt):
        command_scores.main([str(pictures), "--out", str(out)])
    assert not out.exists()
    names.clear()
    command_scores.main([str(pictures), "--out", str(out)])
    assert names == [*(f"{number}.png" for number in range(5, 12)), "blank.png"] and out.read_text() == expected
    assert not [path for path in tmp_path.iterdir() if "unfinished" in path.name]
