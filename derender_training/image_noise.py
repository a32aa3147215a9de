"""Image noise that is drawn anew each time a training picture is seen, as a run's options ask for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.random import Generator

from derender_training.options import OptionError


@dataclass(frozen=True)
class ImageNoise:
    """A language's `add_image_noise`, and the size of the pictures that it is added to, (height, width)."""

    add: Callable[[np.ndarray, Sequence[Generator]], np.ndarray]
    size: tuple[int, int]

    def __call__(self, pictures: np.ndarray, rngs: Sequence[Generator]) -> np.ndarray:
        """The like of `pictures` uint8 (B, H, W), each with noise from its own generator."""
        return self.add(pictures, rngs)


def find_image_noise(options, folder: ModuleType) -> ImageNoise | None:
    """That of the language in `folder`; None where pictures are taken as they are drawn.

    Raises OptionError for a language without image noise, and for pictures that are drawn with it or of a size that it
    is not for.
    """
    if options.image_noise is None:
        return None
    if not hasattr(folder, "add_image_noise"):
        raise OptionError(f"option 'image_noise': {folder.LANGUAGE.name} has none")
    if options.plain_share:
        raise OptionError("option 'image_noise': scenes of 'plain_share' are drawn with it; leave one of them out")
    known = getattr(folder, "WITHOUT_IMAGE_NOISE", ())
    drawn_here = options.data in ("fresh", "given")
    if drawn_here and options.render not in known:
        how = "by default" if options.render is None else f"by {options.render!r}"
        other = f"take as 'render' {', '.join(known)}" if known else "no WITHOUT_IMAGE_NOISE names another 'render'"
        raise OptionError(f"option 'image_noise': drawn {how} pictures have it; {other}")
    noise = ImageNoise(folder.add_image_noise, tuple(options.scene_size if drawn_here else options.image_size))
    try:
        noise(np.full((1, *noise.size), 255, np.uint8), [np.random.default_rng(0)])
    except ValueError as error:
        raise OptionError(f"option 'image_noise': {error}") from None
    return noise
