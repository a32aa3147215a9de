"""Objects -> TikZ that places the clip art's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .data_folder import PICTURES_FOLDER, find_data_dir
from .language import HEIGHT, WIDTH
from .placed_pictures import PlacedPicture, place_pictures


_PREAMBLE = r"""\documentclass[tikz]{standalone}
\usepackage{graphicx}
"""


def to_tikz_document(objects: Sequence[dict], data_dir: str | Path | None = None) -> str:
    """One scene as a LaTeX document, a node an object, in units of a pixel (1 bp) with y down.

    It needs the folder of pictures, which its \\graphicspath names. Raises ValueError for a bad object and where
    `data_dir` is not the folder of the data.
    """
    folder = (find_data_dir(data_dir) / PICTURES_FOLDER).as_posix()
    corner = f"({WIDTH},{HEIGHT})"
    lines = [
        rf"\graphicspath{{{{{folder}/}}}}",
        r"\begin{document}",
        r"\begin{tikzpicture}[x=1bp,y=-1bp,every node/.style={inner sep=0,anchor=north west}]",
        rf"\useasboundingbox (0,0) rectangle {corner};",
        rf"\clip (0,0) rectangle {corner};",
        rf"\node at (0,0) {{\includegraphics[width={WIDTH}bp,height={HEIGHT}bp]{{background}}}};",
        *(_node(picture) for picture in place_pictures(objects, data_dir)),
        r"\end{tikzpicture}",
        r"\end{document}",
        "",
    ]
    return _PREAMBLE + "\n".join(lines)


def _node(picture: PlacedPicture) -> str:
    image = rf"\includegraphics[width={picture.width}bp,height={picture.height}bp]{{{picture.file.stem}}}"
    if picture.flip:
        image = rf"\reflectbox{{{image}}}"
    return rf"\node at ({picture.left},{picture.top}) {{{image}}};"
