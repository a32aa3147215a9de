"""Evaluate module: the inference error of sets of objects (Pasunuru et al. 2021, section 5.2)."""

import json
from functools import partial

import datasets
import evaluate

from .binning import bin_objects, check_ranges
from .inference_error import inference_error
from .object_lists import check_names, write_objects
from .picture_by_picture import go_through


_DESCRIPTION = (
    "The share of the objects' properties that were read wrongly, predicted objects being matched to the true ones so "
    "that most properties agree."
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
    ranges: property -> (low, high); the values of these properties are compared in 20 bins of that range.
    category: a property; objects that differ in it agree in nothing. For languages whose categories differ in their
        properties.
A property that `ranges` or `category` names and that no object has is an error.
Returns:
    inference_error: all wrong properties over all properties of the side that has more of them, as a fraction.
"""


class DerenderInference(evaluate.Metric):
    """Micro average over pictures; see README.md for worked examples."""

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

    def _compute(self, predictions, references, ranges=None, category=None):
        sides = [list(map(json.loads, side)) for side in (predictions, references)]
        if category is not None:
            check_names("category", [category], sides)
        if ranges is not None:
            sides = _bin_sides(sides, ranges)
        return {"inference_error": inference_error(*sides, category)}


def _bin_sides(sides, ranges):
    check_names("ranges", check_ranges(ranges), sides)
    bin_picture = partial(bin_objects, ranges=ranges)
    return [list(go_through(bin_picture, *side)) for side in zip(sides, ("prediction", "reference"), strict=True)]
