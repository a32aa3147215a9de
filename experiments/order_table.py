"""The order study as a Markdown table, the paper's figures apart from ours."""

from __future__ import annotations

from experiments.bootstrap import with_interval


NAMES = {"lstm": "LSTM", "transformer": "Transformer"}
MEASURES = {"f1": "F1", "iou": "IOU", "iou_1.0": "IOU = 1"}
# Table 1 (by type) and Table 3 (random), in percent: F1, IOU, IOU = 1.
PAPER = {
    ("lstm", "type"): (98.6, 97.6, 90.7),
    ("lstm", "random"): (95.2, 92.0, 72.0),
    ("transformer", "type"): (99.1, 98.5, 94.1),
    ("transformer", "random"): (99.0, 98.3, 93.2),
}


def as_markdown(result: dict) -> str:
    """`result` is what order_study.py writes as JSON."""
    return "\n".join(
        [
            "# The order of the objects, at CPU scale",
            "",
            _describe(result["study"]),
            "",
            *_scores(result["rows"]),
            "",
            "What each order costs against the order by type (by type less this order, paired by picture):",
            "",
            *_losses(result["rows"]),
            "",
            "The paper's figures (its Tables 1 and 3, full scale: 1 to 12 objects, 99,000 pictures), for comparison:",
            "",
            *_paper(),
            "",
        ]
    )


def _describe(study: dict) -> str:
    pixels, seeds = (" x ".join(map(str, study["image_size"])), ", ".join(map(str, study["seeds"])))
    minutes = "; ".join(
        f"{NAMES[kind]} {low:.1f} to {high:.1f} minutes a run" for kind, (low, high) in study["minutes_a_run"].items()
    )
    sentences = [
        f"CPU scale, not the paper's. `python -m experiments.order_study --seeds {len(study['seeds'])} --size "
        f"{study['test_pictures']}`: {study['recipe']}, {' or '.join(map(str, study['steps']))} steps of "
        f"{study['batch_size']} fresh scenes of {study['scene']['min_objects']} to {study['scene']['max_objects']} "
        f"objects at {pixels} pixels, seeds {seeds}; each model scored on the same "
        f"{study['test_pictures']} test scenes (eval.py, seed 0).",
        f"{minutes}, {study['minutes_of_all_runs']:.0f} minutes of all runs added up, {study['threads_a_run']} thread "
        f"a run. Scored on {'; '.join(study['hardware'])}. Commit {', '.join(study['commits'])}.",
        "In percent; in brackets 95% bootstrap intervals over test pictures of the mean over seeds. They and the "
        "p-values tell what the choice of pictures decides, not what the seeds do, and are not adjusted for how many "
        "they are.",
        "Every scene is seen once, so an order drawn once for each scene and one drawn anew are the same here.",
    ]
    return " ".join(sentences)


def _scores(rows: list[dict]) -> list[str]:
    lines = [
        f"| decoder | order | {' | '.join(MEASURES.values())} | IOU of each seed |",
        f"| --- | --- |{' ---: |' * len(MEASURES)} ---: |",
    ]
    for row in rows:
        cells = [with_interval(row[measure], ".1f") for measure in MEASURES]
        seeds = ", ".join(f"{100 * value:.1f}" for value in row["iou"]["seeds"])
        lines.append(f"| {NAMES[row['decoder']]} | {row['order']} | {' | '.join(cells)} | {seeds} |")
    return lines


def _losses(rows: list[dict]) -> list[str]:
    lines = [
        "| order | measure | LSTM loses | Transformer loses | LSTM loses more by | p |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    by_cell = {(row["decoder"], row["order"]): row for row in rows}
    for order in dict.fromkeys(row["order"] for row in rows if row["order"] != "type"):
        for measure, name in MEASURES.items():
            lstm, transformer = (by_cell[decoder, order][measure] for decoder in NAMES)
            cells = [with_interval(item, ".1f") for item in (lstm["lost"], transformer["lost"], lstm["lost_more"])]
            lines.append(f"| {order} | {name} | {' | '.join(cells)} | {lstm['lost_more']['p']:.4f} |")
    return lines


def _paper() -> list[str]:
    lines = [f"| decoder | order | {' | '.join(MEASURES.values())} |", f"| --- | --- |{' ---: |' * len(MEASURES)}"]
    for (decoder, order), values in PAPER.items():
        lines.append(f"| {NAMES[decoder]} | {order} | {' | '.join(f'{value:.1f}' for value in values)} |")
    return lines
