"""Reads pictures: a model, the steps that bring any picture to what it knows, the search that betters a reading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from types import ModuleType

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers.modeling_outputs import BaseModelOutput

from datasets_scripts import load_language_folder, our_languages
from datasets_scripts.scenes import data_options
from derender.conform import AS_THEY_ARE, LINES, Conformed, Laid, Step, conform
from derender.errors import UnreadableError
from derender.likeness import Likeness, correlate, rank
from derender.models import load_model, split_names
from derender.registration import register, straighten
from derender.search import Found, Refiner
from derender_training.drawing import draw_readings
from derender_training.language_folder import image_form
from modeling_derender import DerenderForConditionalGeneration, DerenderProcessor
from modeling_derender.confidence import score_objects, score_specifications
from modeling_derender.language import Language
from modeling_derender.scoring import object_key
from modeling_derender.specification import objects_to_ids, order_objects


SENSIBLE = 0.26  # the error below which a whole picture is taken for the canvas
REGISTERED, ROUNDS = 4, 2  # guesses at the canvas that are moved to where their readings lie, and how often
LEAST_ALIKE = 0.5  # the correlation below which a picture is no drawing of what was read in it, whatever its tone
LEAST_SURE = 0.3  # the same of the mean confidence, where strokes are too thin and noisy to correlate
ASKEW = 0.01  # of a canvas's error: what a factor e in the probability of what is read on it is worth
DOUBT = 0.25  # the same of the rank of a reading's error


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

    - `objects`, and how sure the model is of each, from 0 to 1 (`score_objects`, near).
    - `picture`: what the model read it in, uint8 (H, W) or (H, W, 3), at the canvas's size; thick strokes, which it
      may have read as they were, are thin in it, as they are drawn.
    - `error`: how unlike `picture` it looks, drawn again, from 0 to 1 (`Likeness`); None where nothing draws it. A
      search straightens pencil before it compares, and so may end with a higher one than it began with.
    - `steps`: how the picture given became `picture`.
    """

    objects: list[dict]
    confidences: list[float]
    picture: np.ndarray
    error: float | None
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True)
class Seen:
    """A canvas, uint8 (H, W) or (H, W, 3), the features of it or of its thick look, and what compares readings with
    it, if anything does."""

    picture: np.ndarray
    features: Tensor
    likeness: Likeness | None


