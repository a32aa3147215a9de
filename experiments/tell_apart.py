"""Can what was read wrong be told from the truth at all? python -m experiments.tell_apart EVALUATION.json --out MD

For each picture that a model read wrong, what is true and what was read are both drawn many times, with all the noise
of the evaluation's renderer, and a small network learns to tell these two apart and nothing else. How often it is
right about other drawings of them is a lower bound of what such pictures tell: half the time nothing, always all. It
also says which of the two it takes the picture itself for. The model has all specifications to choose from, and may
know which are more frequent. Writes a table, and every picture's numbers in JSON beside it; the same command again
goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from datasets_scripts.evaluation_data import EvaluationData, take
from datasets_scripts.scenes import RenderError, Scenes, data_options, find_renderer
from derender.cli import positive
from derender_training.result_file import describe_origin, read_evaluation
from experiments.error_parts import find_parts
from experiments.kept_measures import KeptMeasures
from experiments.table_file import table_file
from modeling_derender.language import Language


MARGIN = 20  # pixels about what differs: more than noise moves strokes
EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY = 40, 64, 1e-3, 1e-2
CLASSES = (("99% and more", 0.99, 1.01), ("95 to 99%", 0.95, 0.99), ("90 to 95%", 0.9, 0.95), ("below 90%", 0.0, 0.9))


def tell_apart(
    draw: Callable, true: list[dict], read: list[dict], picture: np.ndarray, learned: int, tested: int
) -> tuple[float, bool]:
    """How often drawings of `true` and of `read` are told apart, and whether `picture` is taken for the former.

    `draw(scenes, rngs=None)` gives grey pictures, uint8 (B, H, W), with noise where it has generators; `picture` is
    such a one. Raises ValueError where they have no noise.
    """
    drawn = [draw_often(draw, scene, key, learned + tested) for key, scene in enumerate((true, read))]
    window = find_window(*draw([true, read]))
    both = [_as_input(pictures, window) for pictures in drawn]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = learn(*(side[:learned] for side in both))
    with torch.inference_mode():
        right = [(network(side[learned:]) > 0) == is_true for side, is_true in zip(both, (True, False), strict=True)]
        taken_for_true = bool(network(_as_input(picture[None], window)) > 0)
    return float(torch.cat(right).double().mean()), taken_for_true


def draw_often(draw: Callable, scene: list[dict], key: int, count: int) -> np.ndarray:
    """`count` pictures of a scene; ValueError where they have no noise."""
    pictures = draw([scene] * count, rngs=[np.random.default_rng([key, number]) for number in range(count)])
    if scene and (pictures == pictures[0]).all():
        raise ValueError("pictures are drawn without noise: whatever looks different can be told apart")
    return pictures


def find_window(first: np.ndarray, second: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns where two pictures (H, W) differ, and MARGIN about; all of them where they do not."""
    differs = first != second
    if not differs.any():
        return slice(None), slice(None)
    ends = [np.flatnonzero(differs.any(axis=axis))[[0, -1]] for axis in (1, 0)]
    return tuple(slice(max(low - MARGIN, 0), high + MARGIN + 1) for low, high in ends)


def _as_input(pictures: np.ndarray, window: tuple[slice, slice]) -> Tensor:
    """Ink (B, 1, H, W)."""
    return torch.from_numpy((255 - pictures[:, None, *window]).astype(np.float32) / 64)


