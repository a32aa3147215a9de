"""Accuracy against budget: what render and compare brings to a model's readings, after how many drawings."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from tqdm.auto import tqdm

from datasets_scripts.evaluation_data import take
from derender.conform import fit_canvas
from derender.reader import Reader, ReadOptions
from derender_training.figures import as_png
from derender_training.scores import Scorer, is_error


BUDGETS = (0, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
GREEDY = "greedy"
SHOWN = ("iou", "iou_1.0", "iou_binned", "inference_error", "reconstruction_error")


def search_examples(reader: Reader, examples: Sequence, greedy: Sequence[list[dict]], options: ReadOptions) -> dict:
    """The objects of each picture by budget: {budget: [objects, ...]}, from the likeliest readings `greedy`.

    A budget counts drawings in the search; the candidates, which it starts from the best of, come on top of it.
    Budget 0 is the best candidate. A budget's objects are the best that the one search had found by then: a search
    of that budget alone can find better ones in the few drawings that the long one was then in the middle of.
    """
    budgets = [budget for budget in BUDGETS if budget < options.refine] + [options.refine]
    found = {budget: [] for budget in budgets}
    for number, objects in enumerate(tqdm(greedy, desc="search", unit=" pictures")):
        (example,) = take(examples, [number])
        (seen,) = reader.see([fit_canvas(example["image"], reader.language.canvas)])
        best, search = reader.better(seen, reader.describe(seen, objects), options)
        for budget in budgets:
            found[budget].append(best.objects if search is None else search.objects_at(budget))
    return found


def score_budgets(scorer: Scorer, found: dict[int, list], references: Sequence[list[dict]]) -> list[dict]:
    """The scores of each budget, {"budget": ..., "iou": ..., ...}."""
    return [{"budget": budget} | scorer.score(predictions, references) for budget, predictions in found.items()]


def as_rows(greedy: dict, search: dict) -> str:
    """A table in Markdown: the greedy readings' scores, then those of the search by budget."""
    names = [name for name in SHOWN if greedy[name] is not None]
    lines = ["", f"| | {' | '.join(names)} |", f"| --- |{' ---: |' * len(names)}", _row(GREEDY, greedy, names)]
    start = f"best of {search['candidates']} candidates" if search["candidates"] > 1 else "searched"
    lines += [_row(f"{start}, {item['budget']:,} drawings", item, names) for item in search["scores"]]
    return "\n".join(lines)


def _row(label: str, scores: dict, names: Sequence[str]) -> str:
    return f"| {label} | {' | '.join(f'{100 * scores[name]:.2f}' for name in names)} |"


def plot_curve(greedy: dict, search: dict, title: str) -> bytes:
    """A PNG: scores and errors against the budget, the greedy ones as dotted lines."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    sides = figure.subplots(1, 2)
    budgets = [item["budget"] for item in search["scores"]]
    for index, name in enumerate(name for name in SHOWN if greedy[name] is not None):
        axes, colour = sides[int(is_error(name))], f"C{index}"
        axes.plot(budgets, [100 * item[name] for item in search["scores"]], "o-", color=colour, label=name, ms=3)
        axes.plot([budgets[0], budgets[-1]], [100 * greedy[name]] * 2, ":", color=colour)
    for axes, what in zip(sides, ("score, percent", "error, percent"), strict=True):
        axes.set_xscale("symlog", linthresh=10)
        axes.set_xlabel("drawings")
        axes.set_ylabel(what)
        axes.set_ylim(bottom=0, top=axes.get_ylim()[1] * 1.05)
        axes.legend(fontsize=8, loc="best")
    figure.suptitle(f"{title} (dotted: greedy)", fontsize=10)
    return as_png(figure)
