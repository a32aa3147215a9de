"""What can go wrong with a picture that can be opened: each reason has a code, and the command an exit status."""

from __future__ import annotations

from modeling_derender.image_io import ImageError


class UnreadableError(ImageError):
    """A picture in which nothing of the language is to be read, for the reason given; `code` names it in a word.

    `steps`: what was done to the picture until then, `derender.conform.Step`s.
    """

    def __init__(self, code: str, reason: str):
        super().__init__(reason)
        self.code, self.steps = code, []
