"""Evaluate module: the reconstruction error of pictures (Pasunuru et al. 2021, section 5.2)."""

import io
import os

import datasets
import evaluate
import numpy as np
import PIL.Image

from .picture_by_picture import go_through
from .reconstruction_error import reconstruction_error


_DESCRIPTION = (
    "The share of wrong pixels between pictures and those drawn again from what was read in them. "
    "A pixel is right where every channel's value falls into the same one of 20 buckets."
)

_CITATION = """\
@article{pasunuru2021dual,
  title={Dual Reinforcement-Based Specification Generation for Image De-Rendering},
  author={Pasunuru, Ramakanth and Rosenberg, David and Mann, Gideon and Bansal, Mohit},
  journal={arXiv preprint arXiv:2103.01867},
  year={2021}
}
"""

_INPUTS = """\
Args:
    predictions: pictures drawn from what was read: PIL pictures (L, LA, RGB or RGBA), uint8 arrays (H, W) or (H, W, C)
        with 2 to 4 channels, the paths of files, or the dicts {"path", "bytes"} that Datasets gives undecoded.
    references: the true pictures, likewise, each of its prediction's size and channels.
Returns:
    reconstruction_error: all wrong pixels over all pixels, as a fraction.
"""

_MODES = ("L", "LA", "RGB", "RGBA")  # where the values of the array are those of the channels
_IMAGE = datasets.Image(decode=False)  # decoded one pair at a time, for a test set's pictures fill much memory


class DerenderReconstruction(evaluate.Metric):
    """Micro average over pixels; see README.md for worked examples."""

    def _info(self):
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features({"predictions": _IMAGE, "references": _IMAGE}),
        )

    def add(self, *, prediction=None, reference=None, **kwargs):
        """Add one pair of pictures."""
        super().add(prediction=_encode(prediction), reference=_encode(reference), **kwargs)

    def add_batch(self, *, predictions=None, references=None, **kwargs):
        """Add several pairs of pictures."""
        predictions = list(go_through(_encode, predictions, "prediction"))
        references = list(go_through(_encode, references, "reference"))
        super().add_batch(predictions=predictions, references=references, **kwargs)

    def _compute(self, predictions, references):
        sides = _Decoded(predictions, "prediction"), _Decoded(references, "reference")
        return {"reconstruction_error": reconstruction_error(*sides)}


class _Decoded:
    """Encoded pictures as a collection of arrays, each decoded when its turn comes."""

    def __init__(self, encoded, name):
        self.encoded, self.name = encoded, name

    def __len__(self):
        return len(self.encoded)

    def __iter__(self):
        return go_through(_decode, self.encoded, self.name)


def _encode(picture):
    """A picture as the bytes of a PNG; a path, or the dict of a file, as it is.

    Datasets itself would write a PIL picture that came from a JPEG as a JPEG once more, and take one that came from a
    file from there again, without what was drawn on it since.
    """
    if isinstance(picture, (str, os.PathLike)):
        return os.fspath(picture)
    if isinstance(picture, dict) and {"path", "bytes"} & picture.keys():
        return _IMAGE.encode_example(picture)
    buffer = io.BytesIO()
    PIL.Image.fromarray(_as_array(picture)).save(buffer, format="PNG", compress_level=1)
    return {"path": None, "bytes": buffer.getvalue()}


def _decode(encoded):
    try:
        return _as_array(datasets.Image().decode_example(encoded))
    except (OSError, SyntaxError, ValueError) as error:  # the latter but one is of a broken PNG
        raise ValueError(f"{encoded['path'] or 'bytes'}: {error}") from None


def _as_array(picture):
    if isinstance(picture, PIL.Image.Image):
        if picture.mode not in _MODES:
            raise ValueError(f"pictures must be {', '.join(_MODES)}, not {picture.mode}: convert them, say to RGB")
    elif not hasattr(picture, "__array__"):
        raise ValueError(f"pictures must be PIL pictures, uint8 arrays or paths, not {type(picture).__name__}")
    array = np.asarray(picture)
    if array.dtype != np.uint8:
        raise ValueError(f"pictures must be uint8, not {array.dtype}")
    if not array.size or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (2, 3, 4))):
        raise ValueError(f"pictures must be (H, W) or (H, W, C) with 2 to 4 channels, not {array.shape}")
    return array
