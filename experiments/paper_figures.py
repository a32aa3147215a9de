"""The figures of the paper's evaluation: learning curves, and the scores by size of the training data."""

from __future__ import annotations

from matplotlib.figure import Figure

from derender_training.figures import as_png
from experiments.paper_rows import NOISY, Table


CURVE = {NOISY: ("iou", "validation IOU")}
CURVE_ELSE = ("inference_error", "validation inference error")


def plot_curves(table: Table, records: dict[tuple[str, int], dict]) -> bytes:
    """A PNG of the runs' validation scores by step: from the start at the left, from a checkpoint at the right."""
    measure, label = CURVE.get(table.data_set, CURVE_ELSE)
    starts = {row.key: row.start for row in table.rows}
    labels = {row.key: f"{row.label}, {row.share}%" if row.share < 100 else row.label for row in table.rows}
    shown = {key: labels[key] for key, _ in records}
    columns = 1 if max(map(len, shown.values())) > 50 else 2
    figure = Figure(figsize=(11, 4 + 0.2 * len(shown) / columns), layout="constrained")
    sides = figure.subplots(1, 2, sharey=True)
    styles = {key: {"color": f"C{index % 10}", "ls": "-" if index < 10 else "--"} for index, key in enumerate(labels)}
    for (key, seed), record in records.items():
        curve, axes = record["curve"], sides[int(starts[key] is not None)]
        scores = [100 * value for value in curve[measure]]
        axes.plot(curve["step"], scores, marker=".", **styles[key], label=shown[key] if seed == 0 else None)
    for axes, title in zip(sides, ("from the start", "from the checkpoint"), strict=True):
        axes.set(title=title, xlabel="step", ylabel=f"{label}, percent")
        axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", fontsize=8, ncols=columns)
    return as_png(figure)


def plot_sizes(rows: list[dict]) -> bytes:
    """A PNG of the share of exact pictures by the percent of the training data, cross-entropy and reinforcement."""
    figure = Figure(figsize=(5, 3.6), layout="constrained")
    axes = figure.subplots()
    for label in ("cross-entropy", "IOU reward"):
        own = [row for row in rows if "scores" in row and (row["key"].startswith("iou")) == (label == "IOU reward")]
        own.sort(key=lambda row: row["share"])
        means = [100 * row["scores"]["iou_1.0"]["mean"] for row in own]
        axes.plot([row["share"] for row in own], means, "o-", label=label)
    axes.set(xlabel="percent of the training data", ylabel="IOU 1.0, percent", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    return as_png(figure)
