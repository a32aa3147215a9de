"""What a sample and its baseline earn, as the paper's Fig. 3: python -m experiments.rl_picture --model DIR --data DATA

Of the first pictures whose sample is another specification than the greedy one, the baseline: the picture, and both
specifications drawn again, with their rewards. Objects that are not in the truth are marked and come first. DATA is as
of eval.py.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
import torch

from datasets_scripts.evaluation_data import EvaluationData, take
from datasets_scripts.scene_options import parse_with_scene_options
from datasets_scripts.scenes import RenderError, data_options
from derender.cli import not_negative, positive
from derender_training.calibration import mark_correct
from derender_training.drawing import draw_readings
from derender_training.evaluation import prepare_pictures
from derender_training.figures import as_png
from derender_training.language_folder import image_form
from derender_training.model_folder import open_model
from derender_training.result_file import find_commit, write_bytes
from derender_training.reward_suite import RewardSuite
from derender_training.rl_options import REWARDS
from derender_training.seen_pictures import SeenPictures
from derender_training.self_critical import draw_uniform
from eval import check_target
from modeling_derender.grammar_tables import GrammarTables
from modeling_derender.rewards import objects_to_tokens
from modeling_derender.rollout import Rollout, roll_out
from modeling_derender.serialization import to_text
from modeling_derender.specification import ids_to_objects


AT_ONCE = 32  # pictures that are decoded together
LINES = 6  # objects that are listed under a picture
TITLES = ("input", "baseline (greedy)", "sample")
WIDTH, LINE = 2.6, 0.14  # of a panel and of a line under it, in inches


@dataclass(frozen=True)
class Panel:
    """A picture, uint8 (H, W[, C]), the rewards of its specification and its objects, each with whether it is true."""

    picture: np.ndarray
    rewards: dict[str, float]
    objects: list[tuple[str, bool]]


class Decoder:
    """Decodes a greedy specification and a sample for each example, and rewards both as `rl_train.py` does."""

    def __init__(self, model, processor, folder, data_dir: str | None, seed: int):
        self.model, self.processor, self.language, self.seed = model.eval(), processor, folder.LANGUAGE, seed
        self.draw = partial(folder.render_batch, **data_options(folder, data_dir))
        size = tuple(model.config.image_size)
        self.see = SeenPictures(processor.image_processor)
        self.suite = RewardSuite(REWARDS, self.language, self.draw, size, image_form(folder))
        self.tables = GrammarTables(self.language)

    def find_rows(self, examples: Sequence, count: int) -> list[list[Panel]]:
        """The first `count` examples whose sample differs: the input's panel, the baseline's and the sample's."""
        starts = range(0, len(examples), AT_ONCE)
        batches = (take(examples, range(start, min(start + AT_ONCE, len(examples)))) for start in starts)
        return list(islice((row for number, batch in enumerate(batches) for row in self(batch, number)), count))

    @torch.no_grad()
    def __call__(self, batch: Sequence[dict], number: int) -> Iterator[list[Panel]]:
        truth = [example["objects"] for example in batch]
        features = self.model.encoder(prepare_pictures(self.processor, batch, self.model)).last_hidden_state
        num_tokens = self.model.generation_config.max_length - 1
        uniform = draw_uniform(self.seed, number, len(batch), 1, num_tokens)
        rollout = roll_out(self.model, features, self.tables, uniform)
        panels = self._reward(rollout, batch, truth)
        for index, example in enumerate(batch):
            pair = slice(2 * index, 2 * index + 2)
            baseline, sample = rollout.sequences[pair]
            if not baseline.equal(sample):
                yield [Panel(np.asarray(example["image"]), {}, self._mark(truth[index], truth[index])), *panels[pair]]

    def _reward(self, rollout: Rollout, batch: Sequence[dict], truth: list) -> list[Panel]:
        rewards = self.suite(rollout, objects_to_tokens(self.language, truth), self.see(batch)).rewards
        decoded = [ids_to_objects(self.language, row) for row in rollout.sequences.tolist()]
        pictures, _ = draw_readings(self.draw, decoded, self.language.canvas.pixels)
        earned = [{name: float(rewards[name][row]) for name in REWARDS} for row in range(len(decoded))]
        marked = [self._mark(objects, truth[row // 2]) for row, objects in enumerate(decoded)]
        return [Panel(*parts) for parts in zip(pictures, earned, marked, strict=True)]

    def _mark(self, objects: list[dict], reference: list[dict]) -> list[tuple[str, bool]]:
        marks = mark_correct(objects, reference)
        return [(to_text(self.language, [item]), mark) for item, mark in zip(objects, marks, strict=True)]


def lay_out(rows: Sequence[Sequence[Panel]]) -> bytes:
    """A PNG with a row for each of `rows`, a column for each of TITLES."""
    from matplotlib.figure import Figure  # slow to import

    height, width = rows[0][1].picture.shape[:2]
    lines = min(LINES, max(len(panel.objects) for row in rows for panel in row))
    size = (WIDTH * len(TITLES), (WIDTH * height / width + LINE * (lines + 3)) * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    for places, row in zip(figure.subplots(len(rows), len(TITLES), squeeze=False), rows, strict=True):
        for axes, title, panel in zip(places, TITLES, row, strict=True):
            axes.imshow(panel.picture, cmap="gray", vmin=0, vmax=255, extent=(0, width, height, 0))
            told = "\n" + ", ".join(f"{name} {value:.2f}" for name, value in panel.rewards.items())
            axes.set_title(title + told, fontsize=8)
            axes.set_xlabel(list_objects(panel.objects), loc="left", fontsize=7)
            axes.set(xticks=[], yticks=[])
    return as_png(figure)


def list_objects(objects: Sequence[tuple[str, bool]]) -> str:
    """At most LINES lines, those that are not true first and marked."""
    lines = [text if true else f"\N{BALLOT X} {text}" for text, true in sorted(objects, key=lambda item: item[1])]
    if len(lines) > LINES:
        lines[LINES - 1 :] = [f"and {len(lines) - LINES + 1} more"]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a folder written by save_pretrained")
    parser.add_argument("--data", required=True, help="an imagefolder, a built data set, or a language's folder")
    parser.add_argument("--split", help="of a built data set, or of given or fresh scenes; test by default")
    parser.add_argument("--size", type=positive, help="how many fresh scenes")
    parser.add_argument("--language", help="the language's folder, where it is not known by the language's name")
    parser.add_argument("--data_dir", help="the folder of the language's own files, where it needs such")
    parser.add_argument("--seed", type=not_negative, default=0, help="of scenes and samples")
    parser.add_argument("--count", type=positive, default=4, help="how many pictures")
    parser.add_argument("--out", required=True, help="the PNG to write")
    options = parse_with_scene_options(parser, arguments)
    try:
        check_target("--out", options.out)
        model, processor = open_model(options.model)
        data = EvaluationData(
            options.data, options.split, options.size, seed=options.seed, scene=options.scene,
            data_dir=options.data_dir, language_folder=options.language,
        )  # fmt: skip
        folder = data.find_language_folder(model.language.name)
        rows = Decoder(model, processor, folder, options.data_dir, options.seed).find_rows(
            data.open(model.language), options.count
        )
        if not rows:
            raise ValueError(f"{options.data}: the sample is the greedy specification in every picture")
        write_bytes(options.out, lay_out(rows))
    except (OSError, ValueError, RenderError) as error:
        sys.exit(f"error: {error}")
    print(f"written to {options.out}; commit {find_commit()}")


if __name__ == "__main__":
    main()
