"""Image noise that is drawn anew each time a training picture is seen, as a run's options ask for it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np

from derender_training.options import OptionError


def find_image_noise(options, folder: ModuleType) -> Callable | None:
    """The `add_image_noise` of the language in `folder`; None where pictures are taken as they are drawn.

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
    if options.data in ("fresh", "given") and options.render not in known:
        how = "by default" if options.render is None else f"by {options.render!r}"
        other = f"take as 'render' {', '.join(known)}" if known else "no WITHOUT_IMAGE_NOISE names another 'render'"
        raise OptionError(f"option 'image_noise': drawn {how} pictures have it; {other}")
    try:
        folder.add_image_noise(np.full((1, *options.image_size), 255, np.uint8), [np.random.default_rng(0)])
    except ValueError as error:
        raise OptionError(f"option 'image_noise': {error}") from None
    return folder.add_image_noise
