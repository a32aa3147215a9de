"""What one would pick instead: python -m experiments.vision_encoder_decoder noisy_shapes|abstract_scenes --scale cpu

Trains Transformers' VisionEncoderDecoderModel, a small ViT and a small GPT-2, by Seq2SeqTrainer on the very pictures,
batches and minutes of the table's Transformer, scores it on the same test pictures, and writes its record beside the
rows'.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from tqdm.auto import tqdm
from transformers import (
    GPT2Config,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    TrainerCallback,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
)

import eval as eval_script
from datasets_scripts.evaluation_data import EvaluationData, take
from datasets_scripts.scenes import RenderError
from derender_training.data import load_examples
from derender_training.evaluation import prepare_pictures
from derender_training.language_folder import open_language
from derender_training.options import OptionError, read_options
from derender_training.result_file import describe_origin
from derender_training.scores import Scorer
from derender_training.threads import set_threads
from derender_training.training_options import TrainingOptions
from experiments.paper_rows import NOISY, SCENES, TABLE_ONE, TABLE_TWO
from experiments.paper_runs import list_runs
from experiments.paper_scales import SCALES
from experiments.run_records import INSTEAD, describe_pictures, write_record
from modeling_derender.processing_derender import IGNORED_LABEL, DerenderProcessor


TABLES = {NOISY: TABLE_ONE, SCENES: TABLE_TWO}
WIDTH, LAYERS, HEADS, INNER = 128, 4, 8, 256
GRID = 8  # patches down a picture, as many as the rows of features that the paper's encoder gives


class Encoded(torch.utils.data.Dataset):
    """Examples as the trainer takes them, prepared a batch at a time."""

    def __init__(self, examples: Sequence[dict], size: int, processor: DerenderProcessor):
        self.examples, self.size, self.processor = examples, size, processor

    def __len__(self) -> int:
        return self.size

    def __getitems__(self, indices: Sequence[int]) -> list[dict]:
        examples = take(self.examples, indices)
        objects, images = ([example[name] for example in examples] for name in ("objects", "image"))
        inputs = self.processor(images=images, objects=objects)
        return [dict(zip(inputs, values, strict=True)) for values in zip(*inputs.values(), strict=True)]

    def __getitem__(self, index: int) -> dict:
        return self.__getitems__([index])[0]


def collate(examples: Sequence[dict]) -> dict:
    labels = [example["labels"] for example in examples]
    padded = torch.nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=IGNORED_LABEL)
    return {"pixel_values": torch.stack([example["pixel_values"] for example in examples]), "labels": padded}


class Clock(TrainerCallback):
    """Ends the training after so many minutes."""

    def __init__(self, minutes: float):
        self.seconds, self.begin = 60 * minutes, None

    def on_train_begin(self, args, state, control, **kwargs):
        self.begin = time.monotonic()

    def on_step_end(self, args, state, control, **kwargs):
        control.should_training_stop = time.monotonic() - self.begin >= self.seconds


def build_model(options: TrainingOptions, language) -> VisionEncoderDecoderModel:
    """With weights drawn at random; the patches are as many as the features of the paper's encoder."""
    torch.manual_seed(options.seed)
    encoder = ViTConfig(
        hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS, intermediate_size=INNER,
        image_size=tuple(options.image_size), patch_size=options.image_size[0] // GRID,
        num_channels=language.canvas.channels,
    )  # fmt: skip
    decoder = GPT2Config(
        n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS, n_inner=INNER, n_positions=options.max_length,
        vocab_size=len(language.token_ids), bos_token_id=language.bos_token_id, eos_token_id=language.eos_token_id,
    )  # fmt: skip
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id, config.pad_token_id = language.bos_token_id, language.pad_token_id
    config.eos_token_id = language.eos_token_id
    model = VisionEncoderDecoderModel(config=config)
    for name in ("decoder_start_token_id", "pad_token_id", "eos_token_id"):
        setattr(model.generation_config, name, getattr(config, name))
    return model


