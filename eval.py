"""Score a model: eval.py --model DIR --data FOLDER [--json FILE]

FOLDER is an imagefolder (`metadata.jsonl` with `file_name` and `objects`), a data set built by datasets_scripts.build
(with --split), or a language's folder, such as noisy_shapes: its given scenes of a --split, or --size fresh ones.
`accelerate launch eval.py ...` or `torchrun --nproc_per_node N eval.py ...` shares the pictures among processes.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from operator import itemgetter
from pathlib import Path

import torch
from accelerate import PartialState
from accelerate.utils import gather_object
from tqdm.auto import tqdm

from datasets_scripts.evaluation_data import EvaluationData, take
from datasets_scripts.scene_options import parse_with_scene_options
from datasets_scripts.scenes import RenderError
from derender.cli import not_negative, positive
from derender.reader import Reader, ReadOptions
from derender.search_curve import as_rows, plot_curve, score_budgets, search_examples
from derender_training.command_line import end_stopped
from derender_training.evaluation import predict, prepare_pictures
from derender_training.model_folder import open_model
from derender_training.readings import calibrate_readings, show_readings
from derender_training.result_file import describe_origin, write_bytes, write_json
from derender_training.scores import SCORES, Scorer
from modeling_derender.confidence import score_objects
from modeling_derender.scoring import count_matches


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_options(arguments)
    state = PartialState(cpu=options.device == "cpu" or not torch.cuda.is_available())
    try:
        if options.json:
            check_target("--json", options.json)
        if options.curve:
            check_target("--curve", options.curve)
        if options.show:
            make_folder(options.show_dir)
        device = find_device(options.device)
        model, processor = open_model(options.model, options.tta)
        model = model.to(device)
        data = name_data(options)
        reader = open_reader(model, processor, data) if searches(options) else None  # before any work is done
        result = evaluate(
            model, processor, data, options.batch_size, options.num_beams, options.grammar, options.show > 0
        )
        if result is not None and reader is not None:
            result["search"] = search(reader, data, result, options)
    except (ValueError, RenderError) as error:
        sys.exit(f"error: {error}" if state.is_main_process else 1)
    finally:
        state.destroy_process_group()
    if result is None:
        return
    settings = {name: getattr(options, name) for name in ("model", "num_beams", "grammar", "batch_size", "seed")}
    settings["test_time_augmentation"] = model.config.test_time_augmentation
    result = settings | describe_origin(device) | result
    print(as_table(result))
    if "search" in result:
        print(as_rows(result, result["search"]))
    if options.json:
        try:
            write_json(options.json, result)
        except OSError as error:
            sys.exit(f"error: --json {options.json}: {error}")
    if options.curve:
        try:
            write_bytes(options.curve, plot_curve(result, result["search"], f"{result['model']}, {result['data']}"))
        except OSError as error:
            sys.exit(f"error: --curve {options.curve}: {error}")
    if options.show:
        try:
            show_readings(model, processor, data, result, Path(options.show_dir), options.show)
        except (OSError, RenderError) as error:
            sys.exit(f"error: --show_dir {options.show_dir}: {error}")
        print(f"{options.show_dir}: the first {options.show} pictures and the reliability plot")


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a folder written by save_pretrained")
    parser.add_argument("--data", required=True, help="an imagefolder, a built data set, or a language's folder")
    parser.add_argument("--split", help="of a built data set, or of given or fresh scenes; test by default")
    parser.add_argument("--size", type=positive, help="how many fresh scenes (1,000 for Derender's languages)")
    parser.add_argument("--limit", type=positive, help="score the first so many pictures only")
    parser.add_argument("--seed", type=not_negative, default=0, help="of fresh scenes and of drawings with noise")
    parser.add_argument("--render", help="one of the RENDERERS of the language's folder, for given or fresh scenes")
    parser.add_argument("--language", help="the language's folder, where it is not known by the language's name")
    parser.add_argument("--data_dir", help="the folder of the language's own files, where it needs such")
    parser.add_argument("--batch_size", type=positive, default=64)
    parser.add_argument("--num_beams", type=positive, default=1)
    parser.add_argument(
        "--tta", action="store_true", help="test-time augmentation: the mean features of five copies, a pixel apart"
    )
    parser.add_argument("--no-grammar", dest="grammar", action="store_false", help="generate without the grammar")
    parser.add_argument(
        "--candidates", type=positive, default=1, metavar="N", help="readings of each picture to choose the best from"
    )
    parser.add_argument(
        "--refine", type=not_negative, default=0, metavar="BUDGET", help="drawings to better each reading by"
    )
    parser.add_argument("--curve", metavar="PNG", help="plot the scores against the drawings of --refine")
    parser.add_argument(
        "--show",
        type=not_negative,
        default=0,
        metavar="N",
        help="draw, of the first N pictures, where the model looked for each object and how sure it was of it",
    )
    parser.add_argument(
        "--show_dir", default="runs/show", help="the folder of those drawings and the reliability plot (runs/show)"
    )
    parser.add_argument("--json", help="write scores, counts and every prediction to this file")
    parser.add_argument("--device", default="auto", help="cpu, cuda, ...")
    parser.epilog = "--scene.NAME VALUE sets an option of the language's sampler or reader, as --scene.max_objects 3."
    options = parse_with_scene_options(parser, arguments)
    if options.curve and not options.refine:
        parser.error("--curve: shows what --refine brings; give that too")
    if searches(options) and not options.grammar:
        parser.error("--candidates, --refine: choose among what the grammar allows; leave out --no-grammar")
    if options.show and not options.grammar:
        parser.error("--show: confidences are shares of what the grammar allows; leave out --no-grammar")
    return options


def searches(options: argparse.Namespace) -> bool:
    return options.candidates > 1 or options.refine > 0


def open_reader(model, processor, data: EvaluationData) -> Reader:
    """For the search; ValueError where nothing draws the language."""
    folder = Path(data.find_language_folder(model.language.name).__file__).parent
    reader = Reader(model, processor, data.data_dir, str(folder))
    if reader.draw is None:
        raise ValueError(f"--candidates, --refine: {model.language.name} cannot be drawn here")
    return reader


def search(reader: Reader, data: EvaluationData, result: dict, options: argparse.Namespace) -> dict:
    """What render and compare makes of the readings in `result`: scores by budget, and its options."""
    readings = [item["objects"] for item in result["predictions"]]
    references = [item["reference"] for item in result["predictions"]]
    how = ReadOptions(options.candidates, options.refine, seed=options.seed)
    found = search_examples(reader, data.open(reader.language), readings, how)
    scores = score_budgets(Scorer.open(reader.language, data), found, references)
    return {"candidates": options.candidates, "refine": options.refine, "scores": scores}


def name_data(options: argparse.Namespace) -> EvaluationData:
    """Which pictures the parsed options name."""
    return EvaluationData(
        options.data, options.split, options.size, options.limit, options.seed, options.render, options.scene,
        options.data_dir, options.language,
    )  # fmt: skip


def check_target(option: str, path: str) -> None:
    """Raise ValueError, before any work is done for it, where the result cannot be written to this file."""
    folder = next(parent for parent in Path(path).absolute().parents if parent.exists())
    if Path(path).is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise ValueError(f"{option} {path}: cannot be written")


def make_folder(path: str) -> None:
    """Raise ValueError, before any work is done for it, where pictures cannot be written to this folder."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"--show_dir {path}: {error.strerror}") from None
    if not os.access(path, os.W_OK):
        raise ValueError(f"--show_dir {path}: cannot be written")


