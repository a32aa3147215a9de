"""What the inference error is made of: python -m experiments.error_parts EVALUATION.json ... --out TABLE.md

Objects read are matched with true ones as the inference error matches them, coordinates in 20 bins. The table tells in
percent of the true objects how many are missing, how many were read beside them, and of those that are matched how
many have each property wrong; and how far from the truth coordinates are, in the language's units.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections import Counter
from collections.abc import Sequence

import numpy as np

from derender_training.language_folder import open_language
from derender_training.result_file import read_evaluation, write_bytes
from derender_training.scores import separating_category
from modeling_derender.binning import bin_objects
from modeling_derender.inference_error import match_objects
from modeling_derender.language import Language


def find_parts(language: Language, predictions: Sequence[dict]) -> dict[str, float]:
    """Shares of the true objects, by "missing", "too many" and the properties; and the `distances` by quantile.

    `predictions` are those of an evaluation, each with `objects` and `reference`.
    """
    counts, total, distances = Counter(), 0, []
    ranges, category = language.coordinate_ranges, separating_category(language)
    for item in predictions:
        objects, reference = item["objects"], item["reference"]
        binned, true = (bin_objects(side, ranges) for side in (objects, reference))
        pairs = [(i, j) for i, j, agreements in match_objects(binned, true, category) if agreements]
        total += len(reference)
        counts["missing"] += len(reference) - len(pairs)
        counts["too many"] += len(objects) - len(pairs)
        for i, j in pairs:
            counts.update(name for name in true[j] if binned[i].get(name) != true[j][name])
            distances += [abs(objects[i][name] - reference[j][name]) for name in ranges if name in objects[i]]
    quantiles = np.quantile(distances, (0.5, 0.9)).tolist() if distances else [0.0, 0.0]
    return {name: count / max(total, 1) for name, count in counts.items()} | {"distances": quantiles}


def as_markdown(rows: dict[str, dict], commands: Sequence[str]) -> str:
    """`commands` tell where the evaluations come from, and last how the table was made of them."""
    names = list(dict.fromkeys(name for parts in rows.values() for name in parts if name != "distances"))
    lines = [
        "# What the inference error is made of",
        "",
        "In percent of the true objects: those missing, those too many, and the properties of the others that are",
        "wrong, coordinates in 20 bins. Then how far a coordinate of a matched object is from the truth.",
        "",
        f"| | {' | '.join(names)} | median distance | 9 of 10 within |",
        f"| --- |{' ---: |' * (len(names) + 2)}",
    ]
    for title, parts in rows.items():
        cells = [f"{100 * parts.get(name, 0):.2f}" for name in names] + [f"{value:g}" for value in parts["distances"]]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(f"    {command}" for command in commands)]) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evaluations", nargs="+", metavar="EVALUATION", help="files that eval.py --json wrote")
    parser.add_argument("--out", required=True, metavar="MD")
    options = parser.parse_args(arguments)
    rows, commands = {}, []
    try:
        for path in options.evaluations:
            result = read_evaluation(path)
            title = result["model"] + (", test-time augmentation" if result.get("test_time_augmentation") else "")
            if title in rows:
                raise ValueError(f"{path}: there is a row of {title} already")
            rows[title] = find_parts(open_language(result["language"]).LANGUAGE, result["predictions"])
            commands.append(f"{result['command']}  # {result['hardware']}; commit {result['commit']}")
        commands.append(
            shlex.join(["python", "-m", "experiments.error_parts", *options.evaluations, "--out", options.out])
        )
        write_bytes(options.out, as_markdown(rows, commands).encode())
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
