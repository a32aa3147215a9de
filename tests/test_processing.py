"""Image processor, tokenizer and processor: every kind of picture in, labels out, saved and loaded without loss."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from memory import forget_peak, peak_memory
from PIL import Image
from transformers import AutoTokenizer

from datasets_scripts.noisy_shapes.language import LANGUAGE
from datasets_scripts.noisy_shapes.renderer import render_batch
from datasets_scripts.noisy_shapes.sampler import sample_scene
from modeling_derender import DerenderProcessor
from modeling_derender.image_io import MAX_PIXELS, ImageError, open_image, to_uint8
from modeling_derender.image_processing_derender import average_areas, resize


CIRCLE = {"category": "circle", "x": 3, "y": 12}
LINE = {"category": "line", "x1": 9, "y1": 1, "x2": 2, "y2": 2, "arrow": True, "solid": False}


@pytest.fixture(scope="module")
def processor():
    return DerenderProcessor.from_language(LANGUAGE, image_size=(64, 64), max_length=80)


@pytest.fixture(scope="module")
def grey():
    """A 64 x 64 drawing: black strokes on white."""
    picture = np.full((64, 64), 255, np.uint8)
    picture[10:14, 5:60] = 0
    picture[20:50, 30:33] = 0
    return picture


def pixels(processor, image):
    return processor(images=image)["pixel_values"]


def as_rgba(grey):
    """Black ink with the drawing in the alpha channel alone."""
    return Image.fromarray(np.dstack([np.zeros((64, 64, 3), np.uint8), 255 - grey]))


FORMS = {
    "L": lambda grey: Image.fromarray(grey),
    "1": lambda grey: Image.fromarray(grey).convert("1"),
    "P": lambda grey: Image.fromarray(grey).convert("P"),
    "RGB": lambda grey: Image.fromarray(grey).convert("RGB"),
    "CMYK": lambda grey: Image.fromarray(grey).convert("RGB").convert("CMYK"),
    "transparent RGBA": as_rgba,
    "transparent LA": lambda grey: as_rgba(grey).convert("LA"),
    "16-bit": lambda grey: Image.fromarray(grey.astype(np.uint16) * 257),
    "12 of 16 bits": lambda grey: Image.fromarray((grey.astype(np.uint16) * 257) >> 4),
    "8 of 16 bits": lambda grey: Image.fromarray(grey.astype(np.uint16)),
    "8 of 32 bits": lambda grey: Image.fromarray(grey.astype(np.int32)),
    "float PIL to 255": lambda grey: Image.fromarray(grey.astype(np.float32)),
    "float PIL": lambda grey: Image.fromarray(grey.astype(np.float32) / 255),
    "array HW": lambda grey: grey,
    "array HWC": lambda grey: np.repeat(grey[:, :, None], 3, axis=2),
    "array CHW": lambda grey: np.repeat(grey[None], 3, axis=0),
    "float array": lambda grey: grey / 255,
    "bool array": lambda grey: grey > 127,
    "tensor": lambda grey: torch.from_numpy(grey)[None],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_picture_gives_the_same_pixels(processor, grey, form):
    expected = (grey / 255 - 1) / 0.5
    values = pixels(processor, FORMS[form](grey))
    assert values.shape == (1, 1, 64, 64) and values.dtype == torch.float32
    assert np.abs(values[0, 0].numpy() - expected).max() < 1e-6


def test_files_of_every_form_open(processor, grey, tmp_path):
    for number, form in enumerate(("L", "1", "P", "RGB", "transparent RGBA", "16-bit")):
        path = tmp_path / f"{number}.png"
        FORMS[form](grey).save(path)
        assert torch.allclose(pixels(processor, open_image(path)), pixels(processor, grey), atol=1e-6), form


def test_shrinking_averages_areas_and_keeps_the_aspect(processor):
    fine = np.random.default_rng(0).integers(0, 256, (256, 256), dtype=np.uint8)
    averaged = fine.reshape(64, 4, 64, 4).mean((1, 3))
    assert np.abs(pixels(processor, fine)[0, 0].numpy() - (averaged / 255 - 1) / 0.5).max() < 1.1 / 255 / 0.5
    wide = pixels(processor, np.zeros((20, 80), np.uint8))[0, 0]
    assert (wide[24:40] == -2).all() and (wide[:24] == 0).all() and (wide[40:] == 0).all()


@pytest.mark.parametrize("shape", [(16, 16, 9, 12), (30, 21, 7, 7), (5, 5, 5, 5), (40, 8, 5, 8)])
def test_to_shrink_takes_the_share_of_each_pixel(shape):
    height, width, low, narrow = shape
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    means = pixels.repeat(low, 0).repeat(narrow, 1).reshape(low, height, narrow, width, 3).mean(axis=(1, 3))
    found = resize(pixels, low, narrow, Image.Resampling.BOX)
    assert found.dtype == np.uint8 and np.abs(found - means).max() < 0.501
    assert np.ptp(resize(np.full_like(pixels, 200), low, narrow, Image.Resampling.BOX)) == 0


@pytest.mark.parametrize("shape", [(1, 1_000_000), (1_000_000, 1)])
def test_to_shrink_a_very_long_picture_takes_little(shape):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    forget_peak()
    before = peak_memory()
    found = average_areas(pixels, *(1 if side == 1 else 10 for side in shape))
    assert peak_memory() - before < 4 * pixels.nbytes  # one by one, the shares of its pixels would take more
    assert np.abs(found.reshape(10, 3) - pixels.reshape(10, -1, 3).mean(axis=1)).max() < 1


def test_a_picture_shrunk_is_like_one_drawn_small():
    objects = sample_scene(np.random.default_rng(4), 6, 6)
    large, small = (render_batch([objects], (size, size))[0] for size in (256, 192))
    found = resize(large[..., None], 192, 192, Image.Resampling.BOX)[..., 0]
    assert np.abs(found.astype(float) - small).mean() < 1.5 and (small < 128).any()


def test_batches_may_mix_sizes_and_modes(processor, grey):
    values = pixels(processor, [Image.fromarray(grey), np.zeros((256, 100, 3), np.uint8), grey])
    assert values.shape == (3, 1, 64, 64) and torch.equal(values[0], values[2])


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (
            Image.fromarray(np.full((4, 4), -3, np.int32)),
            "values are from -3 to -3: want 0 to 1, or 0 to 65535",
        ),
        (Image.fromarray(np.full((4, 4), 70_000, np.int32)), "its grey values are from 70000 to 70000"),
        (Image.fromarray(np.full((4, 4), np.nan, np.float32)), "its grey values are from nan to nan"),
        (np.full((4, 4), 3.0), "floats in"),
        (np.full((4, 4), np.nan), "floats in"),
        (np.zeros((4, 4), np.int64), "int64"),
        (np.zeros((5, 5, 7), np.uint8), "shape"),
        (np.zeros((0, 4), np.uint8), "empty"),
        (np.zeros(4, np.uint8), "shape"),
    ],
)
def test_arrays_that_are_no_pictures_are_refused(array, says):
    with pytest.raises(ImageError, match=says):
        to_uint8(array, channels=1)


@pytest.mark.parametrize(
    ("item", "says"), [("a.png", "'a.png' is the name"), (Path("a.png"), "open_image"), (None, "None"), ({}, "a dict")]
)
def test_what_is_given_by_mistake_is_named(processor, grey, item, says):
    with pytest.raises(ImageError, match=says):
        processor(images=[Image.fromarray(grey), item])


def png_header(width, height):
    """A PNG that claims a size and holds a single row's worth of data."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a picture"),
        (b"objects", "not a picture"),
        (png_header(64, 64), "cannot be read"),
        (png_header(0, 64), "empty|cannot be read|not a picture"),
        (png_header(20_000, 20_000), "limit|decompression bomb"),
        (png_header(8_000, 8_000), "over the limit"),
    ],
    ids=["nothing", "text", "cut short", "no width", "20,000 x 20,000", "8,000 x 8,000"],
)
def test_files_that_are_no_pictures_are_refused_by_name(tmp_path, content, says):
    path = tmp_path / "odd.png"
    path.write_bytes(content)
    forget_peak()
    before = peak_memory()
    with pytest.raises(ImageError, match=f"odd.png.*({says})"):
        open_image(path)
    assert peak_memory() - before < MAX_PIXELS  # less than the pixels at the limit


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(ImageError, match="none.png: no such file"):
        open_image(tmp_path / "none.png")


