"""Scenes a second of the Noisy Shapes sampler and of the plain one it must agree with, in one run on one core.

    python benchmarks/sampler.py

Both are single-threaded. They take turns, so that what else the machine does meets both, and the times are those of
the process. The first scenes of the fast sampler, which fill its tables, are timed apart. Exits with 1 where the fast
sampler is less than 10 times as fast.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np


sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from plain_sampler import sample_scene as sample_plain_scene

from datasets_scripts.noisy_shapes.sampler import sample_scene


BOUND = 10
ROUNDS = 10
NUM_PLAIN, NUM_FAST, NUM_FIRST = 80, 3000, 2000


def seconds(sampler: Callable, number: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    start = process_time()
    for _ in range(number):
        sampler(rng)
    return process_time() - start


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    first = NUM_FIRST / seconds(sample_scene, NUM_FIRST, seed=ROUNDS)
    plain_seconds = fast_seconds = 0.0
    for round_number in range(ROUNDS):
        plain_seconds += seconds(sample_plain_scene, NUM_PLAIN, round_number)
        fast_seconds += seconds(sample_scene, NUM_FAST, round_number)
    plain, fast = ROUNDS * NUM_PLAIN / plain_seconds, ROUNDS * NUM_FAST / fast_seconds
    print(f"{'sampler':<24}{'scenes':>8}{'scenes/s':>10}{'ratio':>8}")
    rows = [
        ("plain, all pairs", ROUNDS * NUM_PLAIN, plain),
        (f"fast, first {NUM_FIRST}", NUM_FIRST, first),
        ("fast, after these", ROUNDS * NUM_FAST, fast),
    ]
    for name, number, rate in rows:
        print(f"{name:<24}{number:>8}{rate:>10.0f}{rate / plain:>8.1f}")
    print(f"\nbound: at least {BOUND} times the plain one: {'kept' if fast >= BOUND * plain else 'missed'}")
    return int(fast < BOUND * plain)


if __name__ == "__main__":
    sys.exit(main())
