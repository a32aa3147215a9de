"""What was done to a picture before it was read, as lines of text and as one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from derender.conform import Step
from derender_training.figures import png_of


SIDE, CAPTION = 256, 42  # pixels of a panel, and of the text below it
LETTERS = 40  # of a caption's line


def draw_steps(steps: Sequence[Step]) -> bytes:
    """A PNG with a panel for each step, from left to right, its text below."""
    sheet = Image.new("RGB", (SIDE * len(steps), SIDE + CAPTION), "white")
    pen = ImageDraw.Draw(sheet)
    for number, step in enumerate(steps):
        panel = Image.fromarray(np.ascontiguousarray(step.picture)).convert("RGB")
        sheet.paste(ImageOps.expand(_fit_panel(panel, SIDE - 8), 1, "black"), (SIDE * number + 3, 3))
        pen.multiline_text((SIDE * number + 4, SIDE + 2), _wrap(f"{number + 1}. {step.told}"), fill="black")
    return png_of(sheet)


def _fit_panel(picture: Image.Image, side: int) -> Image.Image:
    """In the middle of a grey square; of a strip at least a line is seen."""
    scale = side / max(picture.size)
    width, height = (max(1, round(length * scale)) for length in picture.size)
    panel = Image.new("RGB", (side, side), "#dddddd")
    panel.paste(picture.resize((width, height)), ((side - width) // 2, (side - height) // 2))
    return panel


def _wrap(text: str) -> str:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > LETTERS:
            lines.append("")
        lines[-1] += f"{word} "
    return "\n".join(lines[:3])