def test_labels_are_ordered_closed_and_padded(processor):
    labels = processor(objects=[[LINE, CIRCLE], []])["labels"]
    words = [LANGUAGE.vocabulary[token] for token in labels[0]]
    assert " ".join(words) == "circle 3 12 line 9 1 2 2 arrow-dashed </s>"
    assert labels[1].tolist() == [LANGUAGE.eos_token_id] + [-100] * 9
    assert torch.equal(processor(text="circle 3 12\nline 9 1 2 2 arrow-dashed")["labels"], labels[:1])
    orders = {
        tuple(
            processor(objects=[[LINE, CIRCLE]], order="random", rng=np.random.default_rng(seed))["labels"][0].tolist()
        )
        for seed in range(9)
    }
    assert len(orders) == 2


def test_wrong_inputs_are_refused(processor):
    with pytest.raises(ValueError, match="object 1: unknown category"):
        processor(objects=[[{"category": "blob"}]])
    with pytest.raises(ValueError, match="give images, objects or text"):
        processor()
    with pytest.raises(ImageError, match="images: an empty list"):
        processor(images=[])
    with pytest.raises(ImageError, match="images: an empty list"):
        processor.image_processor(np.zeros((0, 64, 64, 1), np.uint8))
    for name in ("objects", "text"):
        with pytest.raises(ValueError, match="objects or text: an empty list"):
            processor(**{name: []})
    with pytest.raises(ValueError, match="one of them"):
        processor(objects=[[]], text="")
    with pytest.raises(Exception, match="(?i)unk|vocab"):
        processor(text="circle three 4")


def test_the_round_trip_through_a_folder_is_exact(processor, grey, tmp_path):
    processor.save_pretrained(tmp_path)
    again = DerenderProcessor.from_pretrained(tmp_path)
    assert again.language == LANGUAGE.to_dict()
    assert again.image_processor.to_dict() == processor.image_processor.to_dict()
    assert torch.equal(pixels(again, grey), pixels(processor, grey))
    assert again.post_process_objects([[1, 4, 10, 19, 2, 0]]) == [[CIRCLE]]
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert tokenizer("circle 3 12").input_ids == [1, 4, 10, 19, 2]
    assert tokenizer.decode([1, 4, 10, 19, 2], skip_special_tokens=True) == "circle 3 12"
    assert len(tokenizer) == LANGUAGE.vocab_size == tokenizer.vocab_size
