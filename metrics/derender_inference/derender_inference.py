"""Evaluate module: the inference error of sets of objects (Pasunuru et al. 2021, section 5.2)."""

import json

import datasets
import evaluate

from .binning import bin_objects
from .inference_error import inference_error


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
        super().add(prediction=_as_json(prediction), reference=_as_json(reference), **kwargs)

    def add_batch(self, *, predictions=None, references=None, **kwargs):
        """Add the predicted and the true objects of several pictures."""
        predictions, references = map(_as_json, predictions), map(_as_json, references)
        super().add_batch(predictions=list(predictions), references=list(references), **kwargs)

    def _compute(self, predictions, references, ranges=None, category=None):
        sides = ([bin_objects(json.loads(text), ranges or {}) for text in side] for side in (predictions, references))
        return {"inference_error": inference_error(*sides, category)}


def _as_json(objects):
    return objects if isinstance(objects, str) else json.dumps(list(objects))
