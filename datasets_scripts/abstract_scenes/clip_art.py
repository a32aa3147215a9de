"""The clip art of a data folder: its 126 pictures, scaled and mirrored, and its background."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PIL import Image

from .data_folder import PICTURES_FOLDER
from .language import HEIGHT, LANGUAGE, SCALES, WIDTH


PICTURE_NAMES = LANGUAGE.domains["picture"].values  # by type, then by object number
PICTURE_INDEX = {name: index for index, name in enumerate(PICTURE_NAMES)}


class ClipArtError(ValueError):
    """A picture of the data folder is missing, cannot be read, or is not what it should be."""


class ClipArt:
    """The pictures of one data folder, read at once; `data_dir` holds the folder Pngs.

    Attributes:
        background: PIL RGB, 500 x 400.

    Raises ClipArtError (ValueError) naming a file that is missing, cannot be read or is a background of another size.
    """

    def __init__(self, data_dir: Path):
        folder = data_dir / PICTURES_FOLDER
        self.background = _read_background(folder / "background.png")
        self._pictures = [_read(folder / f"{name}s.png", "RGBA") for name in PICTURE_NAMES]
        self.sprite = cache(self._sprite)

    def scaled(self, picture: int, depth: int) -> Image.Image:
        """Picture number `picture` of PICTURE_NAMES (PIL RGBA, not mirrored) at the scale of a depth."""
        image = self._pictures[picture]
        size = tuple(max(1, round(side * SCALES[depth])) for side in image.size)
        return image if size == image.size else image.resize(size, Image.Resampling.BICUBIC)

    def _sprite(self, picture: int, depth: int, flip: bool) -> Image.Image:
        """A picture as it is drawn, scaled and then mirrored; made once and kept."""
        if not flip:
            return self.scaled(picture, depth)
        return self.sprite(picture, depth, False).transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def load_clip_art(data_dir: Path) -> ClipArt:
    """The clip art of a data folder, read once in a process; see `ClipArt` for its errors."""
    return _load(Path(data_dir).resolve())


_load = cache(ClipArt)


def _read_background(path: Path) -> Image.Image:
    image = _read(path, "RGB")
    if image.size != (WIDTH, HEIGHT):
        raise ClipArtError(f"{path}: the background is {WIDTH} x {HEIGHT} pixels, not {image.width} x {image.height}")
    return image


def _read(path: Path, mode: str) -> Image.Image:
    if not path.is_file():
        raise ClipArtError(f"{path}: no such picture; copy the whole folder Pngs of the data")
    try:
        with Image.open(path) as image:
            return image.convert(mode)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ClipArtError(f"{path}: not a readable picture ({error}); copy it from the data again") from error
