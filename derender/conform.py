"""Any picture in -> the pictures that a model knows, each step told and shown.

For a language of lines paper is found, light and colour taken out, strokes darkened, and the canvas guessed. Any other
picture is a canvas as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from derender.errors import UnreadableError
from derender.frames import guess_frames, lay_on_canvas
from derender.ink import LONGEST_SIDE, cut_out, find_ground, find_paper, is_dark, shrink, take_ink, to_rgb
from derender.strokes import check_ground, check_lines, darken, drop_specks, set_width, stroke_width
from modeling_derender.image_io import to_uint8
from modeling_derender.image_processing_derender import fit_to_size
from modeling_derender.language import Canvas


LINES, AS_THEY_ARE = "lines", "as they are"  # what the PICTURES of a language's folder may say
WIDTHS = (1.0, 3.2)  # pixels of a canvas 256 wide: strokes between are left as they are
USUAL_WIDTH = 1.8
EVENEST = 2.0  # of 255: a picture that varies less is blank


@dataclass(frozen=True)
class Step:
    """What was done to a picture, and what it looked like then, uint8 (H, W) or (H, W, 3)."""

    told: str
    picture: np.ndarray


@dataclass
class Conformed:
    """The steps that lead to what a model may read, and then a last step for each canvas that the picture may hold,
    the likeliest first."""

    steps: list[Step] = field(default_factory=list)
    canvases: list[Step] = field(default_factory=list)


def conform(image: Image.Image, canvas: Canvas, kind: str) -> Conformed:
    """`kind`: the language's PICTURES. Raises UnreadableError where there is nothing to read on such a canvas."""
    return _conform_lines(image, canvas) if kind == LINES else _conform_canvas(image, canvas)


def fit_canvas(image: Image.Image | np.ndarray, canvas: Canvas) -> np.ndarray:
    """A picture that is the canvas, of any size, at the canvas's own: uint8 (H, W) or (H, W, 3)."""
    pixels = fit_to_size(to_uint8(image, canvas.channels), *canvas.pixels, Image.Resampling.BOX)
    return pixels[:, :, 0] if canvas.channels == 1 else pixels


def _conform_canvas(image: Image.Image, canvas: Canvas) -> Conformed:
    pixels = to_rgb(image)
    if pixels.reshape(-1, 3).std(axis=0).max() < EVENEST:
        raise UnreadableError("blank", "blank: the picture is all of one colour")
    height, width = canvas.pixels
    given = Step(f"{image.width} x {image.height} pixels, mode {image.mode}", shrink(pixels, LONGEST_SIDE))
    return Conformed([given], [Step(f"fitted into {width} x {height} pixels", fit_canvas(pixels, canvas))])


def _conform_lines(image: Image.Image, canvas: Canvas) -> Conformed:
    result = Conformed()
    pixels = _as_seen(image, result)
    ink = _find_ink(pixels, result)
    check_lines(ink)
    ink, specks = drop_specks(ink)
    if specks:
        check_lines(ink)
        result.steps.append(Step(f"{specks} specks of dirt left out", _as_picture(ink)))
    size, thickness = canvas.pixels[0], stroke_width(ink)
    for frame in guess_frames(ink, 1 / canvas.width):
        fitted, told = _fit_width(ink, thickness, frame.side / size)
        result.canvases.append(Step(f"canvas: {frame}{told}", lay_on_canvas(fitted, frame, size)))
    return result


def _as_seen(image: Image.Image, result: Conformed) -> np.ndarray:
    """The picture in colour, no larger than need be, of the paper alone, light."""
    pixels = shrink(to_rgb(image), LONGEST_SIDE)
    height, width = pixels.shape[:2]
    told = f"{image.width} x {image.height} pixels, mode {image.mode}"
    shrunk = f", averaged down to {width} x {height}" if (width, height) != image.size else ""
    result.steps.append(Step(told + shrunk, pixels))
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


def _fit_width(ink: np.ndarray, width: float, scale: float) -> tuple[np.ndarray, str]:
    """Strokes, `width` pixels wide, as wide as the model knows them; `scale` pixels go to one of the canvas's."""
    if WIDTHS[0] * scale <= width <= WIDTHS[1] * scale:
        return ink, ""
    wanted = USUAL_WIDTH * scale
    return set_width(ink, width, wanted), f", strokes from {width / scale:.1f} to {USUAL_WIDTH} of its pixels wide"


def _as_picture(ink: np.ndarray) -> np.ndarray:
    return np.round(255 * (1 - ink)).astype(np.uint8)
