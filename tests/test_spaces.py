"""The metrics' Spaces: each folder's page starts, answers by its API, and shows itself in a real browser."""

import json
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from served_page import needs_chromium, open_browser, serve_page


METRICS = Path(__file__).parents[1] / "metrics"
TRUE = [[{"category": "circle", "x": 3}, {"category": "circle", "x": 9}]]
READ = [[{"category": "circle", "x": 3}, {"category": "circle", "x": 8}]]


def ask(address: str, *arguments):
    return Client(address, verbose=False).predict(*arguments, api_name="/score")


@pytest.mark.parametrize(("name", "expected"), [("iou", {"iou": 1 / 3}), ("inference", {"inference_error": 0.25})])
def test_a_page_scores_objects(name, expected, tmp_path):
    with serve_page(METRICS / f"derender_{name}" / "app.py", tmp_path) as address:
        scores = ask(address, json.dumps(READ), json.dumps(TRUE), "")
        assert {key: scores[key] for key in expected} == pytest.approx(expected)
        binned = ask(address, json.dumps(READ), json.dumps(TRUE), '{"x": [0, 40]}')
        assert binned["iou_binned" if name == "iou" else "inference_error"] == (name == "iou")  # 8 and 9 share a bin
        with pytest.raises(AppError, match="Expecting"):
            ask(address, json.dumps(READ)[:-1], json.dumps(TRUE), "")
        assert ask(address, json.dumps(READ), json.dumps(TRUE), "") == scores  # it goes on


def test_a_page_scores_pictures(tmp_path):
    pictures = []
    for number, dark in enumerate((20, 50)):
        array = np.full((10, 20, 3), 255, np.uint8)
        array[:, : dark // 10] = 0
        pictures.append(tmp_path / f"{number}.png")
        Image.fromarray(array).save(pictures[-1])
    with serve_page(METRICS / "derender_reconstruction" / "app.py", tmp_path) as address:
        scores = ask(address, *map(handle_file, pictures))
        assert scores == pytest.approx({"reconstruction_error": 3 / 20})


@needs_chromium
def test_a_page_shows_itself_in_a_browser(tmp_path):
    with serve_page(METRICS / "derender_iou" / "app.py", tmp_path) as address, open_browser() as page:
        page.goto(address)
        page.get_by_label("references").fill(json.dumps([[{"x": number} for number in range(7)]]))
        page.get_by_label("predictions").fill(json.dumps([[{"x": 3}]]))
        assert "0.142857" not in page.inner_text("body")
        page.get_by_role("button", name="Submit").click()
        page.wait_for_function("document.body.innerText.includes('0.142857')")  # 1 of 7
