"""Draws the clip art into a folder: python -m tests.clip_art FOLDER [--scenes N --seed S --empty NUMBER ...]."""

from __future__ import annotations

import argparse

from .pictures import draw_clip_art
from .scenes import write_scenes_file


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.clip_art", description="Stand-in clip art for Abstract Scenes."
    )
    parser.add_argument("folder", help="gets Pngs/ and, with --scenes, Scenes_10020.txt")
    parser.add_argument("--scenes", type=int, help="how many random scenes to write")
    parser.add_argument("--seed", type=int, default=0, help="of the scenes (default 0)")
    parser.add_argument(
        "--empty", type=int, nargs="+", default=(), metavar="NUMBER", help="scenes that hold no object"
    )
    options = parser.parse_args()
    draw_clip_art(options.folder)
    if options.scenes is not None:
        write_scenes_file(options.folder, options.scenes, options.seed, options.empty)


if __name__ == "__main__":
    main()
