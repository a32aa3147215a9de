"""A picture of the page of `derender serve` that has read a drawing: python -m tests.page_picture docs/page.png"""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from datasets_scripts.noisy_shapes import render, sample_scene
from tests.served_page import open_browser, serve_page


SEED = 30  # of the drawing, which is none that a model was trained or chosen on
SIZE = {"width": 1180, "height": 1190}  # pixels of the window


def draw(path: Path) -> None:
    """Objects in pencil on paper that is not quite white, and more of it than the canvas."""
    rng = np.random.default_rng([SEED, SEED])
    ink = 255 - render(sample_scene(rng, 6, 6), size=(512, 512), rng=rng, image_noise=False)
    paper = np.full((640, 900, 3), (244, 238, 224), np.uint8)
    paper[64:576, 194:706] -= (ink[..., None] * (0.75, 0.72, 0.55)).astype(np.uint8)
    Image.fromarray(paper).save(path)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", metavar="PNG")
    parser.add_argument("--model", default="noisy_shapes")
    options = parser.parse_args(arguments)
    command = Path(sys.executable).with_name("derender")
    with TemporaryDirectory() as folder:
        picture = Path(folder, "sketch.png")
        draw(picture)
        with serve_page(command, Path(folder), "serve", "--model", options.model) as address, open_browser() as page:
            page.set_viewport_size(SIZE)
            page.goto(address)
            page.set_input_files("input[type=file]", str(picture))
            page.get_by_text("unlike the picture").wait_for(timeout=60_000)
            page.wait_for_timeout(1000)  # until the pictures have been drawn
            page.screenshot(path=options.out)


if __name__ == "__main__":
    main(sys.argv[1:])
