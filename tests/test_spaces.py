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


@pytest.fixture(scope="module")
def iou_page(tmp_path_factory):
    with serve_page(METRICS / "derender_iou" / "app.py", tmp_path_factory.mktemp("iou")) as address:
        yield address


def check(address: str, expected: dict, binned: dict) -> None:
    scores = ask(address, json.dumps(READ), json.dumps(TRUE), "")
    assert {key: scores[key] for key in expected} == pytest.approx(expected)
    found = ask(address, json.dumps(READ), json.dumps(TRUE), '{"x": [0, 40]}')
    assert {key: found[key] for key in binned} == binned  # 8 and 9 share a bin
    with pytest.raises(AppError, match="Expecting"):
        ask(address, json.dumps(READ)[:-1], json.dumps(TRUE), "")
    assert ask(address, json.dumps(READ), json.dumps(TRUE), "") == scores  # it goes on


def test_the_page_of_iou_scores_objects(iou_page):
    check(iou_page, {"iou": 1 / 3}, {"iou_binned": 1})


def test_the_page_of_inference_scores_objects(tmp_path):
    with serve_page(METRICS / "derender_inference" / "app.py", tmp_path) as address:
        check(address, {"inference_error": 0.25}, {"inference_error": 0})


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
def test_a_page_shows_itself_in_a_browser(iou_page):
    with open_browser() as page:
        page.goto(iou_page)
        page.get_by_label("references").fill(json.dumps([[{"x": number} for number in range(7)]]))
        page.get_by_label("predictions").fill(json.dumps([[{"x": 3}]]))
        assert "0.142857" not in page.inner_text("body")
        page.get_by_role("button", name="Submit").click()
        page.wait_for_function("document.body.innerText.includes('0.142857')")  # 1 of 7
