"""The two renderers of Abstract Scenes over real scenes: agreement, speed on one core, and what errors of place cost.

Run `python -m benchmarks.abstract_scenes_renderer --data_dir AbstractScenes_v1.1`, or set ABSTRACT_SCENES_DIR. The
renderers take turns, so that what else the machine does meets each, and the time of a renderer is the sum over its
turns, of the process alone. Pixels are compared in 20 buckets, all three channels. Exits with 1 where, at 500 x 400,
fewer than 99.9% of the pixels agree or the batched form is slower than the plain loop whose pictures are put into one
array, as the batched form's are.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from datasets_scripts.abstract_scenes.batch_renderer import BatchRenderer
from datasets_scripts.abstract_scenes.data_folder import find_data_dir
from datasets_scripts.abstract_scenes.plain_renderer import render_plain
from datasets_scripts.abstract_scenes.renderers import render_batch_plain
from datasets_scripts.abstract_scenes.scenes_file import read_scenes_file
from modeling_derender.reconstruction_error import reconstruction_error


BOUND = 0.999
FULL, SIZES = (400, 500), ((400, 500), (160, 200), (128, 160))  # (height, width)
SHIFTS = ((12, 0), (12, 12), (25, 0), (25, 25), (1, 1))
# The batched form makes one array of all pictures; the plain loop is measured without and with that.
PLAIN, PLAIN_ARRAYS = "plain, 500 x 400, Pillow images", "plain, 500 x 400, arrays"

Scenes = list[list[dict]]


def agreement(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Share of the pixels of uint8 (B, H, W, 3) that are equal in 20 buckets, all channels."""
    return 1 - reconstruction_error(ours, theirs)


def shifted(scenes: Scenes, right: int, down: int) -> Scenes:
    return [[{**obj, "x": obj["x"] + right, "y": obj["y"] + down} for obj in objects] for objects in scenes]


def measure_speed(renderers: dict[str, Callable], scenes: Scenes, batch: int, rounds: int) -> dict[str, float]:
    """Pictures a second of each renderer, by turns of a batch."""
    seconds = dict.fromkeys(renderers, 0.0)
    parts = [scenes[first : first + batch] for first in range(0, len(scenes), batch)]
    for part in parts * rounds:
        for name, render in renderers.items():
            start = time.process_time()
            render(part)
            seconds[name] += time.process_time() - start
    return {name: rounds * len(scenes) / second for name, second in seconds.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir")
    parser.add_argument("--scenes", type=int, default=500)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    folder = find_data_dir(options.data_dir)
    every = list(read_scenes_file(folder).scenes.values())
    chosen = np.random.default_rng(options.seed).choice(len(every), min(options.scenes, len(every)), replace=False)
    scenes = [every[index] for index in chosen]
    print(f"{len(scenes)} of {len(every)} scenes, seed {options.seed}; one core, batches of {options.batch}\n")

    batched = {size: _build(folder, size) for size in SIZES}
    plain = render_batch_plain(scenes, data_dir=folder)
    agreed = _print_agreement(batched, plain, scenes, folder)
    ratio = _print_speed(batched, scenes, folder, options)
    _print_shifts(batched[FULL], plain, scenes)
    return int(agreed < BOUND or ratio < 1)


def _build(folder: Path, size: tuple[int, int]) -> BatchRenderer:
    start = time.perf_counter()
    renderer = BatchRenderer(folder, size)
    print(f"building the sprites at {size[1]} x {size[0]}: {time.perf_counter() - start:.2f} s")
    return renderer


def _draw(renderer: BatchRenderer, scenes: Scenes) -> np.ndarray:
    return renderer(scenes).permute(0, 2, 3, 1).numpy()


def _print_agreement(batched: dict, plain: np.ndarray, scenes: Scenes, folder: Path) -> float:
    print(f"\n{'batched against plain':24}{'20 buckets':>12}{'exactly':>12}{'mean difference':>18}")
    shares = []
    for size, renderer in batched.items():
        ours = _draw(renderer, scenes)
        theirs = plain if size == FULL else render_batch_plain(scenes, size, data_dir=folder)
        shares.append(agreement(ours, theirs))
        exact = (ours == theirs).all(-1).mean()
        difference = np.abs(ours.astype(np.int16) - theirs).mean()
        print(f"{f'{size[1]} x {size[0]}':24}{shares[-1]:12.3%}{exact:12.3%}{difference:18.3f}")
    print(f"bound: {BOUND:.1%} in 20 buckets at 500 x 400: {'kept' if shares[0] >= BOUND else 'missed'}")
    return shares[0]


def _print_speed(batched: dict, scenes: Scenes, folder: Path, options: argparse.Namespace) -> float:
    renderers = {
        PLAIN: lambda part: [render_plain(objects, folder) for objects in part],
        PLAIN_ARRAYS: lambda part: render_batch_plain(part, data_dir=folder),
        **{f"batched, {width} x {height}": renderer for (height, width), renderer in batched.items()},
    }
    rates = measure_speed(renderers, scenes, options.batch, options.rounds)
    print(f"\n{'renderer':34}{'pictures/s':>12}{'times images':>14}{'times arrays':>14}")
    for name, rate in rates.items():
        print(f"{name:34}{rate:12.0f}{rate / rates[PLAIN]:14.2f}{rate / rates[PLAIN_ARRAYS]:14.2f}")
    return rates["batched, 500 x 400"] / rates[PLAIN_ARRAYS]


def _print_shifts(renderer: BatchRenderer, plain: np.ndarray, scenes: Scenes) -> None:
    print(f"\n{'500 x 400 against plain':34}{'pixels wrong':>12}")
    print(f"{'background alone':34}{1 - agreement(np.broadcast_to(_draw(renderer, [[]]), plain.shape), plain):12.1%}")
    for shift in SHIFTS:
        wrong = 1 - agreement(_draw(renderer, shifted(scenes, *shift)), plain)
        print(f"{f'objects {shift[0]} right, {shift[1]} down':34}{wrong:12.1%}")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ValueError as error:
        sys.exit(f"error: {error}")
