"""Train a model by cross-entropy (the paper's section 5.3): train.py CONFIG.yaml [--option value ...]

Options and their defaults: train.py --help. The same command again resumes a run that was stopped, bit for bit.
`accelerate launch train.py ...` or `torchrun --nproc_per_node N train.py ...` trains on several devices.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import fields, replace
from functools import partial

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from transformers.utils.logging import disable_progress_bar

from derender_training.checkpoints import Progress, RunFolder
from derender_training.command_line import run_training
from derender_training.data import FIRST, FURTHER, TrainingBatches, load_batches, load_examples
from derender_training.evaluation import predict
from derender_training.image_noise import find_image_noise
from derender_training.kept_batches import KeptBatches
from derender_training.language_folder import find_data, open_language
from derender_training.model_card import CardWriter
from derender_training.near_targets import NearTargets
from derender_training.options import OptionError, check_entries
from derender_training.precision import choose_precision
from derender_training.recorded import Recorded, check_recording
from derender_training.schedule import Schedule
from derender_training.scores import score_specifications
from derender_training.threads import set_threads
from derender_training.train_steps import build_optimizer, check_weights, train_steps
from derender_training.training_log import TrainingLog
from derender_training.training_options import TrainingOptions
from derender_training.unused_parameters import freeze_unused
from derender_training.weight_average import WeightAverage
from modeling_derender.checkpoint import load_checkpoint
from modeling_derender.configuration_derender import DerenderConfig
from modeling_derender.language import Language
from modeling_derender.modeling_derender import DerenderForConditionalGeneration
from modeling_derender.processing_derender import IGNORED_LABEL, DerenderProcessor


# Fields of the config that follow from the language and from other options.
FOLLOWING = (
    "language", "vocab_size", "pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id", "num_channels",
    "image_size", "max_specification_length", "specification_order", "is_encoder_decoder", "use_cache",
)  # fmt: skip
MODEL_OPTIONS = [
    field.name for field in fields(DerenderConfig)
    if field.name in DerenderConfig.__annotations__ and field.name not in FOLLOWING
]  # fmt: skip
# Those that an initial model may have otherwise: the same weights compute the same.
HARMLESS = ("dropout", "number_embeddings", "test_time_augmentation")


def training_function(options: TrainingOptions) -> Progress:
    """Train, or resume, the run of `options`; returns where it stands at its end.

    Raises OptionError for options that do not fit, CheckpointError for an output folder that cannot be used or
    written, FloatingPointError where the loss or a weight is no number; ValueError and RenderError from the data.
    """
    set_threads(options.num_threads)
    disable_progress_bar()  # Transformers shows one for each model saved
    accelerator = Accelerator(
        cpu=not torch.accelerator.is_available(), mixed_precision=choose_precision(options.mixed_precision)
    )
    if options.cuda_graphs:
        check_recording(accelerator)
    folder = open_language(options.language)
    # A run that is resumed goes on with the files that it began with.
    data = find_data(folder, options.data_dir)
    options = replace(options, **data)
    set_seed(options.seed)
    model, processor = build_model(options, folder.LANGUAGE)
    examples = load_examples(options, folder)
    keeps = options.keep_pictures and examples.size is not None
    batches = (KeptBatches if keeps else TrainingBatches)(
        examples.train, processor, options.batch_size, options.seed, examples.size, options.order, options.max_length,
        accelerator.process_index, accelerator.num_processes, find_image_noise(options, folder),
        FIRST if options.initial_model is None else FURTHER,
    )  # fmt: skip
    references = [example["objects"] for example in examples.validation]

    run = RunFolder(options, accelerator)
    if run.read_progress().step == 0:
        load_initial_weights(options, model)
    freeze_unused(model)
    model, optimizer = accelerator.prepare(model, build_optimizer(options, model))
    average = None
    if options.averaging is not None:
        average = WeightAverage(model, options.averaging)
        accelerator.register_for_checkpointing(average)
    set_seed(options.seed, device_specific=True)  # each process drops out units of its own
    progress = run.load_checkpoint()
    if progress.finished:
        accelerator.print(f"{run.path}: this run is finished: {describe(progress)}")
        return progress

    loader = load_batches(
        batches, progress.step, options.steps, options.num_workers, accelerator.device.type == "cuda"
    )
    schedule = Schedule(options, accelerator, progress.elapsed)
    log = TrainingLog(run.tensorboard, progress.step, accelerator.is_main_process)
    find_gradient = cross_entropy(
        accelerator, model, options, batches.normalize, find_targets(options, folder.LANGUAGE, accelerator)
    )
    card = CardWriter("train.py", options, folder, partial(folder.render_batch, **data), accelerator)

    def evaluate(step: int) -> None:
        """Score the model as it is; the best one is kept."""
        predictions = predict(model, processor, examples.validation, options.batch_size, 1, accelerator)
        scores = score_specifications(folder.LANGUAGE, predictions, references)
        log.record_scores(step, scores)
        log.say(
            f"step {step}: validation IOU {scores['iou']:.4f}, in bins {scores['iou_binned']:.4f}, "
            f"inference error {scores['inference_error']:.4f}"
        )
        # In bins it tells models apart that never hit one of hundreds of coordinates exactly, and where each
        # coordinate has a bin of its own it is the exact one.
        if scores["iou_binned"] > progress.best_score:
            progress.best_score, progress.best_step = scores["iou_binned"], step
            run.save_model(model, processor, partial(card, step, scores, examples.validation, predictions))
        log.restart_clock()

    for step, finished in train_steps(
        accelerator, model, optimizer, loader, schedule, log, find_gradient, progress.step, options.max_gradient_norm
    ):
        progress.step, progress.finished, progress.elapsed = step, finished, schedule.elapsed
        if average is not None:
            average.update()
        evaluates = finished or step % options.evaluate_every == 0
        saves = finished or step % options.save_every == 0
        if evaluates or saves:
            check_weights(model, step)
        if evaluates:
            with nullcontext() if average is None else average.in_place():
                evaluate(step)
        # A better model comes with a checkpoint that knows of it: going on from an older one could end with this model
        # and tell of another.
        if saves or progress.best_step == step:
            run.save_checkpoint(progress)
            log.restart_clock()
    log.close()
    accelerator.print(f"{run.path}: finished: {describe(progress)}")
    accelerator.end_training()
    return progress


def find_targets(options: TrainingOptions, language: Language, accelerator: Accelerator) -> NearTargets | None:
    """The targets that know distance, where the options want them."""
    if options.coordinate_spread is None:
        return None
    return NearTargets(language, options.coordinate_spread, accelerator.device)


def cross_entropy(
    accelerator: Accelerator,
    model: torch.nn.Module,
    options: TrainingOptions,
    normalize: Callable[[torch.Tensor], torch.Tensor],
    targets: NearTargets | None = None,
) -> Callable[[dict[str, torch.Tensor], int], tuple[torch.Tensor, dict]]:
    """What `train_steps` calls on each batch of a model that trains; without `targets` each token is its own.

    `normalize` makes pixel values of the batches' pictures. The loss returned is the mean over this process's tokens,
    the gradient that of the mean over the tokens of all processes.
    """
    model.train()

    def find_loss(pictures: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor]:
        outputs = model(pixel_values=normalize(pictures), labels=labels)
        loss = outputs.loss if targets is None else targets.loss(outputs.logits, labels)
        accelerator.backward(loss if accelerator.num_processes == 1 else loss * token_weight(accelerator, labels))
        return (loss.detach(),)

    recorded = Recorded(find_loss, model) if options.cuda_graphs else None

    def find_gradient(batch: dict[str, torch.Tensor], step: int) -> tuple[torch.Tensor, dict]:
        pictures, labels = batch["pixel_values"], batch["labels"]
        if recorded is None:
            return *find_loss(pictures, labels), {}
        missing = options.max_length - 1 - labels.shape[1]  # labels lack the start token
        return *recorded(pictures, torch.nn.functional.pad(labels, (0, missing), value=-100)), {}

    return find_gradient


def token_weight(accelerator: Accelerator, labels: torch.Tensor) -> torch.Tensor:
    """What this process's mean over its tokens counts in the mean of the processes' gradients: its share of tokens."""
    count = (labels != IGNORED_LABEL).sum().float()
    return count / accelerator.reduce(count, reduction="mean")


def build_model(
    options: TrainingOptions, language: Language
) -> tuple[DerenderForConditionalGeneration, DerenderProcessor]:
    """A new model and the processor that goes with it; OptionError for a model option that does not fit."""
    defaults = {name: getattr(DerenderConfig, name) for name in MODEL_OPTIONS}
    entries = check_entries("model", options.model, defaults)
    fixed = {
        "image_size": options.image_size,
        "max_specification_length": options.max_length,
        "specification_order": options.order.removesuffix("_once"),
    }
    try:
        model = DerenderForConditionalGeneration(DerenderConfig.from_language(language, **entries, **fixed))
    except ValueError as error:
        raise OptionError(f"option 'model': {error}") from error
    model = model.to(memory_format=torch.channels_last)  # the faster one for convolutions, on a CPU as well
    return model, DerenderProcessor.from_language(language, options.image_size, options.max_length)


def load_initial_weights(options: TrainingOptions, model: DerenderForConditionalGeneration) -> None:
    """Those that the options name, if any; OptionError for a checkpoint that cannot be used."""
    if options.pretrained_backbone:
        load_pretrained_backbone(model)
    if options.initial_model is None:
        return
    try:
        initial = load_checkpoint(options.initial_model)
        if initial.config.language != model.config.language:
            raise ValueError(f"{options.initial_model}: is of another language")
        model.load_state_dict(initial.state_dict())
        check_function(options, initial.config, model.config)
    except (ValueError, RuntimeError) as error:
        raise OptionError(f"option 'initial_model': {' '.join(str(error).split())}") from error


def load_pretrained_backbone(model: DerenderForConditionalGeneration) -> None:
    """OptionError where there are no such weights, or they cannot be fetched."""
    try:
        model.encoder.backbone.load_pretrained_weights()
    except (OSError, RuntimeError) as error:
        told = " ".join(str(error).split())
        raise OptionError(f"option 'pretrained_backbone': {model.config.backbone}: {told}") from error


def check_function(options: TrainingOptions, initial: DerenderConfig, config: DerenderConfig) -> None:
    """Raise ValueError where the same weights would compute something else."""
    for name in [name for name in MODEL_OPTIONS if name not in HARMLESS]:
        theirs, ours = getattr(initial, name), getattr(config, name)
        if theirs != ours:
            raise ValueError(f"{options.initial_model}: its {name} is {theirs!r}, and that of option 'model' {ours!r}")


def describe(progress: Progress) -> str:
    return (
        f"{progress.step} steps in {progress.elapsed / 60:.1f} minutes, best validation IOU in bins "
        f"{progress.best_score:.4f} at step {progress.best_step}"
    )


def main(arguments: list[str]) -> None:
    run_training(__doc__, TrainingOptions, training_function, arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
