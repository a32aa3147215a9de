"""Evaluate module: precision, recall, F1 and IOU of sets of objects (Pasunuru et al. 2021, section 5.2)."""

import json
from functools import partial

import datasets
import evaluate

from .binning import bin_objects, check_ranges
from .object_lists import check_names, write_objects
from .picture_by_picture import go_through
from .scoring import average_set_scores


_DESCRIPTION = (
    "Compares predicted sets of objects with the true ones: precision, recall, F1, IOU and IOU at thresholds."
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
    predictions: for each picture a list of objects (dicts of properties; None counts as absent), or that list as JSON.
    references: the true objects, likewise.
    ranges: property -> (low, high); for iou_binned the values of these properties are put in 20 bins of that range.
        A property that no object has is an error.
Returns:
    precision, recall, f1, iou: averages over pictures, as fractions.
    iou_1.0, iou_0.8, iou_0.6: the share of pictures whose IOU is at least that.
    iou_binned, where ranges are given: the average IOU of the objects with these bins.
Objects match when all their properties are equal; a repeated object counts as an extra one; two empty sets score 1.
"""


class DerenderIou(evaluate.Metric):
    """Macro averages over pictures; see README.md for worked examples."""

    def _info(self):
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
        )

    def add(self, *, prediction=None, reference=None, **kwargs):
        """Add one picture's predicted and true objects."""
        super().add(prediction=write_objects(prediction), reference=write_objects(reference), **kwargs)

    def add_batch(self, *, predictions=None, references=None, **kwargs):
        """Add the predicted and the true objects of several pictures."""
        predictions = list(go_through(write_objects, predictions, "prediction"))
        references = list(go_through(write_objects, references, "reference"))
        super().add_batch(predictions=predictions, references=references, **kwargs)

    def _compute(self, predictions, references, ranges=None):
        sides = [list(map(json.loads, side)) for side in (predictions, references)]
        scores = average_set_scores(*sides)
        if ranges is not None:
            scores["iou_binned"] = average_set_scores(*_bin_sides(sides, ranges))["iou"]
        return scores


def _bin_sides(sides, ranges):
    check_names("ranges", check_ranges(ranges), sides)
    bin_picture = partial(bin_objects, ranges=ranges)
    return [list(go_through(bin_picture, *side)) for side in zip(sides, ("prediction", "reference"), strict=True)]
