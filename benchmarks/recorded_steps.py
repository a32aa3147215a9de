"""Speed on a GPU of steps that are recorded, by cuda_graphs: benchmarks/recorded_steps.py RECIPE.yaml [--option value]

Recorded and as they are, both train the recipe's model on batches held in the GPU's memory. They take turns, so that a
machine whose speed drifts is fair to both. Prints the steps/s of each and their ratio.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from accelerate import Accelerator
from accelerate.utils import set_seed


sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.training_loop import ROUNDS, STEPS, hold_batches, time_turn  # noqa: E402
from derender_training.data import TrainingBatches  # noqa: E402
from derender_training.language_folder import open_language  # noqa: E402
from derender_training.options import OptionError, read_options  # noqa: E402
from derender_training.precision import choose_precision  # noqa: E402
from derender_training.recorded import check_recording  # noqa: E402
from derender_training.result_file import describe_hardware, find_commit  # noqa: E402
from derender_training.train_steps import build_optimizer  # noqa: E402
from derender_training.training_options import TrainingOptions  # noqa: E402
from modeling_derender.language import Language  # noqa: E402
from train import build_model, cross_entropy, find_targets  # noqa: E402


UNTIMED = 8


def main(arguments: list[str]) -> None:
    options = read_options(TrainingOptions, arguments)
    set_seed(options.seed)
    accelerator = Accelerator(mixed_precision=choose_precision(options.mixed_precision))
    check_recording(accelerator)
    folder = open_language(options.language)
    _, processor = build_model(options, folder.LANGUAGE)
    _, held = hold_batches(options, folder, processor, accelerator.device)
    both = [replace(options, cuda_graphs=recorded) for recorded in (False, True)]
    steps = [make_step(kind, folder.LANGUAGE, accelerator, held) for kind in both]
    turns = [[time_turn(take_step, UNTIMED) for take_step in steps] for _ in range(ROUNDS)]
    as_it_is, recorded = (sum(seconds) for seconds in zip(*turns, strict=True))
    print(f"{describe_hardware(accelerator.device)}; commit {find_commit()}; {' '.join(arguments)}")
    print(f"as it is  {ROUNDS * STEPS / as_it_is:8.1f} steps/s")
    print(f"recorded  {ROUNDS * STEPS / recorded:8.1f} steps/s")
    print(f"ratio     {as_it_is / recorded:8.2f}")


def make_step(
    options: TrainingOptions, language: Language, accelerator: Accelerator, held: list[dict]
) -> Callable[[], None]:
    model, _ = build_model(options, language)
    model, optimizer = accelerator.prepare(model, build_optimizer(options, model))
    targets = find_targets(options, language, accelerator)
    find_gradient = cross_entropy(accelerator, model, options, TrainingBatches.normalize, targets)
    cycle = itertools.cycle(held)

    def take_step() -> None:
        find_gradient(next(cycle), 0)
        optimizer.step()
        optimizer.zero_grad()

    return take_step


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OptionError as error:
        sys.exit(f"error: {error}")
