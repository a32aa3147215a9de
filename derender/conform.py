"""Any picture in -> the pictures that a model knows, each step told and shown.

For a language of lines paper is found, light and colour taken out, strokes darkened, and the canvas guessed. Any other
picture is a canvas as it is, or but for even margins around it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from derender.errors import UnreadableError
from derender.frames import Frame, guess_frames, lay_on_canvas
from derender.ink import LONGEST_SIDE, cut_out, enlarge, find_ground, find_paper, is_dark, shrink, take_ink, to_rgb
from derender.strokes import check_ground, check_lines, darken, drop_specks, set_width, stroke_width
from modeling_derender.image_io import to_uint8
from modeling_derender.image_processing_derender import fit_to_size
from modeling_derender.language import Canvas


LINES, AS_THEY_ARE = "lines", "as they are"  # what the PICTURES of a language's folder may say
WIDTHS = (1.0, 3.2)  # pixels of a canvas 256 wide: strokes between are left as they are,
USUAL_WIDTH = 1.8  # and others become as wide as this;
SHOWN_THICK = 9.0  # those up to so wide are seen as they are as well, by models that may know thick pens
EVENEST = 2.0  # of 255: a picture that varies less is blank
MARGIN = 40  # of 255: what varies less, as in a JPEG, may be a margin
SAME_SHAPE = 0.03  # how far what margins leave may be from the canvas's aspect


@dataclass(frozen=True)
class Step:
    """What was done to a picture, and what it looked like then, uint8 (H, W) or (H, W, 3)."""

    told: str
    picture: np.ndarray


@dataclass(frozen=True)
class Sheet:
    """Ink, float32 (H, W) in [0, 1], strokes `thickness` pixels wide, on which canvases of `size` pixels are laid."""

    ink: np.ndarray
    thickness: float
    size: int

    def lay(self, frame: Frame) -> Laid:
        """The canvas that the frame is, its strokes as wide as they are drawn."""
        scale, told = frame.side / self.size, f"canvas: {frame}"
        if WIDTHS[0] * scale <= self.thickness <= WIDTHS[1] * scale:
            return self._lay_ink(told, self.ink, frame)
        thick = None
        if WIDTHS[1] * scale < self.thickness <= SHOWN_THICK * scale:
            thick = self._lay_ink(f"{told}, its strokes as thick as they are", self.ink, frame)
        fitted = set_width(self.ink, self.thickness, USUAL_WIDTH * scale)
        told += f", strokes from {self.thickness / scale:.1f} to {USUAL_WIDTH} of its pixels wide"
        return self._lay_ink(told, fitted, frame, thick)

    def _lay_ink(self, told: str, ink: np.ndarray, frame: Frame, thick: Laid | None = None) -> Laid:
        return Laid(told, lay_on_canvas(ink, frame, self.size), self, frame, thick)


@dataclass(frozen=True)
class Laid(Step):
    """The last step: a canvas. Where it is but a guess, it has the sheet that it lies on, and can be moved there.

    `thick`: the same with its strokes as they are, where they were made thinner.
    """

    sheet: Sheet | None = None
    frame: Frame | None = None
    thick: Laid | None = None

    @property
    def looks(self) -> list[Laid]:
        """What a model may read it in."""
        return [self] if self.thick is None else [self.thick, self]

    def moved(self, scale: float, right: float, down: float) -> Laid:
        """See `Frame.moved`."""
        return self.sheet.lay(self.frame.moved(scale, right, down, self.sheet.size))


@dataclass
class Conformed:
    """The steps that lead to what a model may read, and the canvases that the picture may hold, the likeliest first.

    `is_whole`: that is the whole picture, and so much likelier than any other.
    """

    steps: list[Step] = field(default_factory=list)
    canvases: list[Laid] = field(default_factory=list)
    is_whole: bool = True


def conform(image: Image.Image, canvas: Canvas, kind: str) -> Conformed:
    """`kind`: the language's PICTURES. Raises UnreadableError where there is nothing to read on such a canvas."""
    result = Conformed()
    try:
        (_conform_lines if kind == LINES else _conform_canvas)(image, canvas, result)
    except UnreadableError as error:
        error.steps = result.steps
        raise
    return result


