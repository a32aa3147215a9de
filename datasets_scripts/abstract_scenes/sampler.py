"""Recomposed scenes: the objects and arrangements of the training split, mixed and moved about at random."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from numpy.random import Generator

from modeling_derender.specification import order_objects

from .language import LANGUAGE, PICTURES, SCALES, WIDTH
from .splits import FileVersion, check_number, find_scenes, read_scenes


_ONCE_A_SCENE = ("boy", "girl")  # no scene of the data has two of either
_RANGES = {name: LANGUAGE.categories["sky"].properties[name].values for name in ("x", "y")}


def sample_scene(
    rng: Generator,
    data_dir: str | Path | None = None,
    split_by: str = "scene",
    split_seed: int = 0,
    validation_share: float = 0.0,
    exchanged: float = 0.5,
    redrawn: float = 0.2,
    shift: float = 20.0,
    jitter: float = 12.0,
) -> list[dict]:
    """A new scene made from the training split that `read_scenes` gives for the options of the same names.

    A training scene, drawn at random, gives the number of objects and an arrangement. Each of its objects is
    exchanged, with the chance `exchanged`, for an object of the whole training split, as it stands there. Each
    object's properties but its place are then redrawn, every one with the chance `redrawn`: another pose or picture of
    its kind, another depth, the other side. The scene is moved as a whole and each object by itself, by normal
    numbers of `shift` and `jitter` pixels' deviation. No picture comes twice, and at most one boy and one girl, as in
    the data: what would break that is left as it was, or out.

    Raises ValueError for an option or data that do not fit.
    """
    for name, value, most in (
        ("exchanged", exchanged, 1), ("redrawn", redrawn, 1), ("shift", shift, WIDTH), ("jitter", jitter, WIDTH)
    ):  # fmt: skip
        check_number(name, value, 0, most)
    scenes, pool = _training_material(find_scenes(data_dir), split_by, split_seed, validation_share)
    base = scenes[rng.integers(len(scenes))]
    moved = rng.normal(0, shift, 2)
    objects = {}
    for item in base:
        other = pool[rng.integers(len(pool))] if rng.random() < exchanged else item
        by = moved + rng.normal(0, jitter, 2)
        for candidate in (_redraw(other, rng, redrawn), item):
            if _is_free(candidate, objects):
                objects[candidate["category"]] = _move(candidate, by)
                break
    return order_objects(LANGUAGE, list(objects.values()))


@lru_cache(maxsize=1)
def _training_material(version: FileVersion, *options) -> tuple[list[list[dict]], list[dict]]:
    """The scenes of the training split, and all their objects."""
    scenes = list(read_scenes("train", version.data_dir, *options).values())
    return scenes, [item for scene in scenes for item in scene]


def _redraw(item: dict, rng: Generator, chance: float) -> dict:
    pictures = PICTURES[item["supercategory"]]
    picture, depth, side = rng.random(3) < chance
    return {
        **item,
        "category": pictures[rng.integers(len(pictures))] if picture else item["category"],
        "depth": int(rng.integers(len(SCALES))) if depth else item["depth"],
        "flip": bool(rng.integers(2)) if side else item["flip"],
    }


def _is_free(item: dict, objects: dict[str, dict]) -> bool:
    kinds = {other["supercategory"] for other in objects.values()}
    doubled = item["supercategory"] in _ONCE_A_SCENE and item["supercategory"] in kinds
    return item["category"] not in objects and not doubled


def _move(item: dict, by) -> dict:
    moved = {name: round(item[name] + float(delta)) for name, delta in zip(("x", "y"), by, strict=True)}
    limited = {name: min(max(value, _RANGES[name][0]), _RANGES[name][-1]) for name, value in moved.items()}
    return {**item, **limited}
