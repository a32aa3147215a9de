"""What a model read beside how sure it was and where it looked: calibration, and pictures of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tqdm.auto import tqdm

from datasets_scripts.evaluation_data import EvaluationData, take
from datasets_scripts.scenes import RenderError
from derender_training.calibration import calibrate, mark_correct, plot_reliability
from derender_training.drawing import FAILURES
from derender_training.evaluation import prepare_pictures
from derender_training.reading_picture import ReadObject, draw_reading
from derender_training.result_file import write_bytes
from derender_training.scores import Scorer
from modeling_derender.binning import bin_objects
from modeling_derender.confidence import find_looks
from modeling_derender.language import Language
from modeling_derender.serialization import to_text


def calibrate_readings(
    language: Language, pairs: Sequence[tuple[list, list]], confidences: Sequence[list[float]]
) -> dict[str, dict]:
    """`calibrate` over all predicted objects of (prediction, reference) `pairs`.

    `calibration` is of objects that are exactly right, which is what a confidence speaks of; `calibration_binned` is
    of those that are right with coordinates in 20 bins.
    """
    flat = [confidence for picture in confidences for confidence in picture]
    ranges = language.coordinate_ranges
    binned = [tuple(bin_objects(side, ranges) for side in pair) for pair in pairs]
    return {
        name: calibrate(flat, [mark for pair in sides for mark in mark_correct(*pair)])
        for name, sides in (("calibration", pairs), ("calibration_binned", binned))
    }


def show_readings(model, processor, data: EvaluationData, result: dict, folder: Path, count: int) -> None:
    """Write `reliability.png` and, for the first `count` pictures, `picture_000.png`, ... to `folder`.

    `result` is that of the evaluation on `data`, with confidences. Raises RenderError where the renderer fails.
    """
    title = f"{data.data}: objects that are exactly right"
    write_bytes(folder / "reliability.png", plot_reliability(result["calibration"], title))
    draw = Scorer.open(model.language, data).draw
    predictions = result["predictions"][:count]
    examples = take(data.open(model.language), range(len(predictions)))
    for number, pair in enumerate(zip(tqdm(predictions, desc="drawing", unit=" pictures"), examples, strict=True)):
        write_bytes(folder / f"picture_{number:03d}.png", _draw_one(model, processor, draw, *pair))


def _draw_one(model, processor, draw, prediction: dict, example: dict) -> bytes:
    language, objects = model.language, prediction["objects"]
    looks = [None] * len(objects)
    if model.decoder.has_attention:
        (looks,) = find_looks(model, prepare_pictures(processor, [example], model), [objects])
    marks = mark_correct(objects, prediction["reference"])
    rows = zip(objects, prediction["confidences"], marks, looks, strict=True)
    read = [ReadObject(item, to_text(language, [item]), *row) for item, *row in rows]
    told = f"{prediction['file_name']}: IOU {prediction['iou']:.2f}, {len(prediction['reference'])} true objects"
    try:
        return draw_reading(example["image"], read, told, language.canvas.pixels, language.canvas.channels, draw)
    except FAILURES as error:
        raise RenderError(f"drawing what was predicted: {error}") from error
