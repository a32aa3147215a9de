"""The rows of the paper's tables: what each trains, from which other row it begins, and the paper's figures."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


NOISY, SCENES = "noisy_shapes", "abstract_scenes"
SEEDS = 3  # of the headline rows
SIZES = (10, 30, 50, 70, 90)  # percent of the training data, beside the whole of it


@dataclass(frozen=True)
class Row:
    """A row of a table, or several: `key` names its runs, `paper` has the paper's figures in percent.

    - `recipe`: in configs/, with `options` that differ from it. Without one the row only quotes.
    - `start`: the key of the row whose model it begins with: it is trained by reinforcement, or, where the recipe is
      one for cross-entropy, goes on for as long as reinforcement does.
    - `headline`: a row with several seeds.
    - `share`: percent of the training data.
    - `changes`: what of ours it adds to the recipe, by the names in paper_scales.py.
    - `over`: the keys of rows of its own that it is compared with.
    """

    key: str
    label: str
    recipe: str | None = None
    options: tuple[str, ...] = ()
    start: str | None = None
    paper: dict[str, float] = field(default_factory=dict)
    headline: bool = False
    share: int = 100
    note: str | None = None
    changes: tuple[str, ...] = ()
    over: tuple[str, ...] = ()

    @property
    def reinforces(self) -> bool:
        return self.recipe is not None and self.recipe.endswith("_rl")

    @property
    def is_compared(self) -> bool:
        """Whether it is to be better than the bases of its table."""
        return self.reinforces or bool(self.changes)


@dataclass(frozen=True)
class Table:
    """A table of the paper: the measures of its columns by their headings, and the data set of its rows.

    `bases` are the rows that reinforcement, or what is ours, is compared with. `setting` names how large it is run in
    paper_scales.py, where that is not as for its data set.
    """

    title: str
    data_set: str
    measures: dict[str, str]
    rows: tuple[Row, ...]
    bases: tuple[str, ...] = ()
    setting: str | None = None

    @property
    def setting_name(self) -> str:
        return self.setting or self.data_set

    def row(self, key: str) -> Row:
        return next(row for row in self.rows if row.key == key)


def _paper(measures: dict[str, str], *values: float | None) -> dict[str, float]:
    return {name: value for name, value in zip(measures, values, strict=True) if value is not None}


def _reward(rewards: str) -> tuple[str, ...]:
    """The options for these rewards, whose recipe has two in turn."""
    return ("--rewards", f"[{rewards}]", *(() if "," in rewards else ("--ratio", "null")))


def _reinforce(data_set: str, key: str, label: str, rewards: str, paper: dict, headline: bool = False) -> Row:
    return Row(key, label, f"{data_set}_paper_rl", _reward(rewards), "transformer", paper, headline)


ONE = {
    "precision": "precision", "recall": "recall", "f1": "F1", "iou": "IOU", "iou_1.0": "IOU 1.0", "iou_0.8": "IOU 0.8",
    "iou_0.6": "IOU 0.6",
}  # fmt: skip
TWO = {
    "inference_error": "inference error", "reconstruction_error": "reconstruction error",
    "average_error": "average error", "iou_binned": "IOU (20 bins)", "iou": "IOU (exact)",
}  # fmt: skip
THREE = {"f1": "F1", "iou": "IOU", "iou_1.0": "IOU 1.0"}
LSTM, TRANSFORMER = "LSTM with attention", "Transformer"
LONGER = "Transformer, cross-entropy for as much longer"
MEAN_OF_PARTS = "the paper's average, 43.84, is not the mean of its parts, 43.35"

TABLE_ONE = Table(
    "Table 1: Noisy Shapes",
    NOISY,
    ONE,
    (
        Row("lstm", LSTM, "noisy_shapes_paper_lstm", paper=_paper(ONE, 98.7, 98.5, 98.6, 97.6, 90.7, 95.3, 98.8)),
        Row(
            "transformer", TRANSFORMER, "noisy_shapes_paper", headline=True,
            paper=_paper(ONE, 99.1, 99.1, 99.1, 98.5, 94.1, 97.3, 99.1), over=("lstm",),
        ),
        Row("longer", LONGER, "noisy_shapes_paper", start="transformer", headline=True),
        _reinforce(NOISY, "iou", "IOU reward", "iou", _paper(ONE, 99.4, 99.3, 99.3, 98.8, 95.0, 98.0, 99.4)),
        _reinforce(NOISY, "image", "image reward", "image", _paper(ONE, 99.4, 99.2, 99.3, 98.8, 94.5, 98.0, 99.5)),
        _reinforce(
            NOISY, "iou_image", "image and IOU reward", "iou, image",
            _paper(ONE, 99.4, 99.3, 99.3, 98.8, 95.0, 98.1, 99.4), headline=True,
        ),
    ),
    ("transformer", "longer"),
)  # fmt: skip

TABLE_TWO = Table(
    "Table 2: Abstract Scenes",
    SCENES,
    TWO,
    (
        Row(
            "cnn_lstm", "CNN+LSTM", "abstract_scenes_paper_lstm", ("--model.lstm_attention", "none"),
            paper=_paper(TWO, 45.31, 41.38, 43.84, None, None), note=MEAN_OF_PARTS,
        ),
        Row("nsd", "NSD (full), Wu et al. 2017", paper=_paper(TWO, 42.74, 21.55, 32.14, None, None)),
        Row(
            "lstm", LSTM, "abstract_scenes_paper_lstm", paper=_paper(TWO, 17.27, 15.70, 16.48, 32.06, None),
            over=("cnn_lstm",),
        ),
        Row(
            "transformer", TRANSFORMER, "abstract_scenes_paper", headline=True,
            paper=_paper(TWO, 8.78, 10.92, 9.85, 58.54, None), over=("lstm",),
        ),
        Row("longer", LONGER, "abstract_scenes_paper", start="transformer", headline=True),
        _reinforce(SCENES, "iou", "IOU reward", "iou", _paper(TWO, 7.91, 10.50, 9.20, 61.29, None)),
        _reinforce(
            SCENES, "inference", "inference reward", "inference", _paper(TWO, 7.81, 10.75, 9.28, 59.35, None)
        ),
        _reinforce(SCENES, "image", "reconstruction reward", "image", _paper(TWO, 8.34, 9.99, 9.16, 62.44, None)),
        _reinforce(
            SCENES, "inference_image", "inference and reconstruction reward", "inference, image",
            _paper(TWO, 8.21, 10.12, 9.16, 61.54, None),
        ),
        _reinforce(
            SCENES, "iou_image", "IOU and reconstruction reward", "iou, image",
            _paper(TWO, 8.05, 10.04, 9.04, 62.45, None), headline=True,
        ),
    ),
    ("transformer", "longer"),
)  # fmt: skip

RANDOM = ("--order", "random_once")  # the specifications of a data set, each put in a random order
TABLE_THREE = Table(
    "Table 3: Noisy Shapes with the objects in random order",
    NOISY,
    THREE,
    (
        Row(
            "lstm_random", f"{LSTM}, random", "noisy_shapes_paper_lstm", RANDOM, paper=_paper(THREE, 95.2, 92.0, 72.0),
            over=("lstm",),
        ),
        Row(
            "transformer_random", f"{TRANSFORMER}, random", "noisy_shapes_paper", RANDOM,
            paper=_paper(THREE, 99.0, 98.3, 93.2), over=("transformer",),
        ),
        *(replace(row, label=f"{row.label}, by type") for row in map(TABLE_ONE.row, ("lstm", "transformer"))),
    ),
)  # fmt: skip


PAPER_BY_SIZE = (
    "the paper's section 7.2 tells no figures but that with 10% to 40% of the data it is about 2 points of IOU 1.0 "
    "better than cross-entropy, and with more than 60% 1 point"
)


def _size_rows() -> tuple[Row, ...]:
    rows = []
    for share in SIZES:
        start = f"transformer_{share}"
        rows.append(Row(start, "cross-entropy", "noisy_shapes_paper", share=share))
        key, recipe, note = f"iou_{share}", "noisy_shapes_paper_rl", PAPER_BY_SIZE if share == SIZES[0] else None
        rows.append(Row(key, "IOU reward", recipe, _reward("iou"), start, share=share, note=note, over=(start,)))
    whole = (replace(TABLE_ONE.row("transformer"), over=()), replace(TABLE_ONE.row("iou"), over=("transformer",)))
    return (*rows, *whole)


OURS = {
    "finer": "features twice as fine",
    "positions": "2-D positions",
    "fresh": "fresh scenes",
    "schedule": "1.5 times the learning rate with warm-up and a cosine, gradients clipped",
    "averaging_short": "weight averaging",
}
OURS_TWO = {
    "finer": "features twice as fine, with 2-D positions",
    "fresh_no_dropout": "fresh scenes, no dropout",
    "schedule_layers": f"{OURS['schedule']}, norm before, wider layers",
    "near": "coordinate targets that know distance, sinusoidal number embeddings, tied word embeddings",
    "averaging_short": OURS["averaging_short"],
}
BETTER = ("--estimator", "leave_one_out", "--num_samples", "4", "--temperature", "0.4", "--schedule", "cosine")


def _ablation(data_set: str, measures: dict[str, str], ours: dict[str, str], reward: str, rewarded: str) -> Table:
    """The paper's Transformer and, one after the other, what is `ours`: each row adds to the row before."""
    recipe = f"{data_set}_paper"
    rows = [Row("base", TRANSFORMER, recipe)]
    for count, (name, label) in enumerate(ours.items(), start=1):
        changes = tuple(ours)[:count]
        over = (rows[-1].key,) if changes[1:] else ()  # the first is compared with the base
        rows.append(Row(name, f"+ {label}", recipe, changes=changes, over=over))
    start, options = rows[-1].key, (*_reward(reward), *BETTER)
    rows.append(Row("leave_one_out", f"+ {rewarded}, leave-one-out", f"{recipe}_rl", options, start, over=(start,)))
    title = f"Ours on {data_set.replace('_', ' ').title()}: what brings what"
    return Table(title, data_set, measures, tuple(rows), ("base",), setting=f"ours_{data_set}")


OURS_NOISY = _ablation(NOISY, ONE, OURS, "iou", "IOU reward")
OURS_SCENES = _ablation(SCENES, TWO, OURS_TWO, "image", "reconstruction reward")
SIZE = Table("Section 7.2: Noisy Shapes by size of the training data", NOISY, THREE, _size_rows())
TABLES = {
    "1": TABLE_ONE, "2": TABLE_TWO, "3": TABLE_THREE, "size": SIZE, "ours_noisy_shapes": OURS_NOISY,
    "ours_abstract_scenes": OURS_SCENES,
}  # fmt: skip