def find_device(name: str) -> torch.device:
    """The device of that name, "auto" being the accelerator if there is one; ValueError where it cannot be used."""
    if name == "auto":
        return PartialState().device
    try:
        return torch.empty(0, device=name).device
    except (AssertionError, RuntimeError) as error:
        raise ValueError(f"--device {name}: {str(error).splitlines()[0]}") from None


def evaluate(
    model,
    processor,
    data: EvaluationData,
    batch_size: int,
    num_beams: int,
    use_grammar: bool,
    with_confidences: bool = False,
) -> dict | None:
    """Scores, counts, speed and every prediction, as plain data; with confidences, those and their `calibration`.

    The speed is that of preprocessing and generation; the reading or drawing of the pictures is not in it. Several
    processes share the pictures; the result is the main one's, the others have None.
    """
    examples, scorer = data.open(model.language), Scorer.open(model.language, data)
    read = partial(read_share, model, processor, examples, data.data, batch_size, num_beams, use_grammar)
    readings, seconds = gather_readings(partial(read, with_confidences))
    if not PartialState().is_main_process:
        return None
    _, names, predictions, references, confidences = zip(*readings, strict=True)
    pairs = list(zip(predictions, references, strict=True))
    drawing_errors = scorer.find_drawing_errors(predictions, references)
    details = [{"reconstruction_error": error} for error in drawing_errors or [None] * len(pairs)]
    if with_confidences:
        for detail, item in zip(details, confidences, strict=True):
            detail["confidences"] = item
    return {
        **scorer.score(predictions, references, drawing_errors),
        "counts": {
            "pictures": len(pairs),
            "true": sum(map(len, references)),
            "predicted": sum(map(len, predictions)),
            "matched": sum(count_matches(*pair) for pair in pairs),
        },
        "images_per_second": len(pairs) / seconds,
        "language": model.language.name,
        "data": data.data,
        "data_options": data.options(),
        "predictions": [
            {"file_name": name, "objects": pair[0], "reference": pair[1], **scorer.score_one(*pair), **detail}
            for name, pair, detail in zip(names, pairs, details, strict=True)
        ],
        **(calibrate_readings(model.language, pairs, confidences) if with_confidences else {}),
    }