def learn(true: Tensor, read: Tensor) -> Callable[[Tensor], Tensor]:
    """What gives (B, 1, H, W) numbers (B,), above 0 for the like of `true` and below for that of `read`."""
    network = nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
        nn.AdaptiveMaxPool2d(4), nn.Flatten(), nn.Linear(512, 1), nn.Flatten(0),
    )  # fmt: skip
    pictures, labels = torch.cat([true, read]), torch.cat([torch.ones(len(true)), torch.zeros(len(read))])
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(pictures)).split(BATCH):
            loss = binary_cross_entropy_with_logits(network(pictures[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network


def find_difference(language: Language, item: dict) -> str:
    """What is wrong in a prediction of an evaluation: "missing", "too many", a property, or all of these."""
    parts = find_parts(language, [item])
    names = sorted(name for name, share in parts.items() if name != "distances" and share)
    return ", ".join(names) or "within a bin"


def tell_all(result: dict, limit: int | None, learned: int, tested: int, kept: KeptMeasures) -> list[dict]:
    """What is wrong in each picture read wrong in an evaluation, and what `tell_apart` says of it."""
    data = EvaluationData(result["data"], **result["data_options"])
    folder = data.find_language_folder(result["language"])
    examples, draw = data.open(folder.LANGUAGE), find_drawing(folder, data)
    if not isinstance(examples, Scenes) or folder.LANGUAGE.canvas.channels != 1:
        raise ValueError(f"{data.data}: only grey pictures drawn here, as of a language's folder, can be drawn again")
    wrong = [number for number, item in enumerate(result["predictions"]) if item["iou"] < 1][:limit]

    def tell(number: int) -> dict:
        item, (example,) = result["predictions"][number], take(examples, [number])
        picture = np.asarray(example["image"])
        share, taken_for_true = tell_apart(draw, item["reference"], item["objects"], picture, learned, tested)
        what = {"file_name": item["file_name"], "wrong": find_difference(folder.LANGUAGE, item)}
        return what | {"told_apart": share, "taken_for_true": taken_for_true}

    return kept.measure("tell apart", wrong, tell)


def find_drawing(folder: ModuleType, data: EvaluationData) -> Callable:
    """Draws as the evaluation's pictures were, `(scenes, rngs=None)`, or without noise where it has no generators."""
    options = {"size": tuple(folder.LANGUAGE.canvas.pixels), **data_options(folder, data.data_dir)}
    noisy, plain = (partial(find_renderer(folder, name), **options) for name in (data.render, None))
    return lambda scenes, rngs=None: plain(scenes) if rngs is None else noisy(scenes, rngs=rngs)


def as_markdown(result: dict) -> str:
    """`result` is what is written as JSON."""
    told, number = result["pictures"], len(result["pictures"])
    rows = {name: [item for item in told if low <= item["told_apart"] < high] for name, low, high in CLASSES}
    lines = [
        "# Can what was read wrong be told from the truth?",
        "",
        f"Of {result['read']:,} pictures {result['wrong']} were read wrong ({result['evaluation']}). For {number} of "
        f"them true and read specification were each drawn {result['learned']} times with all noise, and a small "
        f"network learned to tell the two apart; on {result['tested']} other drawings of each it was right so often:",
        "",
        "| told apart | pictures | share | taken for the truth | most often wrong |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for name, items in rows.items():
        often = ", ".join(f"{what} ({count})" for what, count in Counter(i["wrong"] for i in items).most_common(3))
        right = sum(item["taken_for_true"] for item in items)
        lines.append(f"| {name} | {len(items)} | {100 * len(items) / max(number, 1):.0f}% | {right} | {often} |")
    lines += ["", f"`{result['command']}`, {result['hardware']}; commit {result['commit']}.", ""]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evaluation", metavar="EVALUATION", help="a file that eval.py --json wrote")
    parser.add_argument("--limit", type=positive, help="the first so many pictures read wrong only")
    parser.add_argument("--learned", type=positive, default=500, help="drawings of each to learn from")
    parser.add_argument("--tested", type=positive, default=200, help="other drawings of each")
    parser.add_argument("--out", required=True, type=table_file, metavar="FILE.md")
    options = parser.parse_args(arguments)
    try:
        evaluation = read_evaluation(options.evaluation)
        how = {
            **describe_origin(torch.device("cpu")),
            "evaluation": f"`{evaluation['command']}`, commit {evaluation['commit']}",
            "read": len(evaluation["predictions"]),
            "wrong": sum(item["iou"] < 1 for item in evaluation["predictions"]),
            "learned": options.learned,
            "tested": options.tested,
        }
        kept = KeptMeasures(options.out, how)
        told = tell_all(evaluation, options.limit, options.learned, options.tested, kept)
        result = how | {"pictures": told}
        kept.finish(result, as_markdown(result))
    except (OSError, ValueError, RenderError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
