"""The reconstruction error: the share of wrong pixels between pictures and those drawn again from what was read."""

import numpy as np


NUM_BUCKETS = 20
_BLOCK = 48 * 1024  # values at a time, so that what is computed from them stays in the processor's second-level cache


def count_wrong_pixels(prediction, reference):
    """How many pixels of two pictures differ in the bucket of a channel.

    The pictures are uint8 arrays of one shape, (H, W) or (H, W, C). The bucket of a value v is floor(20 v / 256), our
    reading of the 20 buckets of equal size in Pasunuru et al. 2021, section 4.1. Raises ValueError for another type,
    another number of dimensions, no pixels, or shapes that differ.
    """
    prediction, reference = np.asarray(prediction), np.asarray(reference)
    for picture in (prediction, reference):
        if picture.dtype != np.uint8:
            raise ValueError(f"pictures must be uint8, not {picture.dtype}")
        if picture.ndim not in (2, 3) or not picture.size:
            raise ValueError(f"pictures must be (H, W) or (H, W, C), none of these 0, not {picture.shape}")
    if prediction.shape != reference.shape:
        raise ValueError(f"the prediction is {prediction.shape}, the reference {reference.shape}")
    channels = prediction.shape[2] if prediction.ndim == 3 else 1
    block = max(1, _BLOCK // channels) * channels
    predicted, true = prediction.reshape(-1), reference.reshape(-1)
    return sum(
        _count_wrong(predicted[start : start + block], true[start : start + block], channels)
        for start in range(0, predicted.size, block)
    )


def reconstruction_error(predictions, references):
    """Micro average over pixels (Pasunuru et al. 2021, section 5.2), as a fraction: all wrong over all pixels.

    Each side holds uint8 pictures (H, W) or (H, W, C), in a list or in an array (N, H, W) or (N, H, W, C). The two
    pictures of a pair have one shape; pairs may differ. Raises ValueError where the two sides differ in length or are
    empty, and for pictures that `count_wrong_pixels` refuses, with the number of the pair, from 0.
    """
    if len(predictions) != len(references):
        raise ValueError(f"{len(predictions)} predictions for {len(references)} references")
    if not len(references):
        raise ValueError("no pictures to score")
    wrong = pixels = 0
    for number, (prediction, reference) in enumerate(zip(predictions, references, strict=True)):
        try:
            wrong += count_wrong_pixels(prediction, reference)
        except ValueError as error:
            raise ValueError(f"pair {number}: {error}") from None
        height, width = np.shape(reference)[:2]
        pixels += height * width
    return wrong / pixels


def _count_wrong(predicted, true, channels):
    """The same of flat values, those of a pixel side by side."""
    differ = _buckets(predicted) != _buckets(true)
    # At each pixel's first value: whether any of its values differs.
    wrong = differ[: differ.size - channels + 1].copy()
    for channel in range(1, channels):
        wrong |= differ[channel : channel + wrong.size]  # contiguous, and so faster than a reduction over the channels
    return int(np.count_nonzero(wrong[::channels]))


def _buckets(values):
    """floor(20 v / 256) in 16 bits, which hold 20 * 255, and of which the processor takes many at once."""
    buckets = np.multiply(values, NUM_BUCKETS, dtype=np.uint16)
    buckets >>= 8
    return buckets
