"""Tells Transformers' Auto classes and pipelines of the model; imported with the first of its classes."""

from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoModelForImageTextToText, AutoProcessor
from transformers.pipelines import PIPELINE_REGISTRY

from .configuration_derender import DerenderConfig
from .image_processing_derender import DerenderImageProcessor
from .modeling_derender import DerenderForConditionalGeneration
from .pipeline_derender import TASK, ImageToSpecPipeline
from .processing_derender import DerenderProcessor


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
