"""Speed of train.py's loop against a bare one: benchmarks/training_loop.py [RECIPE.yaml] [--option value ...]

Both train the same model by the same optimizer in one process. The loop is train.py's own, with fresh scenes from the
recipe's workers, progress bar and TensorBoard; the bare one does forward, backward and step on batches held in memory.
They take turns, so that a machine whose speed drifts is fair to both. Prints the images/s of each and their ratio.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed


sys.path.insert(0, str(Path(__file__).parent.parent))

from derender_training.data import PREFETCHED, TrainingBatches, load_batches, load_examples  # noqa: E402
from derender_training.image_noise import find_image_noise  # noqa: E402
from derender_training.language_folder import open_language  # noqa: E402
from derender_training.options import OptionError, read_options  # noqa: E402
from derender_training.precision import choose_precision  # noqa: E402
from derender_training.recorded import check_recording  # noqa: E402
from derender_training.schedule import Schedule  # noqa: E402
from derender_training.train_steps import build_optimizer, train_steps  # noqa: E402
from derender_training.training_log import TrainingLog  # noqa: E402
from derender_training.training_options import TrainingOptions  # noqa: E402
from modeling_derender.processing_derender import DerenderProcessor  # noqa: E402
from train import build_model, cross_entropy  # noqa: E402


ROUNDS, STEPS = 8, 24
HELD = 32


def count_untimed(num_workers: int) -> int:
    """Steps before the clock runs: what workers prepared ahead in the other's turn is not to be had for free."""
    return max(8, PREFETCHED * num_workers)


def time_turn(take_step: Callable[[], None], untimed: int) -> float:
    """Seconds that STEPS steps take, after `untimed` others."""
    for _ in range(untimed):
        take_step()
    synchronize()
    begin = time.perf_counter()
    for _ in range(STEPS):
        take_step()
    synchronize()
    return time.perf_counter() - begin


def synchronize() -> None:
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()


def main(arguments: list[str]) -> None:
    recipe = [] if arguments and arguments[0].endswith(".yaml") else ["configs/demo.yaml"]
    options = read_options(TrainingOptions, [*recipe, *arguments])
    untimed = count_untimed(options.num_workers)
    # The recipe's own might end the loop before its turns are over.
    options = replace(options, max_minutes=None, steps=ROUNDS * (untimed + STEPS))
    if options.num_threads:
        torch.set_num_threads(options.num_threads)
    set_seed(options.seed)
    accelerator = Accelerator(
        cpu=not torch.accelerator.is_available(), mixed_precision=choose_precision(options.mixed_precision)
    )
    if options.cuda_graphs:
        check_recording(accelerator)
    folder = open_language(options.language)
    model, processor = build_model(options, folder.LANGUAGE)
    model, optimizer = accelerator.prepare(model, build_optimizer(options, model))
    batches, held = hold_batches(options, folder, processor, accelerator.device)

    with tempfile.TemporaryDirectory() as tensorboard:
        log = TrainingLog(Path(tensorboard), 0)
        loader = load_batches(batches, 0, options.steps, options.num_workers, accelerator.device.type == "cuda")
        loop = train_steps(
            accelerator, model, optimizer, loader, Schedule(options, accelerator), log,
            cross_entropy(accelerator, model, options, batches.normalize), 0,
            options.max_gradient_norm,
        )  # fmt: skip
        bare = bare_steps(model, optimizer, held)
        turns = [
            (time_turn(lambda: next(loop), untimed), time_turn(lambda: next(bare), untimed)) for _ in range(ROUNDS)
        ]
        log.close()

    images = STEPS * options.batch_size
    ratios = sorted(bare / real for real, bare in turns)
    for name, seconds in zip(("train.py", "bare loop"), zip(*turns, strict=True), strict=True):
        print(f"{name:9}  {images * ROUNDS / sum(seconds):8.1f} images/s")
    total = sum(bare for _, bare in turns) / sum(real for real, _ in turns)
    print(f"ratio      {total:8.3f} (of single turns: {ratios[0]:.3f} to {ratios[-1]:.3f}, ", end="")
    print(f"median {statistics.median(ratios):.3f}; {torch.get_num_threads()} threads, {options.num_workers} workers)")


def hold_batches(
    options: TrainingOptions, folder: ModuleType, processor: DerenderProcessor, device: torch.device
) -> tuple[TrainingBatches, list[dict]]:
    """The batches of the options, and HELD of them in the device's memory."""
    examples = load_examples(options, folder)
    batches = TrainingBatches(
        examples.train, processor, options.batch_size, options.seed, examples.size, options.order, options.max_length,
        add_noise=find_image_noise(options, folder),
    )  # fmt: skip
    return batches, [{name: tensor.to(device) for name, tensor in batches[step].items()} for step in range(HELD)]


def bare_steps(model: torch.nn.Module, optimizer: torch.optim.Optimizer, held: list[dict]) -> Iterator[None]:
    """Forward, backward, step, and nothing else."""
    for batch in itertools.cycle(held):
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        yield


if __name__ == "__main__":
    if {"-h", "--help"} & set(sys.argv):
        sys.exit(print(__doc__))
    try:
        main(sys.argv[1:])
    except OptionError as error:
        sys.exit(f"error: {error}")
