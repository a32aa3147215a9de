"""The Hugging Face Space of the metric: a page to try it on."""

import json
from pathlib import Path

import evaluate
import gradio as gr


READ = '[[{"category": "circle", "x": 3, "y": 4}, {"category": "circle", "x": 9, "y": 8}]]'
TRUE = '[[{"category": "circle", "x": 3, "y": 4}, {"category": "circle", "x": 9, "y": 9}]]'

here = Path(__file__).resolve().parent
(module,) = here.glob("derender_*.py")
metric = evaluate.load(str(module))


def score(predictions: str, references: str, ranges: str) -> dict:
    """The scores of objects written as JSON; `ranges` may be empty."""
    try:
        options = {"ranges": json.loads(ranges)} if ranges.strip() else {}
        return metric.compute(predictions=json.loads(predictions), references=json.loads(references), **options)
    except (ValueError, TypeError) as error:
        raise gr.Error(str(error)) from error


page = gr.Interface(
    score,
    inputs=[
        gr.Textbox(READ, label="predictions: for each picture a list of objects, as JSON", lines=3),
        gr.Textbox(TRUE, label="references: the true objects, likewise", lines=3),
        gr.Textbox("", label='ranges: property and range, as {"x": [0, 500]}, to compare in 20 bins; or nothing'),
    ],
    outputs=gr.JSON(label="scores"),
    title=module.stem,
    description=metric.info.description,
    article=(here / "README.md").read_text(encoding="utf-8").split("---\n", 2)[2],
    flagging_mode="never",
    api_name="score",
)

if __name__ == "__main__":
    page.launch()