class Reader:
    """A model with its processor and, where its language has a folder here, what draws it; `draw` is None elsewhere.

    `data_dir` is the folder of the language's own files, and `language` the language's own folder, where it is none of
    ours. ValueError where they are not, and for lines on a canvas that is not square or not grey. `others` are models
    of the same language, or ValueError, that read each picture too; `name` is what this one is called beside them.
    """

    def __init__(
        self,
        model: DerenderForConditionalGeneration,
        processor: DerenderProcessor,
        data_dir: str | None = None,
        language: str | None = None,
        name: str = "the model",
        others: Sequence[Reader] = (),
    ):
        self.model, self.processor, self.language = model.eval(), processor, model.language
        self.name, self.others = name, others
        for other in others:
            if other.language != self.language:
                read = f"{name} reads {self.language.name}, and {other.name} {other.language.name}"
                raise ValueError(f"models that read together are of one language: {read}")
        self.folder = find_folder(self.language, language)
        self.pictures = find_kind(self.folder, self.language)
        self.data, self.draw = self._find_drawing(data_dir)

    @classmethod
    def open(
        cls,
        name: str,
        data_dir: str | None = None,
        language: str | None = None,
        test_time_augmentation: bool = False,
    ) -> Reader:
        """By the model's name, or by several with commas between; see `load_model` for them and for the errors."""
        first, *others = split_names(name)
        loaded = load_model(first, test_time_augmentation)
        others = [cls.open(other, data_dir, language, test_time_augmentation) for other in others]
        return cls(*loaded, data_dir, language, first, others)

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
        """By the model whose reading makes most sense, if there are others.

        Raises UnreadableError where there is nothing to read, RenderError where nothing can be drawn.
        """
        conformed = conform(image, self.language.canvas, self.pictures)
        read = [(reader, reader._read_likeliest(conformed)) for reader in (self, *self.others)]
        reader, (seen, reading, canvas) = min(read, key=lambda pair: pair[0]._total_doubt(pair[1]))
        if self.others:
            canvas = replace(canvas, told=f"{canvas.told}; read by {reader.name}")
        return reader._finish(seen, reading, [*conformed.steps, canvas], options or ReadOptions())

    def _finish(self, seen: Seen, reading: Reading, steps: list[Step], options: ReadOptions) -> Reading:
        """A first reading as it is given out: refused or bettered, and without what the model is unsure of."""
        try:
            self._refuse(reading)
        except UnreadableError as error:
            error.steps = self.explain(replace(reading, steps=steps))
            raise
        if options.candidates > 1 or options.refine:
            reading, _ = self.better(seen, reading, options)
        return replace(self._leave_out(seen, reading, options.min_confidence), steps=steps)

    def explain(self, reading: Reading) -> list[Step]:
        """The steps, the last of which shows what was read, and the objects, drawn again."""
        error = "" if reading.error is None else f", error {reading.error:.3f}"
        drawn = self.draw_again(reading.objects)
        told = f"{len(reading.objects)} objects, drawn again{error}"
        return [*reading.steps, *([] if drawn is None else [Step(told, drawn)])]

    def _read_likeliest(self, conformed: Conformed) -> tuple[Seen, Reading, Laid]:
        """Of the canvas that makes most sense."""
        first, *others = conformed.canvases
        tries = self._try([first])
        if not others or (conformed.is_whole and self._unlike(tries[0][1]) < SENSIBLE):
            return tries[0]
        tries += self._try(others)
        current = sorted((item for item in tries if item[2].sheet), key=self._total_doubt)[:REGISTERED]
        if current and self.draw is not None:
            for _ in range(ROUNDS):
                current = self._try([self._register(item) for item in current])
                tries += current
        return min(tries, key=self._total_doubt)

    def _try(self, canvases: list[Laid]) -> list[tuple[Seen, Reading, Laid]]:
        """Each canvas by the look of it that makes most sense."""
        looks = [(look, canvas.picture) for canvas in canvases for look in canvas.looks]
        seen = self.see([look.picture for look, _ in looks], [picture for _, picture in looks])
        tried = zip(seen, self.read_likeliest(seen), [look for look, _ in looks], strict=True)
        return [min(islice(tried, len(canvas.looks)), key=self._total_doubt) for canvas in canvases]

    def _register(self, item: tuple[Seen, Reading, Laid]) -> Laid:
        """The canvas moved to where what was read lies."""
        _, reading, canvas = item
        unit = reading.picture.shape[0] / self.language.canvas.width
        return canvas.moved(*register(reading.picture, self.draw_again(reading.objects), unit))

    def see(self, pictures: list[np.ndarray], compared: list[np.ndarray] | None = None) -> list[Seen]:
        """Pictures that are canvases, uint8 (H, W) or (H, W, 3) of their size, and what their readings are compared
        with, if that is another."""
        pixel_values = self.processor(images=pictures)["pixel_values"].to(self.model.device)
        with torch.inference_mode():
            features = self.model.encoder(pixel_values).last_hidden_state
        compared = pictures if compared is None else compared
        likenesses = [None if self.draw is None else self._likeness(picture) for picture in compared]
        return [Seen(*parts) for parts in zip(compared, features.split(1), likenesses, strict=True)]

    def read_likeliest(self, seen: list[Seen]) -> list[Reading]:
        objects = self._generate(torch.cat([item.features for item in seen]))
        return [self.describe(*pair) for pair in zip(seen, objects, strict=True)]

    def describe(self, seen: Seen, objects: list[dict]) -> Reading:
        """With confidences and the error."""
        objects = self._order(objects)
        (confidences,) = score_objects(self.model, None, [objects], BaseModelOutput(seen.features), near=True)
        error = None if seen.likeness is None else float(seen.likeness.errors([objects])[0])
        return Reading(objects, confidences, seen.picture, error)

    def _order(self, objects: list[dict]) -> list[dict]:
        """As the model writes them; it finds all others unlikely."""
        order = self.model.config.specification_order
        return list(objects) if order == "random" else order_objects(self.language, objects, order)

    def _total_doubt(self, item: tuple[Seen, Reading, Laid]) -> float:
        """How unlike the canvas a reading looks, and how unlikely its objects are."""
        _, reading, _ = item
        return self._unlike(reading) - ASKEW * float(np.log(np.maximum(reading.confidences, 1e-9)).sum())

    def _unlike(self, reading: Reading) -> float:
        """How unlike the canvas it looks or, where nothing draws it, how unsure the model is of it."""
        if reading.error is not None:
            return reading.error
        return 1 - float(np.mean(reading.confidences)) if reading.confidences else 1.0

    def _fits(self, objects: list[dict], room: int = 0) -> bool:
        """Whether the model can write these objects and `room` tokens more."""
        return len(objects_to_ids(self.language, objects)) + room <= self.model.generation_config.max_length

    def _refuse(self, reading: Reading) -> None:
        """Raise UnreadableError where a reading is none."""
        checks = [self._refuse_crowd, self._refuse_nonsense]
        # A model fills noise with objects, and so only what is alike all the same is a crowd; the strokes of a drawing
        # tell nothing of likeness, and a crowd leaves the model unsure.
        for check in checks if self._draws_with_noise() else reversed(checks):
            check(reading)

    def _draws_with_noise(self) -> bool:
        return self.draw is None or image_form(self.folder) == "blurred"

    def _refuse_crowd(self, reading: Reading) -> None:
        if not self._fits(reading.objects, room=self.language.longest_object):
            count = len(reading.objects)
            raise UnreadableError("crowded", f"crowded: more than the {count} objects that this model can tell apart")

    def _refuse_nonsense(self, reading: Reading) -> None:
        """A photograph, say: whatever is read in it is a guess."""
        if self.draw is None and not reading.objects:
            return  # it may well be an empty scene
        if self._draws_with_noise():
            sure = float(np.mean(reading.confidences)) if reading.confidences else 0.0
            wrong, told = sure < LEAST_SURE, f"it is only {sure:.0%} sure of what it read"
        else:
            alike = correlate(reading.picture, self.draw_again(reading.objects))
            wrong, told = alike < LEAST_ALIKE, f"what it read correlates with the picture by {alike:.2f} only"
        if wrong:
            raise UnreadableError("photograph", f"no picture of the kind that this model reads: {told}")

    def better(self, seen: Seen, reading: Reading, options: ReadOptions) -> tuple[Reading, Found | None]:
        """The best of several candidates, searched on from, and the search; without what draws it, the likeliest."""
        readings = [reading, *self._guess(seen, options.candidates - 1, options.seed)]
        if seen.likeness is None:
            likelihoods = self._find_likelihoods(seen, [item.objects for item in readings])
            return readings[int(np.argmax(likelihoods))], None
        doubt, likeness = self._find_doubt(seen), self._straighten(seen, reading)
        if likeness is seen.likeness:
            errors = np.array([item.error for item in readings])
        else:
            errors = likeness.errors([item.objects for item in readings])
        alike = np.flatnonzero(errors <= errors[0])
        totals = doubt([readings[number].objects for number in alike]) + rank(errors[alike])
        chosen = alike[int(np.argmin(totals))]
        best, error = readings[chosen], float(errors[chosen])
        if not options.refine:
            return best, None
        known = {object_key(item) for item in best.objects}
        extra = {object_key(item): item for other in readings for item in other.objects}
        extra = [item for key, item in extra.items() if key not in known]
        refiner = Refiner(self.language, likeness, options.refine, extra, self._fits, doubt)
        found = refiner.run(best.objects, error)
        return self.describe(seen, found.objects), found

    def _straighten(self, seen: Seen, reading: Reading) -> Likeness:
        """What compares others with what was seen; pencil where, nearby, it lies best over the reading.

        A drawing a little beside its canvas or larger than it should be would else look liker with objects moved.
        """
        if image_form(self.folder) != "blurred":
            return seen.likeness
        unit = seen.picture.shape[1] / self.language.canvas.width
        return self._likeness(straighten(seen.picture, self.draw_again(reading.objects), unit))

    def _find_doubt(self, seen: Seen) -> Callable[[list[list[dict]]], np.ndarray]:
        """How unlikely the model finds each of several readings, where their looks alone would be fooled by noise."""
        if image_form(self.folder) != "blurred":
            return lambda scenes: np.zeros(len(scenes))
        return lambda scenes: -DOUBT * self._find_likelihoods(seen, scenes)

    def _find_likelihoods(self, seen: Seen, scenes: list[list[dict]]) -> np.ndarray:
        """The log-probability of each of several readings: (N,)."""
        features = BaseModelOutput(seen.features.expand(len(scenes), -1, -1))
        return np.array(score_specifications(self.model, None, [self._order(scene) for scene in scenes], features))

    def _guess(self, seen: Seen, count: int, seed: int) -> list[Reading]:
        """`count` readings by chance."""
        if count < 1:
            return []
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            sampled = self._generate(seen.features, do_sample=True, top_k=0, num_return_sequences=count)
        return [self.describe(seen, objects) for objects in sampled]

    def _generate(self, features: Tensor, **options) -> list[list[dict]]:
        with torch.inference_mode():
            # `generate` repeats what it is given for samples, so it gets an output of its own.
            sequences = self.model.generate(encoder_outputs=BaseModelOutput(features), **options)
        return self.processor.post_process_objects(sequences.cpu())

    def _leave_out(self, seen: Seen, reading: Reading, min_confidence: float) -> Reading:
        pairs = zip(reading.objects, reading.confidences, strict=True)
        kept = [pair for pair in pairs if pair[1] >= min_confidence]
        if len(kept) == len(reading.objects):
            return reading
        objects = [item for item, _ in kept]
        error = None if seen.likeness is None else float(seen.likeness.errors([objects])[0])
        return replace(reading, objects=objects, confidences=[confidence for _, confidence in kept], error=error)

    def draw_again(self, objects: list[dict]) -> np.ndarray | None:
        """The objects at the canvas's size, uint8 (H, W) or (H, W, 3); an empty page where just these cannot be drawn,
        None where nothing draws."""
        return None if self.draw is None else draw_readings(self.draw, [objects], self.language.canvas.pixels)[0][0]

    def compare(self, picture: np.ndarray, objects: list[dict]) -> float | None:
        """The error of the objects beside a picture that is the canvas; see `Reading`."""
        return None if self.draw is None else float(self._likeness(picture).errors([objects])[0])

    def _likeness(self, picture: np.ndarray) -> Likeness:
        return Likeness(self.draw, picture, image_form(self.folder), self.language.canvas.width)


def find_kind(folder: ModuleType | None, language: Language) -> str:
    """The PICTURES of a language's folder; ValueError for lines on a canvas that they cannot be brought to."""
    kind, canvas = getattr(folder, "PICTURES", AS_THEY_ARE), language.canvas
    if kind == LINES and (canvas.channels != 1 or canvas.pixels[0] != canvas.pixels[1]):
        size = f"{canvas.pixels[0]} x {canvas.pixels[1]} pixels, {canvas.channels} channels"
        raise ValueError(f"{language.name}: PICTURES {LINES!r} is for a square grey canvas, and its has {size}")
    return kind


def find_folder(language: Language, path: str | None = None) -> ModuleType | None:
    """The folder of this very language: at `path`, for which ValueError where it is not, or one of ours, or None."""
    if path is None and language.name not in our_languages():
        return None  # a model's own word must not have code imported from anywhere
    folder = load_language_folder(path or language.name)
    if language == folder.LANGUAGE:
        return folder
    if path is not None:
        raise ValueError(f"{path}: its language {folder.LANGUAGE.name} is not the model's, {language.name}")
    return None
