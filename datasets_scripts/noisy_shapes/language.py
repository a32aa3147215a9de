"""The language of Noisy Shapes (Ellis et al. 2018): circles, rectangles and lines on a 16 x 16 grid, in 27 tokens."""

from modeling_derender.language import Language


def _coordinate(name: str, **limits) -> dict:
    return {"name": name, "domain": "coordinate", "tag": f"{name}-coordinate", **limits}


_CORNERS = [_coordinate("x1"), _coordinate("y1"), _coordinate("x2"), _coordinate("y2")]
_ENDS = [["x1", "y1"], ["x2", "y2"]]

LANGUAGE = Language.from_dict(
    {
        "format": 1,
        "name": "noisy_shapes",
        "version": "1",
        "canvas": {"width": 16, "height": 16, "y_axis": "up", "pixels": [256, 256], "channels": 1},
        "domains": [
            {"name": "coordinate", "type": "integer", "minimum": 0, "maximum": 15},
            {"name": "arrow", "type": "flag", "words": ["plain", "arrow"]},
            {"name": "solid", "type": "flag", "words": ["dashed", "solid"]},
        ],
        "categories": [
            # A circle's radius is always 1 and it lies inside 1..15.
            {
                "name": "circle",
                "label": "Circle",
                "properties": [
                    _coordinate("x", minimum=2, maximum=14),
                    _coordinate("y", minimum=2, maximum=14),
                ],
                "points": [["x", "y"]],
                "margin": 1,
            },
            {
                "name": "rectangle",
                "label": "Rectangle",
                "properties": _CORNERS,
                "rules": [{"less": ["x1", "x2"]}, {"less": ["y1", "y2"]}],
                "points": _ENDS,
            },
            # An arrow's tip is at the second end; the ends of a line without one are interchangeable.
            {
                "name": "line",
                "label": "Line",
                "properties": [
                    *_CORNERS,
                    {"name": "arrow", "domain": "arrow"},
                    {"name": "solid", "domain": "solid"},
                ],
                "joint": [["arrow", "solid"]],
                "rules": [{"differ": _ENDS}, {"sorted": _ENDS, "where": {"arrow": False}}],
                "points": _ENDS,
            },
        ],
    }
)
