"""How close the fast renderer of Noisy Shapes is to real TikZ: ink share and stroke width over the same scenes.

Run `python -m benchmarks.renderer_closeness [--picture docs/renderer_vs_tikz.png]`; needs pdflatex and pdftoppm.
Both draw the same objects with the same drawing noise; the pencil's random steps are their own, and there is no image
noise.
Exits with 1 where a figure differs by more than 5%.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from datasets_scripts.noisy_shapes.renderer import render_batch
from datasets_scripts.noisy_shapes.sampler import sample_scene
from datasets_scripts.noisy_shapes.tikz import render_tikz


BOUND = 0.05
REAL_DATA = Path(__file__).parents[1].parent / "shared" / "data" / "noisy_shapes_tikz"


def ink_share(pictures: np.ndarray) -> np.ndarray:
    """Share of each picture that is ink, (B,), of uint8 (B, H, W) with 0 as ink."""
    return (1 - pictures / 255.0).mean(axis=(1, 2))


def stroke_width(pictures: np.ndarray) -> np.ndarray:
    """Mean stroke width of each picture in pixels, (B,): twice the ink's area over its outline's length.

    The outline's length is the total variation of the ink, the sum of its gradient's magnitude by forward differences.
    """
    ink = 1 - pictures / 255.0
    padded = np.pad(ink, ((0, 0), (0, 1), (0, 1)))
    outline = np.hypot(np.diff(padded, axis=1)[:, :, :-1], np.diff(padded, axis=2)[:, :-1])
    return 2 * ink.sum(axis=(1, 2)) / outline.sum(axis=(1, 2))


def figures(pictures: np.ndarray) -> dict[str, float]:
    """Mean and deciles of the ink share, mean stroke width."""
    share = ink_share(pictures)
    deciles = {f"ink share, decile {d}": float(np.quantile(share, d / 10)) for d in range(1, 10)}
    return {
        "ink share, mean": float(share.mean()),
        **deciles,
        "stroke width, mean": float(stroke_width(pictures).mean()),
    }


def compare(name: str, ours: np.ndarray, reference: str, theirs: np.ndarray) -> float:
    """Prints both pictures' figures side by side and returns the largest relative difference."""
    ours, theirs = figures(ours), figures(theirs)
    print(f"{'':22}{name:>14}{reference:>16}{'difference':>12}")
    for key in ours:
        print(f"{key:22}{ours[key]:14.4f}{theirs[key]:16.4f}{ours[key] / theirs[key] - 1:+12.1%}")
    largest = max(abs(ours[key] / theirs[key] - 1) for key in ours)
    print(f"largest difference {largest:.1%}\n")
    return largest


def read_real_data() -> tuple[list[list[dict]], np.ndarray]:
    """Objects and pictures of the imagefolder of real TikZ pictures."""
    rows = [json.loads(line) for line in (REAL_DATA / "metadata.jsonl").read_text().splitlines()]
    pictures = [np.asarray(Image.open(REAL_DATA / row["file_name"]).convert("L")) for row in rows]
    return [row["objects"] for row in rows], np.stack(pictures)


def write_picture(path: str, tikz: np.ndarray, ours: np.ndarray) -> None:
    """Writes a picture of some scenes side by side, TikZ above and ours below."""
    rows = [np.concatenate(list(np.pad(part, ((0, 0), (2, 2), (2, 2)))), axis=1) for part in (tikz, ours)]
    Image.fromarray(np.concatenate(rows)).save(path, optimize=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", help="PNG to write with a few scenes of both side by side")
    options = parser.parse_args()

    def generators(count: int) -> list[np.random.Generator]:
        return [np.random.default_rng([options.seed, index]) for index in range(count)]

    scene_rng = np.random.default_rng(options.seed)
    scenes = [sample_scene(scene_rng) for _ in range(options.scenes)]
    tikz = render_tikz(scenes, rngs=generators(len(scenes)))
    ours = render_batch(scenes, rngs=generators(len(scenes)), image_noise=False)
    print(f"{len(scenes)} sampled scenes, the same drawing noise")
    largest = compare("ours", ours, "TikZ", tikz)
    if options.picture:
        num_arrows = [sum(item.get("arrow", False) for item in scene) for scene in scenes]
        shown = np.argsort(num_arrows, kind="stable")[-4:]
        write_picture(options.picture, tikz[shown], ours[shown])
    if REAL_DATA.is_dir():
        objects, real = read_real_data()
        print(f"the objects of {len(real)} TikZ pictures made elsewhere, other drawing noise")
        compare(
            "ours", render_batch(objects, rngs=generators(len(objects)), image_noise=False), "those pictures", real
        )
        compare("our TikZ", render_tikz(objects, rngs=generators(len(objects))), "those pictures", real)
    return int(largest > BOUND)


if __name__ == "__main__":
    sys.exit(main())