def fit_canvas(image: Image.Image | np.ndarray, canvas: Canvas) -> np.ndarray:
    """A picture that is the canvas, of any size, at the canvas's own: uint8 (H, W) or (H, W, 3)."""
    pixels = fit_to_size(to_uint8(image, canvas.channels), *canvas.pixels, Image.Resampling.BOX)
    return pixels[:, :, 0] if canvas.channels == 1 else pixels


def _conform_canvas(image: Image.Image, canvas: Canvas, result: Conformed) -> None:
    pixels = to_rgb(image)
    told = f"{image.width} x {image.height} pixels, mode {image.mode}"
    result.steps.append(Step(told, shrink(pixels, LONGEST_SIDE)))
    if pixels.reshape(-1, 3).std(axis=0).max() < EVENEST:
        raise UnreadableError("blank", "blank: the picture is all of one colour")
    height, width = canvas.pixels
    result.canvases = [Laid(f"fitted into {width} x {height} pixels", fit_canvas(pixels, canvas))]
    inner = _without_margins(pixels)
    if inner is not None and abs(inner.shape[1] * height / (inner.shape[0] * width) - 1) < SAME_SHAPE:
        told = f"margins cut off, and fitted into {width} x {height} pixels"
        result.canvases.append(Laid(told, fit_canvas(inner, canvas)))
    result.is_whole = len(result.canvases) == 1


def _without_margins(pixels: np.ndarray) -> np.ndarray | None:
    """What a frame of one colour all around encloses; None where there is no such frame."""
    differs = np.abs(pixels.astype(np.int16) - pixels[0, 0]).max(axis=2) > MARGIN
    rows, columns = (np.flatnonzero(differs.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    is_framed = top > 0 and left > 0 and bottom < len(pixels) and right < pixels.shape[1]
    return pixels[top:bottom, left:right] if is_framed else None


def _conform_lines(image: Image.Image, canvas: Canvas, result: Conformed) -> None:
    pixels = _as_seen(image, canvas, result)
    ink = _find_ink(pixels, result)
    check_lines(ink)
    ink, specks = drop_specks(ink)
    if specks:
        check_lines(ink)
        result.steps.append(Step(f"{specks} specks of dirt left out", _as_picture(ink)))
    sheet = Sheet(ink, stroke_width(ink), canvas.pixels[0])
    frames = guess_frames(ink, 1 / canvas.width)
    result.canvases = [sheet.lay(frame) for frame in frames]
    result.is_whole = frames[0].side == max(ink.shape)


def _as_seen(image: Image.Image, canvas: Canvas, result: Conformed) -> np.ndarray:
    """The picture in colour, no larger than need be, of the paper alone, light.

    One much smaller than the canvas is enlarged, lest widths of strokes come to single pixels.
    """
    pixels = enlarge(shrink(to_rgb(image), LONGEST_SIDE), max(canvas.pixels))
    height, width = pixels.shape[:2]
    told = f"{image.width} x {image.height} pixels, mode {image.mode}"
    how = "averaged down" if width < image.width or height < image.height else "enlarged"
    told += f", {how} to {width} x {height}" if (width, height) != image.size else ""
    result.steps.append(Step(told, pixels))
    corners = find_paper(pixels)
    if corners is not None:
        pixels = cut_out(pixels, corners)
        height, width = pixels.shape[:2]
        result.steps.append(Step(f"a sheet of paper found and cut out, {width} x {height}", pixels))
    if is_dark(pixels):
        pixels = 255 - pixels
        result.steps.append(Step("light strokes on dark: inverted", pixels))
    return pixels


def _find_ink(pixels: np.ndarray, result: Conformed) -> np.ndarray:
    ground = find_ground(pixels)
    ink = take_ink(pixels, ground)
    if np.ptp(pixels, axis=-1).any() or ground.min() < 250:
        result.steps.append(Step("colour, shade and uneven light taken out", _as_picture(ink)))
    check_ground(ink, ground)
    darker = darken(ink)
    if darker is not ink:
        result.steps.append(Step("grain taken out, pale strokes darkened", _as_picture(darker)))
    return darker


def _as_picture(ink: np.ndarray) -> np.ndarray:
    return np.round(255 * (1 - ink)).astype(np.uint8)
