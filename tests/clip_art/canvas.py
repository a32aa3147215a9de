"""The sheet that every picture is drawn on: flat shapes in darker outlines, drawn large and shrunk for soft edges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PIL import Image, ImageColor, ImageDraw

from .geometry import Outline, Point, shifted


SUPERSAMPLING = 4
OUTLINE = 1.8  # pixels
Colour = str | tuple[int, ...]


def darker(colour: Colour, by: float = 0.6) -> tuple[int, ...]:
    """The colour scaled towards black, keeping its opacity: that of the outlines."""
    red, green, blue, *alpha = ImageColor.getrgb(colour) if isinstance(colour, str) else colour
    return (round(red * by), round(green * by), round(blue * by), *alpha)


class Canvas:
    """A transparent sheet of width x height pixels; the origin is where on it the point (0, 0) lies."""

    def __init__(self, width: int, height: int, origin: Point = (0, 0)):
        self._layer = Image.new("RGBA", (width * SUPERSAMPLING, height * SUPERSAMPLING))
        self._draw = ImageDraw.Draw(self._layer)
        self._origin = origin

    def shape(self, points: Outline, colour: Colour, line: float = OUTLINE) -> None:
        """A filled shape in an outline of that width, which lies outside it; 0 for none."""
        self.union([points], colour, line)

    def union(self, shapes: list[Outline], colour: Colour, line: float = OUTLINE) -> None:
        """Shapes in one colour that melt into one, with an outline round them all."""
        if line:
            for points in shapes:
                self._trace([*points, points[0]], 2 * line, darker(colour))
        for points in shapes:
            self._draw.polygon(self._place(points), fill=colour)

    def lit(self, shapes: list[Outline], colour: Colour, light: Colour, shift: Point = (-3, -6)) -> None:
        """A union, and on it the same shapes shifted in a lighter colour: a rim of shade is left on one side."""
        self.union(shapes, colour)
        with self.inside(*shapes):
            self.union([shifted(points, *shift) for points in shapes], light, 0)

    def stroke(self, points: Outline, width: float, colour: Colour, line: float = OUTLINE) -> None:
        """A line with round ends, in an outline of that width; 0 for none."""
        if line:
            self._trace(points, width + 2 * line, darker(colour))
        self._trace(points, width, colour)

    @contextmanager
    def inside(self, *shapes: Outline) -> Iterator[None]:
        """What is drawn in this block shows within the shapes only."""
        before = self._layer.copy()
        yield
        mask = Image.new("L", self._layer.size)
        for points in shapes:
            ImageDraw.Draw(mask).polygon(self._place(points), fill=255)
        before.paste(self._layer, mask=mask)
        self._layer, self._draw = before, ImageDraw.Draw(before)

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom, in pixels of the sheet, of what is drawn."""
        left, top, right, bottom = self._layer.getbbox()
        return left // SUPERSAMPLING, top // SUPERSAMPLING, -(-right // SUPERSAMPLING), -(-bottom // SUPERSAMPLING)

    def picture(self) -> Image.Image:
        """The drawing at its size, cut to what is drawn: RGBA."""
        return self._layer.reduce(SUPERSAMPLING).crop(self.bounds)

    def _place(self, points: Outline) -> Outline:
        x, y = self._origin
        return [((px + x) * SUPERSAMPLING, (py + y) * SUPERSAMPLING) for px, py in points]

    def _trace(self, points: Outline, width: float, colour: Colour) -> None:
        placed, width = self._place(points), round(width * SUPERSAMPLING)
        self._draw.line(placed, fill=colour, width=width, joint="curve")
        for x, y in (placed[0], placed[-1]):
            self._draw.circle((x, y), width / 2, fill=colour)


def picture(width: int, height: int) -> Callable[[Callable[[Canvas], None]], Callable[[], Image.Image]]:
    """Turns a function that draws on a canvas of that size into one that returns the picture, cut to what is drawn."""

    def decorate(draw: Callable[[Canvas], None]) -> Callable[[], Image.Image]:
        def drawn() -> Image.Image:
            canvas = Canvas(width, height)
            draw(canvas)
            return canvas.picture()

        return drawn

    return decorate
