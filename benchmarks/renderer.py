"""Speed of the renderers of Noisy Shapes on one core: pictures a second, and the ratio to real TikZ, in one run.

Run `python -m benchmarks.renderer`; needs pdflatex and pdftoppm. All take turns, so that what else the machine does
meets each, and the time of a renderer is the sum over its turns. Exits with 1 where the noisy renderer, 256 x 256, is
less than 100 times as fast as real TikZ.
"""

from __future__ import annotations

import argparse
import os
import sys
import time


os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np  # noqa: E402

from datasets_scripts.noisy_shapes.renderer import render_batch  # noqa: E402
from datasets_scripts.noisy_shapes.sampler import sample_scene  # noqa: E402
from datasets_scripts.noisy_shapes.tikz import render_tikz  # noqa: E402


BOUND = 100
REFERENCE, BOUNDED = "TikZ, 256 x 256", "noisy, 256 x 256"


def generators(count: int) -> list[np.random.Generator]:
    return [np.random.default_rng(index) for index in range(count)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=512)
    parser.add_argument("--tikz-scenes", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # LaTeX inherits it

    rng = np.random.default_rng(0)
    scenes = [sample_scene(rng) for _ in range(options.scenes)]
    few = scenes[: options.tikz_scenes]
    renderers = {REFERENCE: lambda: render_tikz(few, rngs=generators(len(few)))}
    for size in (256, 64):
        square = (size, size)
        renderers[f"noisy, {size} x {size}"] = lambda square=square: render_batch(
            scenes, square, generators(len(scenes))
        )
        renderers[f"clean, {size} x {size}"] = lambda square=square: render_batch(scenes, square)
        render_batch(scenes[:1], square)  # builds the profile tables

    seconds, pictures = dict.fromkeys(renderers, 0.0), dict.fromkeys(renderers, 0)
    for _ in range(options.rounds):
        for name, render in renderers.items():
            start = time.perf_counter()
            pictures[name] += len(render())
            seconds[name] += time.perf_counter() - start
    rates = {name: pictures[name] / seconds[name] for name in renderers}
    print(f"{'renderer':24}{'pictures':>10}{'pictures/s':>12}{'times TikZ':>12}")
    for name, rate in rates.items():
        print(f"{name:24}{pictures[name]:10}{rate:12.1f}{rate / rates[REFERENCE]:12.1f}")
    ratio = rates[BOUNDED] / rates[REFERENCE]
    print(f"\nbound: {BOUNDED} at least {BOUND} times {REFERENCE}: {'kept' if ratio >= BOUND else 'missed'}")
    return int(ratio < BOUND)


if __name__ == "__main__":
    sys.exit(main())
