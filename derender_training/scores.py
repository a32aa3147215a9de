"""All scores of a set of predictions, in specification space and, where they can be drawn, in image space."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean

from datasets_scripts.evaluation_data import EvaluationData
from datasets_scripts.scenes import RenderError, data_options
from derender_training.drawing import draw_readings
from modeling_derender.binning import bin_objects
from modeling_derender.inference_error import inference_error
from modeling_derender.language import Language
from modeling_derender.reconstruction_error import count_wrong_pixels
from modeling_derender.scoring import average_set_scores


PICTURES_AT_ONCE = 50
SCORES = (
    "precision", "recall", "f1", "iou", "iou_1.0", "iou_0.8", "iou_0.6", "iou_binned", "inference_error",
    "reconstruction_error", "average_error",
)  # fmt: skip


def is_error(score: str) -> bool:
    """Whether the score of this name falls as predictions get better."""
    return score.endswith("_error")


@dataclass(frozen=True)
class Scorer:
    """Scores predictions of a language; `draw` is its `render_batch`, or None for the reason `not_drawn`."""

    language: Language
    draw: Callable | None
    not_drawn: str | None = None

    @classmethod
    def open(cls, language: Language, data: EvaluationData) -> Scorer:
        """Find what draws the language, by what `data` says of its folder and its own files.

        Where nothing does, pictures are not scored. Raises ValueError where `data` names what cannot be used.
        """
        try:
            folder = data.find_language_folder(language.name)
            if language != folder.LANGUAGE:
                where = Path(folder.__file__).parent
                raise ValueError(
                    f"{where}: its language {folder.LANGUAGE.name} {folder.LANGUAGE.version} is not the model's, "
                    f"{language.name} {language.version}"
                )
            return cls(language, partial(folder.render_batch, **data_options(folder, data.data_dir)))
        except ValueError as error:
            if data.language_folder is not None or data.data_dir is not None:
                raise
            return cls(language, None, str(error))

    def score(
        self,
        predictions: Sequence[list[dict]],
        references: Sequence[list[dict]],
        drawing_errors: Sequence[float] | None = None,
    ) -> dict:
        """Every score of many pictures, as fractions; those of drawings are None where nothing draws.

        `drawing_errors` are what `find_drawing_errors` gives, where they are known already. Raises RenderError where
        the renderer fails.
        """
        scores = score_specifications(self.language, predictions, references)
        if self.draw is None:
            return {**scores, "reconstruction_error": None, "average_error": None, "not_drawn": self.not_drawn}
        if drawing_errors is None:
            drawing_errors = self.find_drawing_errors(predictions, references)
        reconstruction_error = mean(drawing_errors)
        average_error = (scores["inference_error"] + reconstruction_error) / 2
        return {**scores, "reconstruction_error": reconstruction_error, "average_error": average_error}

    def find_drawing_errors(
        self, predictions: Sequence[list[dict]], references: Sequence[list[dict]]
    ) -> list[float] | None:
        """The reconstruction error of each picture; None where nothing draws. Raises RenderError."""
        if self.draw is None:
            return None
        return compare_drawings(self.draw, self.language.canvas.pixels, predictions, references)

    def score_one(self, prediction: list[dict], reference: list[dict]) -> dict[str, float]:
        """The scores of one picture that tell good predictions from bad ones."""
        scores = score_specifications(self.language, [prediction], [reference])
        return {name: scores[name] for name in ("iou", "iou_binned", "inference_error")}


def score_specifications(
    language: Language, predictions: Sequence[list[dict]], references: Sequence[list[dict]]
) -> dict[str, float]:
    """The scores that need no picture, as fractions (the paper's section 5.2).

    Those of `average_set_scores`, `iou_binned` (all coordinates in 20 bins of the canvas) and `inference_error`. Where
    the language's categories differ in their properties, objects of different categories agree in nothing.
    """
    binned = [
        [bin_objects(objects, language.coordinate_ranges) for objects in side] for side in (predictions, references)
    ]
    return {
        **average_set_scores(predictions, references),
        "iou_binned": average_set_scores(*binned)["iou"],
        "inference_error": inference_error(*binned, separating_category(language)),
    }


def separating_category(language: Language) -> str | None:
    """The property in which objects have to be alike to agree in anything; None where none is."""
    return None if language.has_equal_categories else language.category_property


def compare_drawings(
    draw: Callable, size: tuple[int, int], predictions: Sequence[list], references: Sequence[list]
) -> list[float]:
    """The reconstruction error of each picture: predicted and true objects, drawn clean at `size` (height, width).

    `draw` is a language folder's `render_batch`. Fractions of the pixels; all pictures have as many, so their mean is
    the error over all pixels. A prediction that cannot be drawn is wrong in all of them, and a warning tells how many
    are. Raises RenderError where what is true cannot be drawn, or nothing at all can.
    """
    errors, not_drawn = [], 0
    for start in range(0, len(references), PICTURES_AT_ONCE):
        predicted, true = (side[start : start + PICTURES_AT_ONCE] for side in (predictions, references))
        try:
            wanted = draw(true, size=size)
        except RuntimeError as error:
            raise RenderError(f"drawing what is true: {error}") from error
        pictures, fails = draw_readings(draw, predicted, size)
        not_drawn += int(fails.sum())
        errors += [
            1.0 if fail else count_wrong_pixels(*pair) / (size[0] * size[1])
            for fail, *pair in zip(fails, pictures, wanted, strict=True)
        ]
    if not_drawn:
        told = f"{not_drawn} of {len(errors)} predictions could not be drawn: all their pixels count as wrong"
        warnings.warn(told, stacklevel=2)
    return errors
