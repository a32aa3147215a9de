"""Train by self-critical reinforcement learning (the paper's section 4): rl_train.py CONFIG.yaml [--option value ...]

It begins with a checkpoint of train.py. Options and their defaults: rl_train.py --help. The same command again resumes
a run that was stopped, bit for bit. `accelerate launch rl_train.py ...` or `torchrun --nproc_per_node N rl_train.py
...` trains on several devices.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, set_seed
from transformers.utils.logging import disable_progress_bar

from derender_training.checkpoints import Progress, RunFolder
from derender_training.command_line import run_training
from derender_training.data import REINFORCED, load_batches, load_examples
from derender_training.evaluation import predict
from derender_training.image_noise import find_image_noise
from derender_training.language_folder import find_data, image_form, open_language
from derender_training.model_card import CardWriter
from derender_training.model_folder import open_model
from derender_training.options import OptionError
from derender_training.precision import choose_precision
from derender_training.recorded import check_recording
from derender_training.reward_suite import RewardSuite
from derender_training.rl_data import DrawnTruth, RLBatches
from derender_training.rl_options import RLOptions
from derender_training.rl_step import RecordedRLStep, RLStep
from derender_training.schedule import Schedule
from derender_training.scores import Scorer, is_error
from derender_training.threads import set_threads
from derender_training.train_steps import build_optimizer, check_weights, train_steps
from derender_training.training_log import TrainingLog
from derender_training.unused_parameters import freeze_unused
from modeling_derender.grammar_tables import GrammarTables
from modeling_derender.modeling_derender import DerenderForConditionalGeneration
from modeling_derender.processing_derender import DerenderProcessor


def training_function(options: RLOptions) -> Progress:
    """Train, or resume, the run of `options`; returns where it stands at its end.

    Raises OptionError for options that do not fit, CheckpointError for an output folder that cannot be used or
    written, FloatingPointError where the loss or a weight is no number; ValueError and RenderError from the data.
    """
    set_threads(options.num_threads)
    disable_progress_bar()  # Transformers shows one for each model saved
    accelerator = Accelerator(
        cpu=not torch.accelerator.is_available(),
        mixed_precision=choose_precision(options.mixed_precision),
        # BatchNorm's statistics are frozen, and so alike; to send them again would come between a step's two passes.
        kwargs_handlers=[DistributedDataParallelKwargs(broadcast_buffers=False)],
    )
    if options.cuda_graphs:
        check_recording(accelerator)
    model, processor = open_checkpoint(options.checkpoint)
    folder = open_folder(options, model)
    if options.image_size not in (None, model.config.image_size):
        raise OptionError(f"option 'image_size': it is the checkpoint's, {model.config.image_size}; leave it out")
    data = find_data(folder, options.data_dir)
    options = replace(options, image_size=model.config.image_size, **data)
    set_seed(options.seed)
    draw = partial(folder.render_batch, **data)
    suite = build_suite(options, folder, draw, accelerator.device)
    examples = load_examples(options, folder)
    batches = RLBatches(
        examples.train, processor, options.batch_size, options.seed, examples.size,
        process=accelerator.process_index, num_processes=accelerator.num_processes,
        add_noise=find_image_noise(options, folder), stretch=REINFORCED,
        language=folder.LANGUAGE, draw_targets=find_drawing(options, draw),
    )  # fmt: skip
    references = [example["objects"] for example in examples.validation]

    run = RunFolder(options, accelerator)
    model = model.to(memory_format=torch.channels_last)
    freeze_unused(model)
    model, optimizer = accelerator.prepare(model, build_optimizer(options, model))
    progress = run.load_checkpoint()
    if progress.finished:
        accelerator.print(f"{run.path}: this run is finished: {describe(options, progress)}")
        return progress
    find_gradient = (RecordedRLStep if options.cuda_graphs else RLStep)(
        accelerator, model, batches.normalize, GrammarTables(folder.LANGUAGE, accelerator.device), suite,
        options.join_rewards(),
        options.estimator, options.num_samples, options.seed, options.temperature,
    )  # fmt: skip
    scorer = Scorer(folder.LANGUAGE, draw)
    card = CardWriter("rl_train.py", options, folder, draw, accelerator)
    schedule = Schedule(options, accelerator, progress.elapsed)
    log = TrainingLog(run.tensorboard, progress.step, accelerator.is_main_process)

    def evaluate(step: int) -> float:
        """The chosen metric, an error's negative; the best model is kept."""
        predictions = predict(model, processor, examples.validation, options.batch_size, 1, accelerator)
        scores = scorer.score(predictions, references)
        log.record_scores(step, scores)
        log.say(f"step {step}: validation " + ", ".join(f"{name} {scores[name]:.4f}" for name in told(options)))
        merit = -scores[options.metric] if is_error(options.metric) else scores[options.metric]
        if merit > progress.best_score:
            progress.best_score, progress.best_step = merit, step
            run.save_model(model, processor, partial(card, step, scores, examples.validation, predictions))
        log.restart_clock()
        return merit

    if progress.start_score is None:
        progress.start_score = evaluate(0)
    loader = load_batches(
        batches, progress.step, options.steps, options.num_workers, accelerator.device.type == "cuda"
    )
    model.eval()
    for step, finished in train_steps(
        accelerator, model, optimizer, loader, schedule, log, find_gradient, progress.step, options.max_gradient_norm
    ):
        progress.step, progress.finished, progress.elapsed = step, finished, schedule.elapsed
        evaluates = finished or step % options.evaluate_every == 0
        if evaluates or step % options.save_every == 0:
            check_weights(model, step)
        fallen = evaluates and evaluate(step) < progress.start_score - options.guard_margin
        progress.finished = finished or fallen
        if progress.finished or step % options.save_every == 0 or progress.best_step == step:  # as train.py
            run.save_checkpoint(progress)
            log.restart_clock()
        if fallen:
            log.say(
                f"step {step}: {options.metric} is worse than at the start by more than {options.guard_margin}: "
                f"stopped; {run.path / 'model'} is the best, of step {progress.best_step}"
            )
            break
    log.close()
    accelerator.print(f"{run.path}: finished: {describe(options, progress)}")
    accelerator.end_training()
    return progress