def train(model, options: TrainingOptions, data: Encoded) -> tuple[int, float]:
    """The steps and the minutes taken."""
    with TemporaryDirectory() as folder:
        arguments = Seq2SeqTrainingArguments(
            folder, per_device_train_batch_size=options.batch_size, learning_rate=options.learning_rate,
            lr_scheduler_type="constant", max_steps=options.steps, save_strategy="no", report_to=[],
            remove_unused_columns=False, dataloader_num_workers=options.num_workers, seed=options.seed,
            logging_steps=100, bf16=options.mixed_precision == "bf16", use_cpu=not torch.accelerator.is_available(),
        )  # fmt: skip
        clock = Clock(options.max_minutes)
        trainer = Seq2SeqTrainer(model, arguments, collate, data, callbacks=[clock])
        trainer.train()
        return trainer.state.global_step, (time.monotonic() - clock.begin) / 60


def read(
    model, processor: DerenderProcessor, examples: Sequence[dict], max_length: int, batch_size: int = 64
) -> tuple[list, list]:
    """The objects read in each example, greedily, and the true ones; what does not parse is passed over."""
    predictions, references = [], []
    model.eval()
    for start in tqdm(range(0, len(examples), batch_size), desc="test", unit=" batches"):
        batch = take(examples, range(start, min(start + batch_size, len(examples))))
        pixel_values = prepare_pictures(processor, batch, model)
        with torch.inference_mode():  # of the model alone: what draws the pictures keeps tensors
            sequences = model.generate(pixel_values=pixel_values, max_length=max_length, do_sample=False, num_beams=1)
        predictions += processor.post_process_objects(sequences.cpu(), strict=False)
        references += [example["objects"] for example in batch]
    return predictions, references


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_set", choices=TABLES)
    parser.add_argument("--scale", choices=SCALES, required=True)
    parser.add_argument("--data_dir", help="the folder of the Abstract Scenes files")
    parser.add_argument("--results", default="experiments/results", help="where records are")
    chosen = parser.parse_args(arguments)
    setting = SCALES[chosen.scale][chosen.data_set]
    data_dir = chosen.data_dir if chosen.data_set == SCENES else None
    run = list_runs(TABLES[chosen.data_set], setting, Path("unused"), 1, data_dir, None)["transformer", 0]
    options = read_options(TrainingOptions, run.commands[0][2:])
    try:
        check_options(options)
        record = make_record(options, eval_script.name_data(eval_script.parse_options(run.commands[1][2:])))
    except (OSError, ValueError, RenderError) as error:
        sys.exit(f"error: {error}")
    write_record(Path(chosen.results, "records", chosen.scale, chosen.data_set, f"{INSTEAD}.json"), record)
    print({name: value for name, value in record.items() if name != "pictures"})


def check_options(options: TrainingOptions) -> None:
    """Raise OptionError where the table's Transformer is trained in a way that Seq2SeqTrainer here is not."""
    for name, wanted in (("image_noise", None), ("schedule", "constant")):
        if (value := getattr(options, name)) != wanted:
            raise OptionError(
                f"option {name!r}: the table's Transformer has {value!r} at this scale, which this lacks"
            )


def make_record(options: TrainingOptions, test: EvaluationData) -> dict:
    """Train, and score on the pictures of `test`."""
    set_threads(options.num_threads)
    folder = open_language(options.language)
    language = folder.LANGUAGE
    processor = DerenderProcessor.from_language(language, options.image_size, options.max_length)
    examples = load_examples(options, folder)
    model = build_model(options, language)
    steps, minutes = train(model, options, Encoded(examples.train, examples.size, processor))
    predictions, references = read(model, processor, test.open(language), options.max_length)
    scorer = Scorer.open(language, test)
    errors = scorer.find_drawing_errors(predictions, references)
    details = [
        {"objects": pair[0], "reference": pair[1], "reconstruction_error": error, **scorer.score_one(*pair)}
        for *pair, error in zip(predictions, references, errors, strict=True)
    ]
    return {
        "steps": steps,
        "minutes": minutes,
        "images_per_second": steps * options.batch_size / minutes / 60,
        "parameters": model.num_parameters(),
        "scores": scorer.score(predictions, references, errors),
        "pictures": describe_pictures(details),
        **describe_origin(model.device),
    }


if __name__ == "__main__":
    main()
