"""Reads pictures: a model, the steps that bring any picture to what it knows, the search that betters a reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from types import ModuleType

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers.modeling_outputs import BaseModelOutput

from datasets_scripts import load_language_folder
from datasets_scripts.scenes import data_options
from derender.conform import AS_THEY_ARE, Step, conform
from derender.errors import UnreadableError
from derender.likeness import Likeness
from derender.models import load_model
from derender.search import Found, Refiner
from derender_training.language_folder import image_form
from modeling_derender import DerenderForConditionalGeneration, DerenderProcessor
from modeling_derender.confidence import score_objects, score_specifications
from modeling_derender.language import Language
from modeling_derender.scoring import object_key
from modeling_derender.specification import objects_to_ids, order_objects


SENSIBLE = 0.3  # the error below which a guess at the canvas is taken for right
DOUBT = 0.01  # of a reading's error: what a factor e in its probability is worth


@dataclass(frozen=True)
class ReadOptions:
    """- `candidates`: readings of each picture to choose from: the likeliest one, and others by chance.
    - `refine`: how many pictures may be drawn to better the chosen one.
    - `min_confidence`: objects of which the model is less sure are left out.
    - `seed`: of chance.
    """

    candidates: int = 1
    refine: int = 0
    min_confidence: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Reading:
    """What was read in a picture.

    - `objects`, and how sure the model is of each, from 0 to 1.
    - `picture`: what the model read it in, uint8 (H, W) or (H, W, 3), at the canvas's size.
    - `error`: how unlike the picture it looks, drawn again, from 0 to 1 (`Likeness`); None where nothing draws it.
    - `steps`: how the picture given became `picture`.
    """

    objects: list[dict]
    confidences: list[float]
    picture: np.ndarray
    error: float | None
    steps: list[Step] = field(default_factory=list)


class Reader:
    """A model with its processor and, where its language has a folder here, what draws it; `draw` is None elsewhere.

    `data_dir` is the folder of the language's own files, and `language` the language's own folder, where it is none of
    ours. ValueError where they are not.
    """

    def __init__(
        self,
        model: DerenderForConditionalGeneration,
        processor: DerenderProcessor,
        data_dir: str | None = None,
        language: str | None = None,
    ):
        self.model, self.processor, self.language = model.eval(), processor, model.language
        self.folder = find_folder(self.language, language)
        self.data, self.draw = self._find_drawing(data_dir)

    @classmethod
    def open(cls, name: str, data_dir: str | None = None, language: str | None = None) -> Reader:
        """By the model's name; see `load_model` for it and for the errors."""
        return cls(*load_model(name), data_dir, language)

    def _find_drawing(self, data_dir: str | None) -> tuple[dict, Callable | None]:
        """What the functions of the language's folder want of data, and what draws."""
        if self.folder is None:
            return {}, None
        try:
            data = data_options(self.folder, data_dir)
        except ValueError:
            if data_dir is not None:
                raise
            return {}, None
        return data, partial(self.folder.render_batch, **data)

    def read(self, image: Image.Image, options: ReadOptions | None = None) -> Reading:
        """Raises UnreadableError where there is nothing to read, RenderError where nothing can be drawn."""
        options = options or ReadOptions()
        conformed = conform(image, self.language.canvas, getattr(self.folder, "PICTURES", AS_THEY_ARE))
        reading = self._read_likeliest(conformed.pictures)
        self._refuse_crowd(reading)
        if options.candidates > 1 or options.refine:
            reading, _ = self.better(reading, options)
        return replace(_leave_out(reading, options.min_confidence), steps=conformed.steps)

    def _read_likeliest(self, pictures: list[np.ndarray]) -> Reading:
        """Of the first picture that makes sense; they are guesses at the canvas, the likeliest first."""
        readings = []
        for picture in pictures:
            readings.append(self.read_canvas(picture))
            if self._doubt(readings[-1]) < SENSIBLE:
                return readings[-1]
        return min(readings, key=self._doubt)

    def read_canvas(self, picture: np.ndarray) -> Reading:
        """The likeliest reading of a picture that is the canvas, uint8 (H, W) or (H, W, 3) of its size."""
        features = self._look_at(picture)
        (objects,) = self._generate(features)
        return self.describe(objects, picture, features=features)

    def describe(
        self, objects: list[dict], picture: np.ndarray, error: float | None = None, features: Tensor | None = None
    ) -> Reading:
        """With confidences, and the error where it is not known; `features` are the encoder's of the picture."""
        ordered = order_objects(self.language, objects)
        features = self._look_at(picture) if features is None else features
        (confidences,) = score_objects(self.model, None, [ordered], BaseModelOutput(features))
        if error is None and self.draw is not None:
            (error,) = self.compare(picture, [ordered])
        return Reading(ordered, confidences, picture, error)

    def _doubt(self, reading: Reading) -> float:
        """Of a guess at the canvas: how unlike, or how unsure."""
        if reading.error is not None:
            return reading.error
        return 1 - float(np.mean(reading.confidences)) if reading.confidences else 1.0

    def _fits(self, objects: list[dict], room: int = 0) -> bool:
        """Whether the model can write these objects and `room` tokens more."""
        return len(objects_to_ids(self.language, objects)) + room <= self.model.generation_config.max_length

    def _refuse_crowd(self, reading: Reading) -> None:
        if not self._fits(reading.objects, room=self.language.longest_object):
            count = len(reading.objects)
            raise UnreadableError("crowded", f"crowded: more than the {count} objects that this model can tell apart")

    def better(self, reading: Reading, options: ReadOptions) -> tuple[Reading, Found | None]:
        """The best of several candidates, searched on from, and the search; without what draws it, the likeliest."""
        others = self._guess(reading.picture, options.candidates - 1, options.seed)
        if self.draw is None:
            return max([reading, *others], key=lambda item: sum(np.log(item.confidences))), None
        doubt = self._find_doubt(reading.picture)
        alike = [item for item in (reading, *others) if item.error <= reading.error]
        totals = doubt([item.objects for item in alike]) + [item.error for item in alike]
        best = alike[int(np.argmin(totals))]
        if not options.refine:
            return best, None
        known = {object_key(item) for item in best.objects}
        extra = {object_key(item): item for other in [reading, *others] for item in other.objects}
        extra = [item for key, item in extra.items() if key not in known]
        likeness = self._likeness(reading.picture)
        refiner = Refiner(self.language, likeness, options.refine, extra, self._fits, doubt)
        found = refiner.run(best.objects, best.error)
        return self.describe(found.objects, reading.picture, found.error), found

    def _find_doubt(self, picture: np.ndarray) -> Callable[[list[list[dict]]], np.ndarray]:
        """How unlikely the model finds each of several readings, where their looks alone would be fooled by noise."""
        if image_form(self.folder) != "blurred":
            return lambda scenes: np.zeros(len(scenes))
        features = self._look_at(picture)

        def doubt(scenes: list[list[dict]]) -> np.ndarray:
            ordered = [order_objects(self.language, objects) for objects in scenes]
            seen = BaseModelOutput(features.expand(len(scenes), -1, -1))
            return -DOUBT * np.array(score_specifications(self.model, None, ordered, seen))

        return doubt

    def _guess(self, picture: np.ndarray, count: int, seed: int) -> list[Reading]:
        """`count` readings by chance."""
        if count < 1:
            return []
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            features = self._look_at(picture)
            sampled = self._generate(features, do_sample=True, top_k=0, num_return_sequences=count)
        return [self.describe(objects, picture, features=features) for objects in sampled]

    def _look_at(self, picture: np.ndarray) -> Tensor:
        pixel_values = self.processor(images=[picture])["pixel_values"].to(self.model.device)
        with torch.inference_mode():
            return self.model.encoder(pixel_values).last_hidden_state

    def _generate(self, features: Tensor, **options) -> list[list[dict]]:
        with torch.inference_mode():
            # `generate` repeats what it is given for samples, so it gets an output of its own.
            sequences = self.model.generate(encoder_outputs=BaseModelOutput(features), **options)
        return self.processor.post_process_objects(sequences.cpu())

    def compare(self, picture: np.ndarray, scenes: list[list[dict]]) -> np.ndarray:
        """The error of each scene beside a picture; see `Reading`. Only where something draws."""
        return self._likeness(picture).errors(scenes)

    def _likeness(self, picture: np.ndarray) -> Likeness:
        return Likeness(self.draw, picture, image_form(self.folder), self.language.canvas.width)


def find_folder(language: Language, path: str | None = None) -> ModuleType | None:
    """The folder of this very language: at `path`, for which ValueError where it is not, or one of ours, or None."""
    try:
        folder = load_language_folder(path or language.name)
    except ValueError:
        if path is not None:
            raise
        return None
    if language == folder.LANGUAGE:
        return folder
    if path is not None:
        raise ValueError(f"{path}: its language {folder.LANGUAGE.name} is not the model's, {language.name}")
    return None


def _leave_out(reading: Reading, min_confidence: float) -> Reading:
    pairs = zip(reading.objects, reading.confidences, strict=True)
    kept = [(item, confidence) for item, confidence in pairs if confidence >= min_confidence]
    return replace(reading, objects=[item for item, _ in kept], confidences=[confidence for _, confidence in kept])
