"""Opens the folder of a trained model: the model and the processor that was saved with it."""

from __future__ import annotations

from modeling_derender import DerenderProcessor  # from the package itself, which has the Auto classes know it
from modeling_derender.checkpoint import load_checkpoint
from modeling_derender.modeling_derender import DerenderForConditionalGeneration


def open_model(
    path: str, test_time_augmentation: bool = False
) -> tuple[DerenderForConditionalGeneration, DerenderProcessor]:
    """The model and its processor; ValueError names the folder and what is wrong with it.

    `test_time_augmentation` turns that on where the model's own config does not.
    """
    model = load_checkpoint(path)
    model.config.test_time_augmentation |= test_time_augmentation
    try:
        processor = DerenderProcessor.from_pretrained(path, local_files_only=True)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: its processor cannot be loaded: {reason}") from error
    if processor.language != model.config.language:
        raise ValueError(f"{path}: the processor's language is not the model's")
    return model, processor
