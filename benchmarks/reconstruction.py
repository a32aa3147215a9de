"""Pairs of pictures a second: the reconstruction error, a plain NumPy version, and `evaluate` with PIL pictures.

    python benchmarks/reconstruction.py

The pictures are 500 x 400: random ones, of which nearly no pixel is right, and flat scenes with one object moved. All
ways are on one core and take turns, so that what else the machine does meets all of them; the times are those of the
process. Exits with 1 where the reconstruction error is less than 6 times as fast as the plain version on either kind.
"""

import argparse
import os
import sys
from pathlib import Path
from time import process_time


os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy is loaded
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import evaluate
import numpy as np
from PIL import Image, ImageDraw

from modeling_derender.reconstruction_error import reconstruction_error


BOUND = 6
ROUNDS = 10
NUM_PAIRS, FAST_REPEATS = 16, 8
WIDTH, HEIGHT = 500, 400


def plain_error(predictions: list[np.ndarray], references: list[np.ndarray]) -> float:
    """The definition, as one would write it down."""
    wrong = pixels = 0
    for prediction, reference in zip(predictions, references, strict=True):
        wrong += (np.floor(20 * (prediction / 256)) != np.floor(20 * (reference / 256))).any(-1).sum()
        pixels += prediction.shape[0] * prediction.shape[1]
    return float(wrong / pixels)


def random_pairs() -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.random.default_rng(0).integers(0, 256, (2, NUM_PAIRS, HEIGHT, WIDTH, 3), dtype=np.uint8))


def scene_pairs() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """A scene of seven ellipses on sky and grass, and the same with the last one moved."""
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(NUM_PAIRS):
        centres = rng.integers((0, 0), (WIDTH, HEIGHT), (8, 2))
        colours = list(map(tuple, rng.integers(0, 256, (7, 3)).tolist()))
        pairs.append([draw_scene([*centres[:6], last], colours) for last in centres[6:]])
    return tuple(map(list, zip(*pairs, strict=True)))


def draw_scene(centres: list[np.ndarray], colours: list[tuple[int, int, int]]) -> np.ndarray:
    picture = Image.new("RGB", (WIDTH, HEIGHT), (120, 190, 250))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, HEIGHT // 2, WIDTH, HEIGHT), fill=(90, 180, 70))
    for (x, y), colour in zip(np.array(centres).tolist(), colours, strict=True):
        draw.ellipse((x - 40, y - 50, x + 40, y + 50), fill=colour)
    return np.array(picture)


def measure(predictions, references, metric) -> dict[str, float]:
    """Pairs a second of each way, by its name."""
    pictures = [list(map(Image.fromarray, side)) for side in (predictions, references)]
    ways = {
        "plain NumPy": (lambda: plain_error(predictions, references), 1),
        "reconstruction_error": (lambda: reconstruction_error(predictions, references), FAST_REPEATS),
        "evaluate, PIL pictures": (
            lambda: metric.compute(predictions=pictures[0], references=pictures[1])["reconstruction_error"],
            1,
        ),
    }
    if len({way() for way, _ in ways.values()}) > 1:  # which also warms all of them up
        raise AssertionError("the ways to compute the error differ")
    seconds = dict.fromkeys(ways, 0.0)
    for _ in range(ROUNDS):
        for name, (way, repeats) in ways.items():
            start = process_time()
            for _ in range(repeats):
                way()
            seconds[name] += (process_time() - start) / repeats
    return {name: ROUNDS * NUM_PAIRS / total for name, total in seconds.items()}


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    metric = evaluate.load(str(Path(__file__).resolve().parents[1] / "metrics" / "derender_reconstruction"))
    missed = False
    print(f"{'pictures':<10}{'way':<24}{'pairs/s':>10}{'ratio':>8}")
    for kind, pairs in (("random", random_pairs()), ("scenes", scene_pairs())):
        rates = measure(*pairs, metric)
        plain = rates["plain NumPy"]
        for name, rate in rates.items():
            print(f"{kind:<10}{name:<24}{rate:>10.0f}{rate / plain:>8.2f}")
        missed |= rates["reconstruction_error"] < BOUND * plain
        share = rates["reconstruction_error"] / rates["evaluate, PIL pictures"]
        print(f"{kind:<10}the pure function does {share:.0f} times the pairs of evaluate")
    print(f"\nbound: at least {BOUND} times the plain version: {'missed' if missed else 'kept'}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
