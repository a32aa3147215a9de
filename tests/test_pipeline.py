"""The pipeline: whatever form a picture comes in, one at a time or in batches, it is read the same."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from golden import GOLDEN, read_pictures
from PIL import ExifTags, Image
from transformers.pipelines.pt_utils import KeyDataset

from derender_training.model_folder import open_model
from modeling_derender import ImageError, ImageToSpecPipeline
from modeling_derender.confidence import score_objects


@pytest.fixture(scope="module", params=["transformer", "lstm"])
def read(request) -> ImageToSpecPipeline:
    model, processor = open_model(str(GOLDEN / request.param))
    return ImageToSpecPipeline(model=model, processor=processor)


@pytest.fixture(scope="module")
def pictures():
    return read_pictures(GOLDEN / "pictures")


@pytest.fixture(scope="module")
def single(read, pictures) -> list[dict]:
    return [read(picture) for picture in pictures]


def same(results, expected) -> bool:
    results = list(results)
    assert [result["objects"] for result in results] == [result["objects"] for result in expected]
    assert [result["text"] for result in results] == [result["text"] for result in expected]
    for result, other in zip(results, expected, strict=True):
        assert result["confidences"] == pytest.approx(other["confidences"], rel=1e-4)
    return True


def test_it_says_what_the_model_says(read, pictures, single):
    inputs = read.processor(images=pictures)
    objects = read.processor.post_process_objects(read.model.generate(**inputs))
    confidences = score_objects(read.model, inputs["pixel_values"], objects, near=True)
    assert [result["objects"] for result in single] == objects
    for result, expected in zip(single, confidences, strict=True):
        assert result["confidences"] == pytest.approx(expected, rel=1e-4)
    assert len({len(result["objects"]) for result in single}) > 1


@pytest.mark.parametrize("batch_size", [2, 4])
def test_batches_are_read_as_single_pictures_are(read, pictures, single, batch_size):
    assert same(read(pictures, batch_size=batch_size), single)


def test_paths_arrays_and_data_sets_are_pictures_too(read, pictures, single):
    paths = sorted((GOLDEN / "pictures").glob("*.png"))
    rows = datasets.Dataset.from_dict({"image": list(map(str, paths))}).cast_column("image", datasets.Image())
    assert same(read(list(map(str, paths))), single)
    assert same([read(path) for path in paths], single)
    assert same(read([np.asarray(picture) for picture in pictures]), single)
    assert same(read(KeyDataset(rows, "image"), batch_size=3), single)


@pytest.fixture
def site(tmp_path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address that it is served at."""
    handler = partial(QuietHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def test_addresses_are_read_as_their_files_are(read, pictures, single, site):
    folder, address = site
    pictures[0].save(folder / "plain.png")
    ink = 255 - np.asarray(pictures[0])
    Image.fromarray(np.stack([np.zeros_like(ink), ink], axis=-1), "LA").save(folder / "transparent.png")
    Image.fromarray(np.asarray(pictures[0]) * np.uint16(257)).save(folder / "deep.png")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # the camera was held on its side
    pictures[0].transpose(Image.Transpose.ROTATE_90).save(folder / "turned.png", exif=exif)
    for name in ("plain.png", "transparent.png", "deep.png", "turned.png"):
        assert same([read(f"{address}/{name}"), read(str(folder / name))], [single[0]] * 2)


def test_addresses_of_no_picture_are_named(read, site):
    folder, address = site
    (folder / "text.png").write_text("hello")
    with pytest.raises(ImageError, match=f"{address}/text.png: not a picture"):
        read(f"{address}/text.png")
    with pytest.raises(ImageError, match=f"{address}/absent.png: cannot be fetched: .*404"):
        read(f"{address}/absent.png")
    for nowhere in ("http://127.0.0.1:1/a.png", "http://a..b/a.png", "http://127.0.0.1:99999/a.png"):
        with pytest.raises(ImageError, match=f"{nowhere}: cannot be fetched: "):
            read(nowhere, timeout=5.0)


def test_beams_are_scored_as_what_they_are(read, pictures):
    results = read(pictures, batch_size=3, generate_kwargs={"num_beams": 3})
    sequences = read.model.generate(**read.processor(images=pictures), num_beams=3)
    assert [result["objects"] for result in results] == read.processor.post_process_objects(sequences)
    assert all(0 < number <= 1 for result in results for number in result["confidences"])


def test_what_is_given_at_the_start_holds(read, pictures):
    asked, generate = [], read.model.generate
    searching = ImageToSpecPipeline(model=read.model, processor=read.processor, generate_kwargs={"num_beams": 2})

    def listen(num_beams, **options):
        asked.append(num_beams)
        return generate(num_beams=num_beams, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read.model, "generate", listen)
        searching(pictures[0])
    assert asked == [2]


def test_of_no_pictures_nothing_is_read(read):
    assert read([]) == []


def test_bad_input_is_named(read, tmp_path):
    path = tmp_path / "no_picture.png"
    path.write_text("hello")
    with pytest.raises(ImageError, match="no_picture.png: not a picture"):
        read(str(path))
    with pytest.raises(ValueError, match="generate_kwargs: use_grammar"):
        read(str(path), generate_kwargs={"use_grammar": False})
    with pytest.raises(ValueError, match="the processor: not given"):
        ImageToSpecPipeline(model=read.model, tokenizer=read.processor.tokenizer)
    assert torch.is_grad_enabled()