def open_checkpoint(path: str) -> tuple[DerenderForConditionalGeneration, DerenderProcessor]:
    """The model and the processor to begin with; OptionError where they cannot be used."""
    try:
        model, processor = open_model(path)
    except ValueError as error:
        raise OptionError(f"option 'checkpoint': {' '.join(str(error).split())}") from error
    return model.float().eval(), processor


def open_folder(options: RLOptions, model: DerenderForConditionalGeneration):
    """The folder of the checkpoint's language; OptionError where there is none, or it is of another language."""
    folder = open_language(options.language or model.language.name)
    if model.language != folder.LANGUAGE:
        raise OptionError(
            f"option 'checkpoint': {options.checkpoint} is of the language {model.language.name} "
            f"{model.language.version}, and {Path(folder.__file__).parent} is {folder.LANGUAGE.name} "
            f"{folder.LANGUAGE.version}"
        )
    return folder


def build_suite(options: RLOptions, folder, draw, device: torch.device) -> RewardSuite:
    form = options.image_form or image_form(folder)
    size = options.reward_size or options.image_size
    return RewardSuite(options.rewards, folder.LANGUAGE, draw, size, form, options.image_options, device)


def find_drawing(options: RLOptions, draw) -> DrawnTruth | None:
    """What draws the truth for the image reward, where that compares pictures of another size than those seen."""
    if "image" not in options.rewards or options.reward_size is None:
        return None
    return DrawnTruth(options.reward_size, draw)


def told(options: RLOptions) -> list[str]:
    """The scores that a line of the log tells, the chosen one first."""
    return list(dict.fromkeys((options.metric, "iou", "iou_binned", "inference_error", "reconstruction_error")))


def describe(options: RLOptions, progress: Progress) -> str:
    return (
        f"{progress.step} steps in {progress.elapsed / 60:.1f} minutes, best validation {options.metric} "
        f"{abs(progress.best_score):.4f} at step {progress.best_step}, {abs(progress.start_score):.4f} at the start"
    )


def main(arguments: list[str]) -> None:
    run_training(__doc__, RLOptions, training_function, arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
