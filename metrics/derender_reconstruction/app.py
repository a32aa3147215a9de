"""The Hugging Face Space of the metric: a page to try it on two pictures, which `evaluate`'s own page cannot take."""

import evaluate
import gradio


module = evaluate.load("derender_reconstruction.py")


def score(prediction, reference):
    """The error of one pair of uint8 arrays (H, W, 3)."""
    return module.compute(predictions=[prediction], references=[reference])["reconstruction_error"]


gradio.Interface(
    fn=score,
    inputs=[gradio.Image(label="Drawn from what was read"), gradio.Image(label="The true picture")],
    outputs=gradio.Number(label="Reconstruction error"),
    title="Metric: derender_reconstruction",
    description=module.info.description,
).launch()
