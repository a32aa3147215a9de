"""Derender: a picture in, the set of objects that drew it out.

What stands here is imported when it is first asked for. With the first of the model's classes the Auto classes learn
of them: `from modeling_derender import DerenderProcessor`, and `AutoModel.from_pretrained` and its like load a model's
folder. Without this package they do so with `trust_remote_code=True`.
"""

from importlib import import_module


# Where the public names are: those of the model, which Transformers' Auto classes then know, and those of languages.
MODEL_CLASSES = {
    "DerenderConfig": "configuration_derender",
    "DerenderForConditionalGeneration": "modeling_derender",
    "DerenderImageProcessor": "image_processing_derender",
    "DerenderProcessor": "processing_derender",
    "ImageToSpecPipeline": "pipeline_derender",
    "load_checkpoint": "checkpoint",
}
HOMES = {
    **MODEL_CLASSES,
    "ImageError": "image_io",
    "Language": "language",
    "LanguageError": "language",
    "SpecificationError": "specification",
    "build_tokenizer": "tokenization_derender",
    "check_objects": "specification",
    "from_json": "serialization",
    "from_tagged": "serialization",
    "from_text": "serialization",
    "is_valid": "specification",
    "open_image": "image_io",
    "order_objects": "specification",
    "to_json": "serialization",
    "to_tagged": "serialization",
    "to_text": "serialization",
}

__all__ = list(HOMES)


def __getattr__(name: str):
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in MODEL_CLASSES:
        import_module(".auto_classes", __name__)
    value = getattr(import_module(f".{HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *HOMES})
