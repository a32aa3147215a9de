"""eval.py --candidates --refine: accuracy against the drawings that render and compare takes."""

import json
from pathlib import Path

import pytest
from PIL import Image
from tiny_checkpoint import save_tiny_checkpoint

import eval as eval_script
from datasets_scripts.abstract_scenes import LANGUAGE as ABSTRACT_SCENES


TOY = str(Path(__file__).parent / "toy_language")


@pytest.fixture
def evaluate(options, trained, tmp_path, capsys):
    def run(*arguments):
        fixed = ["--model", f"{options.output_dir}/model", "--data", TOY, "--size", "24", "--device", "cpu"]
        eval_script.main([*fixed, *map(str, arguments), "--json", str(tmp_path / "result.json")])
        return json.loads((tmp_path / "result.json").read_text()), capsys.readouterr().out

    return run


def test_scores_by_budget_stand_apart_from_the_greedy_ones(evaluate, tmp_path):
    plain, _ = evaluate()
    result, told = evaluate("--candidates", 3, "--refine", 60, "--curve", tmp_path / "curve.png")
    assert all(result[name] == plain[name] for name in ("iou", "inference_error", "reconstruction_error"))
    search = result["search"]
    assert (search["candidates"], search["refine"]) == (3, 60)
    assert [item["budget"] for item in search["scores"]] == [0, 10, 20, 50, 60]
    errors = [plain["reconstruction_error"], *(item["reconstruction_error"] for item in search["scores"])]
    assert errors == sorted(errors, reverse=True) and errors[-1] < errors[0]
    assert "| greedy |" in told and "| best of 3 candidates, 60 drawings |" in told
    assert Image.open(tmp_path / "curve.png").width > 500


def test_a_budget_is_what_a_longer_search_had_by_then_or_better(evaluate):
    long, short = (evaluate("--refine", budget)[0]["search"]["scores"] for budget in (60, 20))
    assert long[:2] == short[:2] and long[2]["budget"] == short[2]["budget"] == 20
    assert short[2]["reconstruction_error"] <= long[2]["reconstruction_error"]


def test_what_a_search_cannot_go_with_is_told_before_any_work(evaluate, tmp_path, capsys):
    with pytest.raises(SystemExit):
        evaluate("--refine", 10, "--no-grammar")
    assert "--refine: choose among what the grammar allows" in capsys.readouterr().err


def test_a_search_needs_something_to_draw_with(tmp_path, monkeypatch):
    monkeypatch.delenv("ABSTRACT_SCENES_DIR", raising=False)
    model, pictures = save_tiny_checkpoint(tmp_path / "model", ABSTRACT_SCENES), tmp_path / "pictures"
    pictures.mkdir()
    Image.new("RGB", (50, 40)).save(pictures / "1.png")
    (pictures / "metadata.jsonl").write_text('{"file_name": "1.png", "objects": []}\n')
    with pytest.raises(SystemExit, match="^error: --candidates, --refine: abstract_scenes cannot be drawn here$"):
        eval_script.main(["--model", str(model), "--data", str(pictures), "--refine", "10", "--device", "cpu"])


def test_a_curve_needs_a_search(evaluate, capsys):
    with pytest.raises(SystemExit):
        evaluate("--curve", "curve.png")
    assert "--curve: shows what --refine brings" in capsys.readouterr().err
