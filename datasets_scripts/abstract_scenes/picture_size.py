"""The sizes that Abstract Scenes are drawn at."""

from __future__ import annotations

from .language import HEIGHT, WIDTH


def check_size(size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) as given. Raises ValueError unless it is at most the canvas, in its aspect up to a pixel."""
    height, width = size
    if min(height, width) < 1 or abs(height * WIDTH - width * HEIGHT) > WIDTH:
        raise ValueError(f"size {size!r}: the canvas is {HEIGHT} x {WIDTH} (height, width); keep its aspect, 4 : 5")
    if height > HEIGHT or width > WIDTH:
        raise ValueError(f"size {size!r}: more than the canvas's {HEIGHT} x {WIDTH}; draw at most at that size")
    return int(height), int(width)
