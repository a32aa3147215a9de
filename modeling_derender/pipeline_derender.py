"""The pipeline "image-to-spec": pictures in, objects with their confidences and text out."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import httpx
import torch
from transformers import Pipeline
from transformers.modeling_outputs import BaseModelOutput

from .confidence import score_objects
from .image_io import ImageError, open_image
from .serialization import to_text
from .specification import ids_to_objects


TASK = "image-to-spec"
UNSCORED = {"use_grammar", "num_return_sequences", "max_length", "max_new_tokens"}  # of generate()


class ImageToSpecPipeline(Pipeline):
    """`pipeline("image-to-spec", model=NAME, trust_remote_code=True)`: what is drawn in a picture.

    Call it with a picture or a list or a data set of pictures: paths, URLs, PIL images, arrays. For each it returns
    `objects` (a list of dicts), `text` (an object a line) and `confidences` (a number in [0, 1] for each object, as
    `score_objects` has it: a coordinate may be off by half of a twentieth of the canvas). `generate_kwargs`
    (`num_beams`, of sampling) go to `generate()`; `timeout` is of downloads, in seconds. Raises ImageError for what is
    no picture, naming its file or address, and at the start ValueError for a processor of another language than the
    model's.
    """

    _load_processor = True
    _load_image_processor = _load_tokenizer = _load_feature_extractor = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.processor is None:
            raise ValueError("the processor: not given; load it with AutoProcessor, or give the model by its name")
        if self.processor.language != self.model.config.language:
            raise ValueError("the processor and the model do not belong together: their languages differ")

    def __call__(self, inputs, **kwargs):
        return [] if isinstance(inputs, list) and not inputs else super().__call__(inputs, **kwargs)

    def _sanitize_parameters(self, timeout: float | None = None, generate_kwargs: dict | None = None):
        refused = sorted(UNSCORED & set(generate_kwargs or {}))
        if refused:
            raise ValueError(f"generate_kwargs: {refused[0]} would change what confidences are of; leave it out")
        download = {} if timeout is None else {"timeout": timeout}
        return download, {} if generate_kwargs is None else {"generate_kwargs": generate_kwargs}, {}

    def preprocess(self, image, timeout: float | None = None):
        if isinstance(image, str) and image.startswith(("http://", "https://")):
            image = open_image(_fetch(image, timeout), name=image)
        elif isinstance(image, (str, Path)):
            image = open_image(image)
        return dict(self.processor(images=image))

    def _forward(self, model_inputs, generate_kwargs: dict | None = None):
        features = self.model.encoder(model_inputs["pixel_values"]).last_hidden_state
        # `generate` repeats what it is given for beams, so it gets an output of its own.
        sequences = self.model.generate(encoder_outputs=BaseModelOutput(features), **(generate_kwargs or {}))
        objects = [ids_to_objects(self.model.language, row) for row in sequences.tolist()]
        confidences = score_objects(self.model, None, objects, encoder_outputs=BaseModelOutput(features), near=True)
        # As tensors, one row a picture, for what takes batches apart.
        padded = [torch.tensor([*row, *[torch.nan] * (len(sequences[0]) - len(row))]) for row in confidences]
        return {"sequences": sequences, "confidences": torch.stack(padded)}

    def postprocess(self, model_outputs):
        objects = ids_to_objects(self.model.language, model_outputs["sequences"][0].tolist())
        confidences = model_outputs["confidences"][0, : len(objects)].tolist()
        return {"objects": objects, "text": to_text(self.model.language, objects), "confidences": confidences}


def _fetch(url: str, timeout: float | None) -> BytesIO:
    try:
        return BytesIO(httpx.get(url, timeout=timeout, follow_redirects=True).raise_for_status().content)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ImageError(f"{url}: cannot be fetched: {reason}") from None
