"""Predictions of a model over many pictures, on one process or shared by several."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast, gather_object
from tqdm.auto import tqdm


def prepare_pictures(processor, examples: Sequence[dict], model) -> torch.Tensor:
    """The pixel values (B, C, H, W) of several examples, on the model's device."""
    return processor(images=[example["image"] for example in examples])["pixel_values"].to(model.device)


def predict(
    model,
    processor,
    examples: Sequence[dict],
    batch_size: int = 64,
    num_beams: int = 1,
    accelerator: Accelerator | None = None,
    use_grammar: bool = True,
    progress: str | None = None,
) -> list[list[dict]]:
    """The predicted objects of each of `examples` (each with an "image"), in their order.

    With an `accelerator` of several processes each predicts its share, with the statistics of process 0 since that is
    the model which is saved, and all return the whole. Without the grammar, what does not parse is passed over.
    `progress` names a progress bar. The model's mode (train or eval) is kept.
    """
    process, num_processes = (accelerator.process_index, accelerator.num_processes) if accelerator else (0, 1)
    model = accelerator.unwrap_model(model) if accelerator else model
    if num_processes > 1:
        broadcast([tensor for tensor in model.buffers() if tensor.is_floating_point()])
    mine = range(process, len(examples), num_processes)
    bar = tqdm(total=len(mine), desc=progress, unit=" pictures", disable=progress is None or process > 0, leave=False)
    predictions, was_training = [], model.training
    model.eval()
    for start in range(0, len(mine), batch_size):
        batch = [examples[index] for index in mine[start : start + batch_size]]
        pixel_values = prepare_pictures(processor, batch, model)
        with torch.inference_mode():
            sequences = model.generate(
                pixel_values=pixel_values,
                num_beams=num_beams,
                use_grammar=use_grammar,
                max_length=model.generation_config.max_length,
            )
        predictions += processor.post_process_objects(sequences.cpu(), strict=use_grammar)
        bar.update(len(batch))
    bar.close()
    model.train(was_training)
    return _in_order(predictions, num_processes)


def _in_order(mine: list, num_processes: int) -> list:
    """Interleave what the processes predicted: process r has numbers r, r + num_processes, ..."""
    if num_processes == 1:
        return mine
    shares = gather_object([mine])
    merged = [None] * sum(map(len, shares))
    for process, share in enumerate(shares):
        merged[process::num_processes] = share
    return merged
