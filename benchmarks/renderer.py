"""Speed of the renderers of Noisy Shapes on one core: pictures a second, and the ratio to real TikZ, in one run.

Run `python -m benchmarks.renderer`; needs pdflatex and pdftoppm.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable


os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np  # noqa: E402

from datasets_scripts.noisy_shapes.renderer import render_batch  # noqa: E402
from datasets_scripts.noisy_shapes.sampler import sample_scene  # noqa: E402
from datasets_scripts.noisy_shapes.tikz import render_tikz  # noqa: E402


def rate(render: Callable[[], np.ndarray], repeats: int) -> float:
    """Pictures a second, the best of some repeats."""
    best = 0.0
    for _ in range(repeats):
        start = time.perf_counter()
        pictures = render()
        best = max(best, len(pictures) / (time.perf_counter() - start))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=512)
    parser.add_argument("--tikz-scenes", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # LaTeX inherits it

    rng = np.random.default_rng(0)
    scenes = [sample_scene(rng) for _ in range(options.scenes)]

    def generators(count: int = options.scenes) -> list[np.random.Generator]:
        return [np.random.default_rng(index) for index in range(count)]

    few = options.tikz_scenes
    reference = rate(lambda: render_tikz(scenes[:few], generators(few)), 1)
    print(f"{'renderer':24}{'pictures/s':>12}{'times TikZ':>12}")
    print(f"{'TikZ, 256 x 256':24}{reference:12.1f}{1:12.0f}")
    for size in (256, 64):
        for name, noisy in (("noisy", True), ("clean", False)):
            render_batch(scenes[:1], (size, size))  # builds the profile tables
            measured = rate(
                lambda size=size, noisy=noisy: render_batch(scenes, (size, size), generators() if noisy else None),
                options.repeats,
            )
            print(f"{f'{name}, {size} x {size}':24}{measured:12.0f}{measured / reference:12.0f}")


if __name__ == "__main__":
    main()
