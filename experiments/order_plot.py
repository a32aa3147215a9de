"""The order study as a picture: the scores of both decoders by order, with their intervals and seeds."""

from __future__ import annotations

from matplotlib.figure import Figure

from derender_training.figures import as_png
from experiments.order_table import MEASURES, NAMES


COLOURS = {"lstm": "#c1440e", "transformer": "#1f5fa8"}
SHOWN = ("iou", "iou_1.0")


def plot_orders(rows: list[dict]) -> bytes:
    """A PNG of the `rows` of order_study.py: a panel a measure, orders across, a colour a decoder."""
    orders = list(dict.fromkeys(row["order"] for row in rows))
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    for axes, measure in zip(figure.subplots(1, len(SHOWN)), SHOWN, strict=True):
        for side, decoder in enumerate(NAMES):
            own = [
                row[measure] for order in orders for row in rows if (row["decoder"], row["order"]) == (decoder, order)
            ]
            places = [index + 0.2 * side - 0.1 for index in range(len(orders))]
            means = [100 * item["mean"] for item in own]
            below, above = ([100 * abs(item["interval"][end] - item["mean"]) for item in own] for end in (0, 1))
            axes.errorbar(
                places, means, yerr=[below, above], fmt="o", capsize=4, color=COLOURS[decoder], label=NAMES[decoder]
            )
            for place, item in zip(places, own, strict=True):
                axes.plot([place + 0.07] * len(item["seeds"]), [100 * value for value in item["seeds"]], "_",
                          color=COLOURS[decoder], markersize=7)  # fmt: skip
        axes.set(
            title=MEASURES[measure], ylabel="percent", xticks=range(len(orders)), xticklabels=orders, ylim=(0, None)
        )
        axes.grid(axis="y", alpha=0.3)
    figure.axes[0].legend(loc="lower left")
    figure.suptitle("Order of the objects, CPU scale: means, 95% intervals over test pictures; dashes: single seeds",
                    fontsize=9)  # fmt: skip
    return as_png(figure, dpi=150)
