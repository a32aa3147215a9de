"""Draws many scenes at once in torch, on a CPU or GPU, at the canvas's size or straight at a lower resolution."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .clip_art import load_clip_art
from .language import HEIGHT, WIDTH
from .patch_painter import PatchPainter
from .picture_size import check_size
from .placing import ObjectTensors, place, to_tensors
from .sprites import Sprites
from .word_painter import WordPainter


class BatchRenderer:
    """Callable on scenes (lists of objects): uint8 (B, 3, H, W), red, green, blue, on the renderer's device.

    At 400 x 500 the pictures are those of `render_plain`, bit by bit. Below, pictures and background are averaged over
    the pixels of the lower resolution beforehand, and objects are drawn there: each is right to half a pixel of the
    full canvas or to a sixteenth of a drawn pixel, whichever is more.

    Args:
        data_dir: the data's folder, which holds the folder Pngs.
        size: (height, width), at most (400, 500), of the canvas's aspect 4 : 5 up to rounding by a pixel.
        device: where the sprites lie and pictures are drawn.
        painter: PatchPainter or WordPainter; by default the first on a CPU and the second elsewhere, since a CPU is
            quicker with many small operations and a GPU with few large ones.

    Raises ValueError for another size or aspect, and ClipArtError (ValueError) for bad pictures.
    """

    def __init__(
        self,
        data_dir: Path,
        size: tuple[int, int] = (HEIGHT, WIDTH),
        device: torch.device | str = "cpu",
        painter: type[PatchPainter] | type[WordPainter] | None = None,
    ):
        height, width = check_size(size)
        self.device = torch.device(device)
        clip_art = load_clip_art(data_dir)
        self._sprites = Sprites(clip_art, (height / HEIGHT, width / WIDTH))
        background = np.array(clip_art.background.resize((width, height), Image.Resampling.BOX))
        background = torch.from_numpy(background).permute(2, 0, 1).contiguous().to(self.device)
        painter = painter or (PatchPainter if self.device.type == "cpu" else WordPainter)
        self._painter = painter(self._sprites, background)

    def __call__(self, scenes: Sequence[Sequence[dict]]) -> Tensor:
        """Draws scenes. Raises ValueError for a picture or a depth that does not exist."""
        return self.draw(to_tensors(scenes, self.device), len(scenes))

    def draw(self, objects: ObjectTensors, num_scenes: int) -> Tensor:
        """Draws objects given as tensors on the renderer's device; scenes without objects are the background."""
        return self._painter.paint(place(objects, self._sprites), num_scenes)
