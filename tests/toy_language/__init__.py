"""A toy language for tests, as a user's own folder would hold it: dots and horizontal bars on an 8 x 8 grid."""

import numpy as np

from modeling_derender.language import Language


PIXELS = 32

LANGUAGE = Language.from_dict(
    {
        "name": "toy",
        "version": "1",
        "canvas": {"width": 8, "height": 8, "y_axis": "down", "pixels": [PIXELS, PIXELS], "channels": 1},
        "domains": [{"name": "coordinate", "type": "integer", "minimum": 0, "maximum": 7}],
        "categories": [
            {
                "name": "dot",
                "properties": [{"name": "x", "domain": "coordinate"}, {"name": "y", "domain": "coordinate"}],
                "points": [["x", "y"]],
            },
            {
                "name": "bar",
                "properties": [
                    {"name": "x1", "domain": "coordinate"},
                    {"name": "x2", "domain": "coordinate"},
                    {"name": "y", "domain": "coordinate"},
                ],
                "rules": [{"less": ["x1", "x2"]}],
                "points": [["x1", "y"], ["x2", "y"]],
            },
        ],
    }
)


def sample_scene(rng: np.random.Generator, max_objects: int = 2) -> list[dict]:
    """One to `max_objects` objects, no two in one row."""
    rows = rng.permutation(8)[: rng.integers(1, max_objects + 1)]
    return [_sample_object(rng, int(row)) for row in rows]


def _sample_object(rng: np.random.Generator, row: int) -> dict:
    if rng.random() < 0.5:
        return {"category": "dot", "x": int(rng.integers(8)), "y": row}
    left, right = sorted(rng.choice(8, 2, replace=False).tolist())
    return {"category": "bar", "x1": left, "x2": right, "y": row}


def render(objects: list[dict], size: tuple[int, int] = (PIXELS, PIXELS), rng=None) -> np.ndarray:
    """White paper, black cells for a dot, grey ones for a bar; `rng` draws the shade. uint8 (H, W)."""
    cells = np.full((8, 8), 255, np.uint8)
    for item in objects:
        darkness = 0 if rng is None else int(rng.integers(32))
        if item["category"] == "dot":
            cells[item["y"], item["x"]] = darkness
        else:
            cells[item["y"], item["x1"] : item["x2"] + 1] = 128 + darkness
    rows, columns = (np.arange(length) * 8 // length for length in size)
    return cells[rows][:, columns]


def render_batch(scenes: list[list[dict]], size: tuple[int, int] = (PIXELS, PIXELS), rngs=None) -> np.ndarray:
    """`render` on each scene: uint8 (B, H, W)."""
    return np.stack(
        [render(scene, size, rng) for scene, rng in zip(scenes, rngs or [None] * len(scenes), strict=True)]
    )
