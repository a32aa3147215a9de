"""Matplotlib's figures as PNG files."""

from __future__ import annotations

import io


def as_png(figure, dpi: int = 120) -> bytes:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=dpi)
    return content.getvalue()
