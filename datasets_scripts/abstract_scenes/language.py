"""The language of Abstract Scenes (Zitnick and Parikh 2013): clip art on a 500 x 400 canvas, six properties each."""

from __future__ import annotations

from modeling_derender.language import Language

from .clip_art_sizes import PICTURE_SIZES


# The types of the original files, in their numbering: name here, label, prefix of the pictures, number of pictures.
TYPES = (
    ("sky", "Sky", "s", 8),
    ("large", "Large object", "p", 10),
    ("boy", "Boy", "hb0", 35),
    ("girl", "Girl", "hb1", 35),
    ("animal", "Animal", "a", 6),
    ("clothing", "Clothing", "c", 10),
    ("food", "Food", "e", 7),
    ("toy", "Toy", "t", 15),
)
WIDTH, HEIGHT = 500, 400
MARGIN = 400  # how far off the canvas a centre may be; the largest picture, 766 pixels high, is not seen from there
SCALES = (1.0, 0.7, 0.49)  # of the pictures, by depth


def picture_name(prefix: str, number: int) -> str:
    """The category of a picture: the stem of its file without the closing s, so that `a_2` is `Pngs/a_2s.png`."""
    return f"{prefix}_{number}"


PICTURES = {name: tuple(picture_name(prefix, number) for number in range(count)) for name, _, prefix, count in TYPES}

_PROPERTIES = [
    {"name": "x", "domain": "coordinate", "minimum": -MARGIN, "maximum": WIDTH + MARGIN},
    {"name": "y", "domain": "coordinate", "minimum": -MARGIN, "maximum": HEIGHT + MARGIN},
    {"name": "depth", "domain": "depth"},
    {"name": "flip", "domain": "flip"},
]

# Coordinates are of the picture's centre, y down; some of the published ones lie off the canvas.
LANGUAGE = Language.from_dict(
    {
        "format": 1,
        "name": "abstract_scenes",
        "version": "2",  # 1 did not tell the pictures' sizes
        "canvas": {"width": WIDTH, "height": HEIGHT, "y_axis": "down", "pixels": [HEIGHT, WIDTH], "channels": 3},
        "category_property": "supercategory",
        "unique": ["category"],
        "domains": [
            {"name": "picture", "type": "choice", "values": [name for names in PICTURES.values() for name in names]},
            {"name": "coordinate", "type": "integer", "minimum": -MARGIN, "maximum": WIDTH + MARGIN},
            {"name": "depth", "type": "integer", "minimum": 0, "maximum": 2, "prefix": "depth-"},
            {"name": "flip", "type": "flag", "words": ["unflipped", "flipped"]},
        ],
        "categories": [
            {
                "name": name,
                "label": label,
                "properties": [
                    {"name": "category", "domain": "picture", "values": list(PICTURES[name])},
                    *_PROPERTIES,
                ],
                "points": [["x", "y"]],
                "extents": [
                    {"name": "category", "sizes": PICTURE_SIZES[name]},
                    {"name": "depth", "scales": list(SCALES)},
                ],
            }
            for name, label, _, _ in TYPES
        ],
    }
)
