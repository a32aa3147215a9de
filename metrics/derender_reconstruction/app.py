"""The Hugging Face Space of the metric: a page to try it on."""

from pathlib import Path

import evaluate
import gradio as gr


here = Path(__file__).resolve().parent
(module,) = here.glob("derender_*.py")
metric = evaluate.load(str(module))


def score(prediction, reference) -> dict:
    """The score of one pair of pictures."""
    if prediction is None or reference is None:
        raise gr.Error("give both pictures")
    try:
        return metric.compute(predictions=[prediction], references=[reference])
    except ValueError as error:
        raise gr.Error(str(error)) from error


page = gr.Interface(
    score,
    inputs=[gr.Image(label="prediction", type="pil"), gr.Image(label="reference", type="pil")],
    outputs=gr.JSON(label="scores"),
    title=module.stem,
    description=metric.info.description,
    article=(here / "README.md").read_text(encoding="utf-8").split("---\n", 2)[2],
    flagging_mode="never",
    api_name="score",
)

if __name__ == "__main__":
    page.launch()
