"""The processor: pictures and objects to model inputs, and generated ids back to objects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from transformers import BatchFeature, ProcessorMixin

from .image_processing_derender import DerenderImageProcessor
from .language import Language
from .specification import check_objects, ids_to_objects, objects_to_ids, order_objects
from .tokenization_derender import build_tokenizer


IGNORED_LABEL = -100


class DerenderProcessor(ProcessorMixin):
    """Image processor, tokenizer and language in one; `language` is the JSON declaration and is saved with it."""

    _auto_class = "AutoProcessor"  # its code is saved with it

    def __init__(self, image_processor=None, tokenizer=None, language: dict | None = None, chat_template=None):
        super().__init__(image_processor, tokenizer, chat_template=chat_template)
        self.language = language
        self._language = Language.from_dict(language)
        if tokenizer is not None and tokenizer.get_vocab() != self._language.token_ids:
            raise ValueError(f"tokenizer: its words are not those of the language {self._language.name}")

    @classmethod
    def from_language(cls, language: Language, image_size=None, max_length: int | None = None, **options):
        """Build for a language; `image_size` (height, width) defaults to the canvas's pixels.

        `options` go to the image processor (`image_mean`, `image_std`, `resample`).
        """
        height, width = image_size or language.canvas.pixels
        channels = language.canvas.channels
        defaults = {"image_mean": [1.0] * channels, "image_std": [0.5] * channels}
        image_processor = DerenderImageProcessor(
            size={"height": height, "width": width}, num_channels=channels, **{**defaults, **options}
        )
        return cls(image_processor, build_tokenizer(language, max_length), language.to_dict())

    def __call__(
        self,
        images=None,
        objects: Sequence[Sequence[dict]] | None = None,
        text: str | list[str] | None = None,
        order: str = "type",
        rng: np.random.Generator | Sequence[np.random.Generator] | None = None,
        return_tensors: str | None = "pt",
        **image_options,
    ) -> BatchFeature:
        """Model inputs: `pixel_values` (B, C, H, W) from `images`; `labels` (B, T), padded with -100, from `objects`
        (a list of objects a picture, sorted by `order`; "random" needs `rng`, one or one a picture) or from `text` as
        written.

        Raises SpecificationError for objects that are not of the language, ImageError for what is no picture.
        """
        if images is None and objects is None and text is None:
            raise ValueError("give images, objects or text")
        if objects is not None and text is not None:
            raise ValueError("objects and text both say what the labels are: give one of them")
        if (objects is not None and len(objects) == 0) or text == []:
            raise ValueError("objects or text: an empty list; give one specification or more")
        inputs = BatchFeature()
        if images is not None:
            inputs.update(self.image_processor(images, return_tensors=return_tensors, **image_options))
        if objects is not None:
            rngs = rng if isinstance(rng, Sequence) else [rng] * len(objects)
            rows = [self.encode(item, order, row_rng) for item, row_rng in zip(objects, rngs, strict=True)]
            inputs["labels"] = self._pad(rows)
        elif text is not None:
            inputs["labels"] = self._pad(self.tokenizer([text] if isinstance(text, str) else text)["input_ids"])
        return inputs.convert_to_tensors(return_tensors)

    def encode(self, objects: Sequence[dict], order: str = "type", rng=None) -> list[int]:
        """One picture's objects as label ids: start token, tokens in the given order, end token."""
        checked = check_objects(self._language, objects)
        return objects_to_ids(self._language, order_objects(self._language, checked, order, rng))

    def _pad(self, rows: list[list[int]]) -> np.ndarray:
        """Labels without the start token (the model's decoder begins with it), padded with -100."""
        labels = np.full((len(rows), max(map(len, rows)) - 1), IGNORED_LABEL, np.int64)
        for label, row in zip(labels, rows, strict=True):
            label[: len(row) - 1] = row[1:]
        return labels

    def post_process_objects(self, sequences, strict: bool = True) -> list[list[dict]]:
        """Generated ids (B, T) as a list of objects for each picture; see `ids_to_objects` for `strict`."""
        return [ids_to_objects(self._language, row, strict) for row in sequences]
