"""What is had for nothing: trivial predictors beside a model, on the pictures that it was scored on.

    python -m experiments.trivial_predictors EVALUATION.json ...

Each EVALUATION.json is written by `eval.py --json` on scenes of a language whose data are given. "blank page" predicts
no object; "frequent objects" always predicts the most frequent objects of the training split, as many as a scene has
on average, each at its mean place with its most frequent other properties. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from types import ModuleType

from datasets_scripts.evaluation_data import EvaluationData
from datasets_scripts.scenes import data_options
from derender_training.result_file import read_evaluation
from derender_training.scores import Scorer
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


def score_trivial(result: dict, data_dir: str | None = None) -> dict[str, dict]:
    """The scores of both predictors on the pictures of an evaluation; ValueError for data that cannot be used.

    `data_dir` is the folder of the language's own files, where it is not the one of the evaluation.
    """
    data = EvaluationData(result["data"], **result["data_options"] | ({"data_dir": data_dir} if data_dir else {}))
    folder = data.find_language_folder(result["language"])
    scorer = Scorer.open(folder.LANGUAGE, data)
    references = [prediction["reference"] for prediction in result["predictions"]]
    typical = frequent_objects(folder.LANGUAGE, _training_scenes(folder, data))
    return {
        name: scorer.score([objects] * len(references), references)
        for name, objects in {"blank page": [], "frequent objects": typical}.items()
    }


def _training_scenes(folder: ModuleType, data: EvaluationData) -> list[list[dict]]:
    """Those of the split that goes with the evaluation's: its options tell which, if it was of given scenes."""
    name = folder.LANGUAGE.name
    if not hasattr(folder, "read_scenes"):
        raise ValueError(f"{data.data}: the scenes of {name} are not given, so none are frequent")
    of_language = data.data == name or (Path(data.data) / "__init__.py").is_file()
    if data.size is not None or not of_language:
        raise ValueError(f"{data.data}: are not the given scenes; evaluate with --data {name} --split test")
    return list(folder.read_scenes("train", **data_options(folder, data.data_dir), **data.scene).values())


def as_table(rows: dict[str, dict]) -> str:
    """Markdown: a row for each predictor, in percent."""
    lines = ["| | " + " | ".join(COLUMNS.values()) + " |", "| --- |" + " ---: |" * len(COLUMNS)]
    for name, scores in rows.items():
        values = [scores[column] for column in COLUMNS]
        cells = ["-" if value is None else f"{100 * value:.2f}" for value in values]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evaluations", nargs="+", metavar="EVALUATION.json", help="written by eval.py --json")
    parser.add_argument("--data_dir", help="the folder of the language's own files, where it is not the evaluation's")
    options = parser.parse_args(arguments)
    try:
        for path in options.evaluations:
            result = read_evaluation(path)
            print(f"{path}: {len(result['predictions'])} pictures, commit {result['commit']}, {result['hardware']}")
            print(as_table({**score_trivial(result, options.data_dir), result["model"]: result}))
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
