"""Derender: a picture in, the set of objects that drew it out. Importing it registers the Auto classes."""

from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoModelForImageTextToText, AutoProcessor
from transformers.pipelines import PIPELINE_REGISTRY

from .checkpoint import load_checkpoint
from .configuration_derender import DerenderConfig
from .image_io import ImageError, open_image
from .image_processing_derender import DerenderImageProcessor
from .language import Language, LanguageError
from .modeling_derender import DerenderForConditionalGeneration
from .pipeline_derender import TASK, ImageToSpecPipeline
from .processing_derender import DerenderProcessor
from .serialization import from_json, from_tagged, from_text, to_json, to_tagged, to_text
from .specification import SpecificationError, check_objects, is_valid, order_objects
from .tokenization_derender import build_tokenizer


AutoConfig.register("derender", DerenderConfig)
# One class for both of the library's backends, or it warns at each load that torchvision's is missing.
AutoImageProcessor.register(
    DerenderConfig, image_processor_classes={"pil": DerenderImageProcessor, "torchvision": DerenderImageProcessor}
)
AutoModel.register(DerenderConfig, DerenderForConditionalGeneration)
AutoModelForImageTextToText.register(DerenderConfig, DerenderForConditionalGeneration)
AutoProcessor.register(DerenderConfig, DerenderProcessor)
PIPELINE_REGISTRY.register_pipeline(
    TASK, pipeline_class=ImageToSpecPipeline, pt_model=AutoModelForImageTextToText, type="image"
)
# Their code is saved with them.
for saved in (DerenderConfig, DerenderImageProcessor, DerenderProcessor):
    saved.register_for_auto_class()

__all__ = [
    "DerenderConfig",
    "DerenderForConditionalGeneration",
    "DerenderImageProcessor",
    "DerenderProcessor",
    "ImageError",
    "ImageToSpecPipeline",
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
