"""The Hugging Face Space of the metric: a page to try it on."""

import evaluate
from evaluate.utils import launch_gradio_widget


module = evaluate.load("derender_inference.py")
launch_gradio_widget(module)
