"""Derender: a picture in, the set of objects that drew it out. Importing it registers the Auto classes."""

from transformers import AutoConfig, AutoImageProcessor, AutoModelForImageTextToText, AutoProcessor

from .checkpoint import load_checkpoint
from .configuration_derender import DerenderConfig
from .image_io import ImageError, open_image
from .image_processing_derender import DerenderImageProcessor
from .language import Language, LanguageError
from .modeling_derender import DerenderForConditionalGeneration
from .processing_derender import DerenderProcessor
from .serialization import from_json, from_tagged, from_text, to_json, to_tagged, to_text
from .specification import SpecificationError, check_objects, is_valid, order_objects
from .tokenization_derender import build_tokenizer


AutoConfig.register("derender", DerenderConfig)
# One class for both of the library's backends, or it warns at each load that torchvision's is missing.
AutoImageProcessor.register(
    DerenderConfig, image_processor_classes={"pil": DerenderImageProcessor, "torchvision": DerenderImageProcessor}
)
AutoModelForImageTextToText.register(DerenderConfig, DerenderForConditionalGeneration)
AutoProcessor.register(DerenderConfig, DerenderProcessor)

__all__ = [
    "DerenderConfig",
    "DerenderForConditionalGeneration",
    "DerenderImageProcessor",
    "DerenderProcessor",
    "ImageError",
    "Language",
    "LanguageError",
    "SpecificationError",
    "build_tokenizer",
    "check_objects",
    "from_json",
    "from_tagged",
    "from_text",
    "is_valid",
    "load_checkpoint",
    "open_image",
    "order_objects",
    "to_json",
    "to_tagged",
    "to_text",
]
