"""The page: drop or draw a picture, see and change what was read in it, take it along as JSON, TikZ or SVG."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import gradio as gr

from datasets_scripts.scenes import RenderError
from derender.formats import as_form, as_json_object, ending_of, usable_forms
from derender.overlay import lay_over
from derender.reader import Reader, Reading, ReadOptions
from derender.table import CONFIDENCE, from_rows, headers, to_rows
from modeling_derender.image_io import ImageError, open_image
from modeling_derender.specification import SpecificationError


TITLE = "Derender"
ABOUT = "A picture in, something that one can edit out: drop a picture or draw one, and change what was read in it."
MOST_PIXELS = 25_000_000
MOST_CANDIDATES, MOST_DRAWINGS = 20, 500
OVERLAY_HEIGHT = 440  # pixels
SKETCH_SIDE = 512  # pixels of the pad to draw on
KEPT_FOR = 3600  # seconds that files stay for download
FOLDERS = "drawing_"  # how those of the files begin
LAUNCH = {"max_file_size": "20mb"}  # what a page is launched with, wherever it is
ONE_BY_ONE = {"concurrency_id": "reading"}  # readings by chance share one source of it
FAILURES = (ImageError, RenderError, SpecificationError)


@dataclass(frozen=True)
class Desk:
    """What the page does with one reader. Errors that people can mend come as gr.Error."""

    reader: Reader

    def read_file(self, path: str | None, candidates: int, refine: int) -> tuple:
        """What the page shows of a picture file: see `show`, and then the rows of the table and the steps."""
        reading = self._read(path, candidates, refine)
        rows = to_rows(self.reader.language, reading.objects, reading.confidences)
        steps = enumerate(self.reader.explain(reading), start=1)
        shown = self.show(replace(reading, steps=[]))  # they need not stay in memory as long as the page is open
        return *shown, rows, [(step.picture, f"{number}. {step.told}") for number, step in steps]

    def read_for_programs(self, path: str | None, candidates: int, refine: int) -> dict:
        """What `derender --to json` tells of a picture file."""
        return as_json_object(self.reader, self._read(path, candidates, refine), "picture")

    def redraw(self, reading: Reading | None, rows: list[list]) -> tuple:
        """What the page shows of the rows of the table, as they are now."""
        if reading is None:
            raise gr.Error("Read a picture first.", print_exception=False)
        try:
            objects, confidences = from_rows(self.reader.language, rows)
            error = self.reader.compare(reading.picture, objects)
            return self.show(replace(reading, objects=objects, confidences=confidences, error=error))
        except FAILURES as error:
            raise gr.Error(str(error), print_exception=False) from None

    def show(self, reading: Reading) -> tuple:
        """The reading itself, the picture with what was read over it, a line about both, and a file of each form."""
        drawn = self.reader.draw_again(reading.objects)
        overlay = reading.picture if drawn is None else lay_over(reading.picture, drawn)
        folder, files = _make_folder(), []
        for form in usable_forms(self.reader):
            files.append(folder / f"drawing{ending_of(form)}")
            files[-1].write_bytes(as_form(self.reader, reading, form, "drawing"))
        error = "" if reading.error is None else f", {reading.error:.1%} unlike the picture"
        count = len(reading.objects)
        return reading, overlay, f"{count} object{'' if count == 1 else 's'}{error}", *map(str, files)

    def _read(self, path: str | None, candidates: int, refine: int) -> Reading:
        if path is None:
            raise gr.Error("Choose a picture, or draw one, first.", print_exception=False)
        try:
            picture = open_image(path, name="the picture", max_pixels=MOST_PIXELS, tell=gr.Warning)
            options = ReadOptions(_count(candidates, 1, MOST_CANDIDATES), _count(refine, 0, MOST_DRAWINGS))
            return self.reader.read(picture, options)
        except FAILURES as error:
            raise gr.Error(str(error), print_exception=False) from None


def _count(number: float | None, least: int, most: int) -> int:
    """What a program asks for, within what the page allows; gr.Error where it is no number."""
    if number is None:
        return least
    if not isinstance(number, int | float) or not math.isfinite(number):
        raise gr.Error(f"{number!r} is no number.", print_exception=False)
    return int(min(max(number, least), most))


def _make_folder() -> Path:
    """One for the files of one reading, among those that Gradio hands out; those of long ago are cleared away."""
    place = Path(gr.utils.get_upload_folder())
    place.mkdir(parents=True, exist_ok=True)
    for old in place.glob(f"{FOLDERS}*"):
        if time.time() - old.stat().st_mtime > 2 * KEPT_FOR:
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=FOLDERS, dir=place))


def build_page(reader: Reader) -> gr.Blocks:
    """The page of a reader, to be launched."""
    desk, columns = Desk(reader), headers(reader.language)
    with gr.Blocks(title=TITLE, delete_cache=(KEPT_FOR, KEPT_FOR), analytics_enabled=False) as page:
        gr.Markdown(f"# {TITLE}\n{ABOUT}")
        reading = gr.State()
        with gr.Row():
            with gr.Column():
                with gr.Tab("A picture"):
                    upload = _by_path(gr.Image(label="picture", sources=["upload", "clipboard"]))
                    read = gr.Button("Read the picture", variant="primary")
                with gr.Tab("A sketch"):
                    sketch = _by_path(gr.Sketchpad(
                        label="sketch", canvas_size=(SKETCH_SIDE, SKETCH_SIDE), layers=False,
                        brush=gr.Brush(default_size=4, colors=["#000000"]),
                    ))  # fmt: skip
                    read_sketch = gr.Button("Read the sketch", variant="primary")
                candidates = gr.Slider(1, MOST_CANDIDATES, 1, step=1, label="candidates to choose from")
                refine = gr.Slider(
                    0, MOST_DRAWINGS, 0, step=10, label="drawings to better it by", visible=reader.draw is not None
                )
            with gr.Column():
                overlay = gr.Image(
                    label="what was read, over the picture", interactive=False, format="png", height=OVERLAY_HEIGHT
                )
                told = gr.Markdown()
        table = gr.Dataframe(
            headers=columns, label="objects: change a cell, or take the tick away to drop one", interactive=True,
            type="array", datatype=["bool", *["str"] * (len(columns) - 1)], column_count=len(columns),
            static_columns=[columns.index(CONFIDENCE)],
        )  # fmt: skip
        with gr.Row():
            downloads = [gr.DownloadButton(form.upper()) for form in usable_forms(reader)]
        with gr.Accordion("What was done to the picture", open=False):
            steps = gr.Gallery(label="steps", columns=4, object_fit="contain", format="png")
        shown = [reading, overlay, told, *downloads]
        everything, how = [*shown, table, steps], [candidates, refine]
        for triggers, picture in (([read.click, upload.upload], upload), ([read_sketch.click], sketch)):
            gr.on(triggers, desk.read_file, [picture, *how], everything, api_visibility="private", **ONE_BY_ONE)
        table.input(desk.redraw, [reading, table], shown, api_visibility="private")
        _offer_to_programs(desk)
    return page


def _by_path(image: gr.Image | gr.Sketchpad) -> gr.Image | gr.Sketchpad:
    """It hands on the uploaded file's path, which Gradio has not opened: what is wrong with it is told by `Desk`.

    Gradio would fetch an address given instead of a file, however much there is; here it is refused.
    """
    to_cache = image.async_move_resource_to_block_cache

    async def refuse_addresses(path: str | None) -> str | None:
        if path is not None and "://" in path:
            raise gr.Error("Pictures are not fetched from addresses: upload the file.", print_exception=False)
        return await to_cache(path)

    image.preprocess = _find_path
    image.async_move_resource_to_block_cache = refuse_addresses
    return image


def _find_path(payload) -> str | None:
    """Of an uploaded picture, or of what is on the pad with all that was drawn on it.

    Gradio only checks the path of what says that it is a file of Gradio's; anything else could be any file here.
    """
    file = getattr(payload, "composite", payload)
    if file is None:
        return None
    path = os.path.realpath(file.path or "")
    if not path.startswith(os.path.realpath(gr.utils.get_upload_folder()) + os.sep) or not os.path.isfile(path):
        raise gr.Error("This is no uploaded picture.", print_exception=False)
    return path


def _offer_to_programs(desk: Desk) -> None:
    """The API: /read takes a picture, the candidates and the drawings, and gives what `--to json` does."""
    inputs = [_by_path(gr.Image(visible=False)), gr.Number(1, visible=False), gr.Number(0, visible=False)]
    output = gr.JSON(visible=False)
    gr.Button(visible=False).click(desk.read_for_programs, inputs, output, api_name="read", **ONE_BY_ONE)
