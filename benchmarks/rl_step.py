"""Cost of a reinforcement-learning step beside a cross-entropy step: python benchmarks/rl_step.py [--model DIR] ...

Both on the same pictures, batch 32, with the demo's model (`make demo` trains it) or another --model; one sample and
the greedy row, all rewards. They take turns, so that a machine whose speed drifts is fair to both; ratios are of
medians. Then greedy decoding of 80 tokens with a cache and without. Exits with 1 where an RL step costs more than 3
cross-entropy steps, rendering and rewards take more than --share of it, or the cache makes decoding less than 5 times
faster.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator


sys.path.insert(0, str(Path(__file__).parent.parent))

from datasets_scripts.scene_options import parse_with_scene_options  # noqa: E402
from datasets_scripts.scenes import FreshScenes, data_options  # noqa: E402
from derender.cli import positive  # noqa: E402
from derender_training.joint_reward import WeightedReward  # noqa: E402
from derender_training.language_folder import image_form, open_language  # noqa: E402
from derender_training.result_file import describe_hardware, find_commit  # noqa: E402
from derender_training.reward_suite import RewardSuite  # noqa: E402
from derender_training.rl_data import DrawnTruth, RLBatches  # noqa: E402
from derender_training.rl_options import REWARDS  # noqa: E402
from derender_training.rl_step import RLStep  # noqa: E402
from modeling_derender.grammar_tables import GrammarTables  # noqa: E402
from rl_train import open_checkpoint  # noqa: E402


STEP_BOUND, CACHE_BOUND = 3.0, 5.0
CACHE_TOKENS = 80


def time_call(call, *arguments) -> tuple[float, object]:
    begin = time.perf_counter()
    result = call(*arguments)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - begin, result


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="runs/demo/model")
    parser.add_argument("--data_dir", help="the folder of the language's own files, where it needs such")
    parser.add_argument("--batch_size", type=positive, default=32)
    parser.add_argument("--rounds", type=positive, default=10)
    parser.add_argument("--reward_size", type=positive, nargs=2, metavar=("H", "W"), help="at which pictures compare")
    parser.add_argument("--share", type=float, default=0.15, help="bound of rendering and rewards in an RL step")
    return parse_with_scene_options(parser, None)


def main() -> int:
    options = parse_options()
    accelerator = Accelerator(cpu=not torch.accelerator.is_available())
    model, processor = open_checkpoint(options.model)
    folder = open_language(model.language.name)
    data = data_options(folder, options.data_dir)
    draw = partial(folder.render_batch, **data)
    size = tuple(options.reward_size or model.config.image_size)
    scenes = FreshScenes(folder, model.config.image_size, **data, **options.scene)
    targets = DrawnTruth(size, draw) if options.reward_size else None
    batches = RLBatches(scenes, processor, options.batch_size, language=folder.LANGUAGE, draw_targets=targets)
    model = model.to(accelerator.device, memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), 1e-6, fused=True)
    suite = RewardSuite(REWARDS, folder.LANGUAGE, draw, size, image_form(folder), device=accelerator.device)
    join = WeightedReward(REWARDS, (1.0,) * len(REWARDS))
    tables = GrammarTables(folder.LANGUAGE, accelerator.device)
    take_rl_step = RLStep(accelerator, model, batches.normalize, tables, suite, join, "scst", 1, 0)

    def learn() -> None:
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    def cross_entropy(batch, labels) -> None:
        model.train()
        model(pixel_values=batches.normalize(batch["pixel_values"]), labels=labels).loss.backward()
        learn()

    def reinforce(batch, step) -> dict:
        model.eval()
        _, scalars = take_rl_step(batch, step)
        learn()
        return scalars

    rows = []
    for step in range(options.rounds + 2):
        positions = list(batches.positions(step))
        batch = {name: tensor.to(accelerator.device) for name, tensor in batches[step].items()}
        objects = [example["objects"] for example in scenes.__getitems__(positions)]
        labels = processor(objects=objects)["labels"].to(accelerator.device)
        first, _ = time_call(cross_entropy, batch, labels)
        second, scalars = time_call(reinforce, batch, step)
        parts = {name.removeprefix("seconds/"): value for name, value in scalars.items() if "seconds/" in name}
        if step >= 2:  # those before warm up
            rows.append({"cross-entropy": first, "RL": second, **parts, "length": float(scalars["length"])})
    medians = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
    ratio = medians["RL"] / medians["cross-entropy"]
    share = statistics.median((row["render"] + row["reward"]) / row["RL"] for row in rows)
    print(f"{options.model}, batch {options.batch_size}, pictures compared at {size}, {options.rounds} rounds")
    print(f"{describe_hardware(accelerator.device)}; commit {find_commit()}")
    for name, value in medians.items():
        print(f"{name:<16}{value:8.3f} {'tokens a sample' if name == 'length' else 'seconds'}")
    print(f"RL step / cross-entropy step   {ratio:6.2f}  (bound {STEP_BOUND})")
    print(f"rendering and rewards          {share:6.1%}  (bound {options.share:.0%})")
    print(f"pictures/s of RL               {options.batch_size / medians['RL']:6.1f}")
    gain = measure_cache(model, batches.normalize(batch["pixel_values"]), max(3, options.rounds // 3))
    print(f"decoding without / with cache  {gain:6.2f}  (bound {CACHE_BOUND}, {CACHE_TOKENS} tokens)")
    return int(ratio > STEP_BOUND or share > options.share or gain < CACHE_BOUND)


def measure_cache(model, pixel_values, rounds: int) -> float:
    """How many times longer greedy decoding takes without a cache: the decoder alone, all rows to the same length."""
    model.eval()
    with torch.no_grad():
        encoded = model.encoder(pixel_values)
    common = {"use_grammar": False, "eos_token_id": model.config.vocab_size, "max_length": CACHE_TOKENS}
    seconds = {True: [], False: []}
    for _ in range(rounds + 1):
        for use_cache, times in seconds.items():
            times.append(time_call(partial(model.generate, encoder_outputs=encoded, use_cache=use_cache, **common))[0])
    return statistics.median(seconds[False][1:]) / statistics.median(seconds[True][1:])


if __name__ == "__main__":
    sys.exit(main())
