"""Pictures and Matplotlib's figures as PNG files."""

from __future__ import annotations

import io

from PIL import Image


def as_png(figure, dpi: int = 120) -> bytes:
    """A Matplotlib figure."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=dpi)
    return content.getvalue()


def png_of(picture: Image.Image) -> bytes:
    content = io.BytesIO()
    picture.save(content, "PNG", optimize=True)
    return content.getvalue()
