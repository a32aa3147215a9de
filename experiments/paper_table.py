"""A table of the paper with ours beside it, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from experiments.bootstrap import with_interval
from experiments.paper_rows import SCENES, SEEDS, Table
from experiments.paper_scales import Setting, find_setting
from experiments.runs import SPEED, without_options


REAL = {"noisy_shapes_tikz": "real TikZ", "hand_drawings": "hand drawings"}
BASE_NAMES = {
    "transformer": "the Transformer with cross-entropy",
    "longer": "cross-entropy for as much longer",
    "base": "the Transformer",
}


def as_markdown(table: Table, result: dict) -> str:
    """`result` is what reproduction.py writes as JSON."""
    parts = [f"# {table.title}, at {result['scale']} scale", _describe(table, result), _ours(table, result)]
    for base in table.bases:
        if any(base in row["against"] for row in result["rows"]):
            parts.append(_tests(table, result, base))
    if any(_own_bases(table, row) for row in result["rows"]):
        parts.append(_own_tests(table, result))
    if any(row.get("real") for row in result["rows"]):
        parts.append(_real(result))
    if result["instead"]:
        parts.append(_instead(table, result["instead"], result["scale"]))
    notes = [f"{row['label']}: {row['note']}." for row in result["rows"] if row["note"]]
    return "\n\n".join([*parts, *notes]) + "\n"


def _describe(table: Table, result: dict) -> str:
    setting = find_setting(result["scale"], table)
    first, second = setting.budget
    unit = "steps" if setting.by_steps else "minutes"
    pixels = " x ".join(map(str, result["image_size"]))
    training = f"{setting.train_size:,} training scenes" if setting.train_size else "the given training scenes"
    small = "" if result["scale"] == "paper" else f"{result['scale'].upper()} scale, not the paper's. "
    reinforced, reinforces = " ".join(_find_reinforced(table, setting)), any(row.reinforces for row in table.rows)
    seeds = max(len(row["scores"]["iou"]["seeds"]) for row in result["rows"] if "scores" in row)
    options = " --data_dir AbstractScenes_v1.1" if table.data_set == SCENES else ""
    options += f" --seeds {seeds}" if seeds != SEEDS else ""
    options += f" --results {result['results']}" if "results" in result else ""
    done = [row["key"] for row in result["rows"] if "scores" in row]
    runs = [row.key for row in table.rows if row.recipe is not None]
    missing = [_label(row, result) for row in result["rows"] if row["key"] in runs and "scores" not in row]
    options += f" --rows {' '.join(done)}" if missing else ""
    spread = f"{seeds} seeds for the rows that show a spread (standard deviation), one (0) for the others"
    parts = [
        f"{small}`python experiments/reproduce.py --table {result['table']} --scale {result['scale']}{options}`: "
        f"{pixels} pixels",
        training,
        f"batches of {result['batch_size']}",
        f"{first:,g} {unit} of cross-entropy"
        + (f" and {second:g} more of reinforcement" if reinforces else "")
        + (f" (with `{reinforced}`)" if reinforced else ""),
        *((setting.remark,) if setting.remark else ()),
        f"{result['minutes']:.0f} minutes of all runs added up",
        f"{result['pictures']:,} test pictures",
        spread if seeds > 1 else "seed 0",
    ]
    return (
        f"{', '.join(parts)}. {_tell_hardware(result)}. Commit {', '.join(result['commits'])}. In percent; "
        "below each row of ours what the paper has at its own scale, and the difference. Scored is the model of the "
        "step that was best on the validation; 0 is the model that reinforcement began with."
        + (f" NOT RUN yet: {', '.join(missing)}." if missing else "")
    )


def _find_reinforced(table: Table, setting: Setting) -> list[str]:
    """The options of rl_train.py that all rows which reinforce have beside their recipe, but for those of speed."""
    rows = [_as_pairs((*setting.reinforce, *row.options)) for row in table.rows if row.reinforces]
    shared = set.intersection(*(set(pairs.items()) for pairs in rows)) if rows else set()
    options = [text for pair in rows[0].items() if pair in shared for text in pair] if rows else []
    return list(without_options(options, SPEED))


def _as_pairs(options: Sequence[str]) -> dict[str, str]:
    """Of several of one name the last counts."""
    return dict(zip(options[::2], options[1::2], strict=True))


def _tell_hardware(result: dict) -> str:
    """With the rows of each, where there are several."""
    if len(result["hardware"]) == 1:
        return result["hardware"][0]
    rows = [(_label(row, result), row.get("hardware", ())) for row in result["rows"]]
    return "; ".join(
        f"{name}: {', '.join(label for label, found in rows if name in found)}" for name in result["hardware"]
    )


def _ours(table: Table, result: dict) -> str:
    lines = [
        f"| | {' | '.join(table.measures.values())} | minutes | steps | best at |",
        f"| --- |{' ---: |' * (len(table.measures) + 3)}",
    ]
    for row in result["rows"]:
        label = _label(row, result)
        if "scores" in row:
            cells = [_with_spread(row["scores"][name]) for name in table.measures]
            minutes = ", ".join(f"{value:.1f}" for value in row["runs"]["minutes"])
            steps, best = (", ".join(map(str, row["runs"][name])) for name in ("steps", "best_step"))
            lines.append(f"| **{label}** | {' | '.join(cells)} | {minutes} | {steps} | {best} |")
        if row["paper"]:
            cells = [_papers(row, name) for name in table.measures]
            lines.append(f"| {label}, the paper | {' | '.join(cells)} | | | |")
    return "\n".join(lines)


def _label(row: dict, result: dict) -> str:
    return row["label"] + (f", {row['share']}% of the data" if result["table"] == "size" else "")


def _instead(table: Table, rows: list[dict], scale: str) -> str:
    made = [f"{row['label']}: {row['hardware']}, commit {row['commit']}" for row in rows]
    lines = [
        "What one would pick instead: Transformers' VisionEncoderDecoderModel (small ViT and GPT-2), trained "
        "by Seq2SeqTrainer on the same pictures for the same time (`python -m experiments.vision_encoder_decoder "
        f"{table.data_set} --scale {scale}{' --data_dir AbstractScenes_v1.1' if table.data_set == SCENES else ''}`; "
        f"{'; '.join(made)}):",
        "",
        f"| | {' | '.join(table.measures.values())} | images/s | minutes |",
        f"| --- |{' ---: |' * (len(table.measures) + 2)}",
    ]
    for row in rows:
        cells = [f"{100 * row['scores'][name]:.2f}" for name in table.measures]
        lines.append(
            f"| {row['label']} | {' | '.join(cells)} | {row['images_per_second']:.0f} | {row['minutes']:.1f} |"
        )
    return "\n".join(lines)


def _with_spread(score: dict) -> str:
    spread = "" if score["spread"] is None else f" ± {100 * score['spread']:.2f}"
    return f"{100 * score['mean']:.2f}{spread}"


def _papers(row: dict, name: str) -> str:
    if name not in row["paper"]:
        return "–"
    lacks = f" ({row['lacks'][name]:+.2f})" if "lacks" in row else ""
    return f"{row['paper'][name]:.2f}{lacks}"


def _tests(table: Table, result: dict, base: str) -> str:
    rows = [(_label(row, result), row["against"][base]) for row in result["rows"] if base in row["against"]]
    return _gains(f"over {BASE_NAMES[base]}", table, rows)


def _own_tests(table: Table, result: dict) -> str:
    """Of rows that are compared with another row each."""
    by_key = {row["key"]: row for row in result["rows"]}
    rows = [
        (
            f"{_label(row, result)}, over: {_label(by_key[base], result)}{_unequal_steps(table, row, by_key[base])}",
            row["against"][base],
        )
        for row in result["rows"]
        for base in _own_bases(table, row)
    ]
    return _gains("by one row over another", table, rows)


def _unequal_steps(table: Table, row: dict, base: dict) -> str:
    """How many steps each had, where time gave one of two trainings more than a twentieth more."""
    if table.row(row["key"]).reinforces:
        return ""
    steps = [item["runs"]["steps"] for item in (row, base)]
    ours, theirs = np.array(list(zip(*steps, strict=False))).mean(axis=0)  # of the seeds that both have
    if max(ours, theirs) <= 1.05 * min(ours, theirs):
        return ""
    return f" ({ours:,.0f} steps against {theirs:,.0f})"


def _own_bases(table: Table, row: dict) -> list[str]:
    return [base for base in table.row(row["key"]).over if base in row["against"]]


def _gains(where: str, table: Table, rows: list[tuple[str, dict]]) -> str:
    lines = [
        f"What is gained {where}, positive being better; paired bootstrap over test pictures, of the seeds that both "
        "have, 95% intervals, p-values not adjusted for how many they are:",
        "",
        f"| | {' | '.join(table.measures.values())} |",
        f"| --- |{' ---: |' * len(table.measures)}",
    ]
    for label, found in rows:
        cells = [_difference(found[name]) for name in table.measures]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _difference(item: dict) -> str:
    return f"{with_interval(item, '+.2f')}, p {item['p']:.4f}"


def _real(result: dict) -> str:
    rows = result["rows"]
    names = list(next(row["real"] for row in rows if row.get("real")))
    columns = [f"{REAL[name]}: {measure}" for name in names for measure in ("IOU", "IOU 1.0")]
    counts = {name: next(row["real"][name]["pictures"] for row in rows if row.get("real")) for name in names}
    told = ", ".join(f"{count} {REAL[name]}" for name, count in counts.items())
    lines = [
        f"Real pictures that none of these models was trained on ({told}; Ellis et al. parse 63 of 100 hand drawings "
        "exactly, with search):",
        "",
        f"| | {' | '.join(columns)} |",
        f"| --- |{' ---: |' * len(columns)}",
    ]
    for row in rows:
        if row.get("real"):
            cells = [_with_spread(row["real"][name][measure]) for name in names for measure in ("iou", "iou_1.0")]
            lines.append(f"| {_label(row, result)} | {' | '.join(cells)} |")
    return "\n".join(lines)
