"""What is had for nothing: trivial predictors beside a model, on the pictures that it was scored on.

    python -m experiments.trivial_predictors EVALUATION.json ...

Each EVALUATION.json is written by `eval.py --json` on scenes of a language whose data are given. "blank page" predicts
no object; "frequent objects" always predicts the most frequent objects of the training split, as many as a scene has
on average, each at its mean place with its most frequent other properties. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from types import ModuleType

from datasets_scripts.evaluation_data import EvaluationData
from datasets_scripts.scenes import data_options
from derender_training.scores import score_predictions
from modeling_derender.language import Language
from modeling_derender.specification import check_object


COLUMNS = {
    "inference_error": "inference error",
    "reconstruction_error": "reconstruction error",
    "average_error": "average error",
    "iou": "IOU (exact)",
    "iou_binned": "IOU (20 bins)",
}


def frequent_objects(language: Language, scenes: Sequence[list[dict]]) -> list[dict]:
    """The objects that the trivial predictor always predicts.

    Two objects count as the same where no scene can hold both: they agree in the category and the unique properties.
    """
    groups = {}
    for item in (item for scene in scenes for item in scene):
        groups.setdefault(_identity(language, item), []).append(item)
    size = round(mean(map(len, scenes)))
    frequent = sorted(groups.values(), key=len, reverse=True)[:size]
    return [check_object(language, _typical(language, group)) for group in frequent]


def _identity(language: Language, item: dict) -> tuple:
    category = language.categories[item[language.category_property]]
    slots = category.slots[: language.unique_slots[category.name]]
    return (category.name, *(item[prop.name] for slot in slots for prop in slot.properties))


def _typical(language: Language, group: list[dict]) -> dict:
    def typical(name: str):
        values = [item[name] for item in group]
        return round(mean(values)) if name in language.coordinate_ranges else Counter(values).most_common(1)[0][0]

    return {name: typical(name) for name in group[0]}


def score_trivial(result: dict) -> dict[str, dict]:
    """The scores of both predictors on the pictures of an evaluation; ValueError for data that cannot be used."""
    data = EvaluationData(result["data"], **result["data_options"])
    folder = data.find_language_folder(result["language"])
    references = [prediction["reference"] for prediction in result["predictions"]]
    typical = frequent_objects(folder.LANGUAGE, _training_scenes(folder, data))
    return {
        name: score_predictions(folder.LANGUAGE, [objects] * len(references), references, data)
        for name, objects in {"blank page": [], "frequent objects": typical}.items()
    }


def _training_scenes(folder: ModuleType, data: EvaluationData) -> list[list[dict]]:
    if not hasattr(folder, "read_scenes"):
        raise ValueError(f"{data.data}: the scenes of {folder.LANGUAGE.name} are not given, so none are frequent")
    return list(folder.read_scenes("train", **data_options(folder, data.data_dir), **data.scene).values())


def as_table(rows: dict[str, dict]) -> str:
    """Markdown: a row for each predictor, in percent."""
    lines = ["| | " + " | ".join(COLUMNS.values()) + " |", "| --- |" + " ---: |" * len(COLUMNS)]
    for name, scores in rows.items():
        lines.append(f"| {name} | " + " | ".join(f"{100 * scores[column]:.2f}" for column in COLUMNS) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evaluations", nargs="+", metavar="EVALUATION.json", help="written by eval.py --json")
    paths = parser.parse_args(arguments).evaluations
    try:
        for path in paths:
            result = json.loads(Path(path).read_text(encoding="utf-8"))
            print(f"{path}: {len(result['predictions'])} pictures, commit {result['commit']}, {result['hardware']}")
            print(as_table({**score_trivial(result), result["model"]: result}))
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