def read_share(
    model, processor, examples, name: str, batch_size: int, num_beams: int, use_grammar: bool, with_confidences: bool
) -> tuple[list[tuple], float]:
    """What this process reads: (number, file name, prediction, reference, confidences) of each of its pictures.

    And the seconds that it took. The processes take batches in turn.
    """
    readings, seconds, state = [], 0.0, PartialState()
    starts = range(state.process_index * batch_size, len(examples), state.num_processes * batch_size)
    with tqdm(total=len(examples), desc=name, unit=" pictures", disable=not state.is_main_process) as bar:
        for start in starts:
            numbers = range(start, min(start + batch_size, len(examples)))
            batch = take(examples, numbers)
            began = time.perf_counter()
            predictions = predict(model, processor, batch, batch_size, num_beams, use_grammar=use_grammar)
            seconds += time.perf_counter() - began
            confidences = [None] * len(batch)
            if with_confidences:
                confidences = score_objects(model, prepare_pictures(processor, batch, model), predictions)
            references = [example["objects"] for example in batch]
            names = [example.get("file_name", str(number)) for number, example in zip(numbers, batch, strict=True)]
            readings += zip(numbers, names, predictions, references, confidences, strict=True)
            bar.update(min(len(batch) * state.num_processes, bar.total - bar.n))
    return readings, seconds


def gather_readings(read: Callable[[], tuple[list[tuple], float]]) -> tuple[list[tuple], float]:
    """All processes' readings by number, and the longest time; where one fails, its error is raised in all."""
    if PartialState().num_processes == 1:
        return read()
    try:
        share = (*read(), None)
    except (ValueError, RenderError) as error:
        share = ([], 0.0, error)
    shares = gather_object([share])
    for error in [error for *_, error in shares if error is not None]:
        raise error
    return sorted(chain(*(readings for readings, *_ in shares)), key=itemgetter(0)), max(part[1] for part in shares)


def as_table(result: dict) -> str:
    counts, options = result["counts"], {name: value for name, value in result["data_options"].items() if value}
    rows = [
        ("model", result["model"]),
        ("data", " ".join([result["data"], *(f"{name}={value}" for name, value in options.items())])),
        *((name, f"{result[name]:.4f}") for name in SCORES if result[name] is not None),
        *([("not drawn", result["not_drawn"].splitlines()[0])] if "not_drawn" in result else []),
        *(
            (name, f"{result[name]['expected_calibration_error']:.4f} (expected calibration error)")
            for name in ("calibration", "calibration_binned")
            if result.get(name, {}).get("objects")
        ),
        ("pictures", f"{counts['pictures']:,}"),
        ("objects", "{true:,} true, {predicted:,} predicted, {matched:,} matched".format(**counts)),
        ("images/s", f"{result['images_per_second']:.1f}"),
        ("hardware", result["hardware"]),
    ]
    return "\n".join(f"{name:<20} {value}" for name, value in rows)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        end_stopped("the same command begins again")
