"""Objects -> TikZ source, and pictures through real pdflatex and pdftoppm: what the fast renderer imitates."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image

from .drawing import CANVAS, CIRCLE, LATEX, NO_TIP, RECTANGLE, STEALTH, TO, Drawing, draw
from .ink_profile import FULL_SIZE


_PAGES = 50  # pictures to a document: enough to make LaTeX's start cheap
_LOG_LINES = 15
_SEEDS = (1 << 31) - 1  # PGF's random state lies below
_TIP_NAMES = {TO: ">", STEALTH: "Stealth", LATEX: "Latex"}
_PREAMBLE = r"""\documentclass[tikz,multi=tikzpicture]{standalone}
\usetikzlibrary{arrows.meta,decorations.pathmorphing}
\begin{document}
"""
_PACKAGES = {
    "pdflatex": "texlive-latex-base texlive-pictures texlive-latex-extra",
    "pdftoppm": "poppler-utils",
}


class TikzNotFoundError(RuntimeError):
    """pdflatex or pdftoppm is not installed."""


class TikzError(RuntimeError):
    """pdflatex or pdftoppm failed; the message ends with the last lines of its log."""


def to_tikz(objects: Sequence[dict], rng: Generator | None = None) -> str:
    """One scene as a `tikzpicture` clipped to the canvas, in need of arrows.meta and decorations.pathmorphing.

    With `rng` it is the drawing of `renderer.render` with the same generator, but for the pencil, whose steps are
    TikZ's own, seeded from `rng`. Raises ValueError for a bad object.
    """
    drawing = draw([objects], None if rng is None else [rng])
    corner = f"({CANVAS:g},{CANVAS:g})"
    lines = [
        r"\begin{tikzpicture}",
        rf"\useasboundingbox (0,0) rectangle {corner};",
        rf"\clip (0,0) rectangle {corner};",
    ]
    if rng is not None:
        lines.append(r"\tikzset{pencil/.style={decorate,decoration={random steps,segment length=4pt,amplitude=1pt}}}")
        # \pgfmathsetseed takes no seed above 16,383, from which the first random steps would all point one way.
        lines.append(rf"\expandafter\def\csname pgfmath@rnd@z\endcsname{{{rng.integers(1, _SEEDS)}}}")
    lines += [_draw_command(drawing, row) for row in range(len(drawing.kind))]
    return "\n".join([*lines, r"\end{tikzpicture}", ""])


def to_tikz_document(objects: Sequence[dict]) -> str:
    """One scene without noise as a LaTeX document of its own, 16 x 16 cm. Raises ValueError for a bad object."""
    return f"{_PREAMBLE}{to_tikz(objects)}\\end{{document}}\n"


def render_tikz(
    scenes: Sequence[Sequence[dict]],
    size: tuple[int, int] = (FULL_SIZE, FULL_SIZE),
    rngs: Sequence[Generator] | None = None,
) -> np.ndarray:
    """Renders scenes with real TikZ, up to 50 to a document, without image noise.

    Args:
        scenes: the objects of each scene.
        size: (height, width), equal; a picture below 256 x 256 is the 256 x 256 one averaged over its pixels.
        rngs: a generator for each scene, for drawing noise and pencil; None for clean pictures.

    Returns:
        uint8 (B, H, W), 0 is ink and 255 paper.

    Raises:
        TikzNotFoundError: a program is missing; the message says what to install.
        TikzError: LaTeX or pdftoppm failed.
        ValueError: a bad object or size, or too few generators.
    """
    height, width = size
    if height != width or height < 1:
        raise ValueError(f"size {size!r}: the canvas is square, so height and width must be equal and positive")
    if rngs is not None and len(rngs) != len(scenes):
        raise ValueError(f"{len(scenes)} scenes need as many random generators, not {len(rngs)}")
    rng_or_none = [None] * len(scenes) if rngs is None else rngs
    pictures = [to_tikz(objects, rng) for objects, rng in zip(scenes, rng_or_none, strict=True)]
    full_size = max(height, FULL_SIZE)
    rendered = compile_pictures(pictures, full_size)
    if height == full_size:
        return rendered
    shrunk = [
        np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX)) for picture in rendered
    ]
    return np.stack(shrunk) if shrunk else np.empty((0, height, width), np.uint8)


def compile_pictures(pictures: Sequence[str], size: int) -> np.ndarray:
    """Sources of `tikzpicture`s on the 16 x 16 canvas -> uint8 (B, size, size). Raises as `render_tikz` does."""
    programs = {name: _find_program(name) for name in _PACKAGES}
    documents = [pictures[first : first + _PAGES] for first in range(0, len(pictures), _PAGES)]
    pages = [_compile_document(document, size, programs) for document in documents]
    return np.concatenate(pages) if pages else np.empty((0, size, size), np.uint8)


def _draw_command(drawing: Drawing, row: int) -> str:
    options = [f"line width={_number(drawing.line_width[row])}cm"]
    if drawing.pencil:
        options.append("pencil")
    if drawing.dash[row].any():
        options.append("dash pattern=on {:g}pt off {:g}pt".format(*drawing.dash[row]))
    if drawing.tip[row] != NO_TIP:
        options.append(f"-{{{_TIP_NAMES[int(drawing.tip[row])]}[scale={_number(drawing.tip_scale[row])}]}}")
    a, b, c, d = map(_number, drawing.geometry[row])
    if drawing.kind[row] == CIRCLE:
        path = f"({a},{b}) circle ({c})"
    elif drawing.kind[row] == RECTANGLE:
        path = f"({a},{b}) rectangle ({c},{d})"
    else:
        path = f"({a},{b}) -- ({c},{d})"
    return rf"\draw[{','.join(options)}] {path};"


def _number(value: float) -> str:
    """In the form that TikZ reads, which has no exponents."""
    return f"{value:.5f}".rstrip("0").rstrip(".")


def _find_program(name: str) -> str:
    program = shutil.which(name)
    if program is None:
        raise TikzNotFoundError(f"rendering with TikZ needs {name}: on Debian, apt-get install {_PACKAGES[name]}")
    return program


def _compile_document(pictures: Sequence[str], size: int, programs: dict[str, str]) -> np.ndarray:
    with tempfile.TemporaryDirectory(prefix="noisy_shapes_tikz_") as folder:
        source = _PREAMBLE + "\n".join(pictures) + "\\end{document}\n"
        Path(folder, "scenes.tex").write_text(source)
        latex = [programs["pdflatex"], "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "scenes.tex"]
        _run(latex, folder)
        scaled = ["-scale-to-x", str(size), "-scale-to-y", str(size)]
        _run([programs["pdftoppm"], "-gray", *scaled, "scenes.pdf", "page"], folder)
        pages = sorted(Path(folder).glob("page-*.pgm"))
        if len(pages) != len(pictures):
            raise TikzError(f"{len(pictures)} pictures gave {len(pages)} pages")
        rendered = np.stack([np.asarray(Image.open(page)) for page in pages])
    if rendered.shape[1:] != (size, size):
        raise TikzError(f"pdftoppm gave pages of shape {rendered.shape[1:]} instead of {(size, size)}")
    return rendered


def _run(command: list[str], folder: str) -> None:
    result = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if result.returncode:
        lines = result.stdout.decode(errors="replace").strip().splitlines()[-_LOG_LINES:]
        raise TikzError(f"{Path(command[0]).name} failed:\n" + "\n".join(lines))
