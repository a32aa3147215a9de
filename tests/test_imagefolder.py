"""Imagefolders: every kind of picture is read, and every mistake is an error that names the file and the line."""

import json
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets_scripts.imagefolder import ImageFolderError, read_imagefolder
from modeling_derender.image_io import to_uint8
from modeling_derender.language import Language


COORDINATE = {"domain": "coordinate"}
LANGUAGE = Language.from_dict(
    {
        "name": "marks",
        "version": "1",
        "canvas": {"width": 8, "height": 8, "y_axis": "up", "pixels": [16, 16], "channels": 1},
        "domains": [
            {"name": "coordinate", "type": "integer", "minimum": 0, "maximum": 7},
            {"name": "filled", "type": "flag"},
        ],
        "categories": [
            {"name": "dot", "properties": [{"name": "x", **COORDINATE}, {"name": "y", **COORDINATE}]},
            {"name": "ring", "properties": [{"name": "x", **COORDINATE}, {"name": "filled", "domain": "filled"}]},
        ],
    }
)
DOT = {"category": "dot", "x": 1, "y": 7}


def write_folder(folder: Path, *lines) -> Path:
    """An imagefolder with the picture a.png and these lines: dicts, or text as it stands."""
    folder.mkdir(exist_ok=True)
    Image.new("L", (16, 16), 255).save(folder / "a.png")
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (folder / "metadata.jsonl").write_text(text + "\n", encoding="utf-8")
    return folder


def entry(*objects, file_name="a.png"):
    return {"file_name": file_name, "objects": list(objects)}


def error_of(folder, take=False) -> str:
    with pytest.raises(ImageFolderError) as caught:
        list(read_imagefolder(folder, LANGUAGE)) if take else read_imagefolder(folder, LANGUAGE)
    return str(caught.value)


def test_reads_examples_in_order(tmp_path):
    absent = {"category": "ring", "filled": True, "x": 0, "y": None}
    folder = write_folder(tmp_path, entry(DOT), "", "   ", entry(absent, DOT), entry())
    examples = read_imagefolder(folder, LANGUAGE)
    assert len(examples) == 3
    ring = {"category": "ring", "x": 0, "filled": True}
    assert [example["objects"] for example in examples] == [[DOT], [ring, DOT], []]
    assert examples[2]["file_name"] == "a.png" and examples[2]["image"].size == (16, 16)


def test_limit_reads_no_further(tmp_path):
    examples = read_imagefolder(write_folder(tmp_path, entry(DOT), entry(DOT), "not JSON"), LANGUAGE, limit=2)
    assert len(examples) == 2


def test_missing_folder(tmp_path):
    assert error_of(tmp_path / "nowhere") == f"{tmp_path / 'nowhere'}: no such folder"


def test_missing_metadata(tmp_path):
    assert error_of(tmp_path) == f"{tmp_path}: holds no metadata.jsonl"


def test_no_pictures(tmp_path):
    assert "names no picture" in error_of(write_folder(tmp_path, ""))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"file_name": "a.png", "objects": [}', "not JSON: Expecting value"),
        ('["a.png", []]', "not of the form"),
        ('{"file_name": "a.png", "objects": [{"category": "dot", "x": 1, "y": ' + "7" * 5_000 + "}]}", "not JSON"),
        ('{"file_name": "a.png", "objects": ' + "[" * 100_000, "not JSON"),
        ({"objects": []}, "has no 'file_name'"),
        ({"file_name": "a.png"}, "has no 'objects'"),
        (entry(file_name="b.png"), "b.png: no such file"),
        (entry(file_name="../a.png"), "leads out of the folder"),
        (entry(file_name="sub/../../a.png"), "leads out of the folder"),
        (entry(file_name="..\\a.png"), "leads out of the folder"),
        (entry(file_name="/etc/hostname"), "leads out of the folder"),
        (entry(file_name="C:\\a.png"), "leads out of the folder"),
        (entry(file_name="."), "no such file"),
        (entry(file_name="a" * 300), "File name too long"),
        (entry(file_name="\0"), "is not the name of a file"),
        (entry(file_name=""), "is not the name of a file"),
        (entry(file_name=3), "3 is not the name of a file"),
        ({"file_name": "a.png", "objects": "dot"}, "objects must be a list"),
        (entry("dot"), "object 1: an object is a mapping"),
        (entry(DOT, {"category": "star", "x": 1}), "object 2: unknown category 'star'; known: dot, ring"),
        (entry({"x": 1}), "object 1: an object needs the property 'category'"),
        (entry({**DOT, "x": 8}), "object 1: dot: x: 8 is not one of 0..7"),
        (entry({**DOT, "x": -1}), "object 1: dot: x: -1 is not one of 0..7"),
        (entry({**DOT, "x": 1.5}), "object 1: dot: x: 1.5 is not an integer"),
        (entry({**DOT, "filled": False}), "object 1: dot: has no property 'filled'"),
        (entry({"category": "dot", "x": 1}), "object 1: dot: property 'y' is missing"),
        (entry({**DOT, "y": None}), "object 1: dot: property 'y' is missing"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, reason):
    message = error_of(write_folder(tmp_path, entry(DOT), "", line, entry(DOT)))
    assert message.startswith(f"{tmp_path / 'metadata.jsonl'}, line 3: ")
    assert reason in message


def test_a_line_that_is_no_text_is_named(tmp_path):
    folder = write_folder(tmp_path, entry(DOT))
    with open(folder / "metadata.jsonl", "ab") as file:
        file.write(b'{"file_name": "\xff.png"}\n')
    assert "line 2: not JSON" in error_of(folder)


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG's signature and header, then these chunks."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def picture_folder(folder: Path, content: bytes) -> Path:
    write_folder(folder, entry(DOT), entry(DOT, file_name="bad.png"))
    (folder / "bad.png").write_bytes(content)
    return folder


def whole_png(folder: Path) -> bytes:
    path = folder / "noise.png"
    Image.fromarray(np.random.default_rng(0).integers(256, size=(64, 64), dtype=np.uint8)).save(path)
    return path.read_bytes()


def test_not_a_picture(tmp_path):
    message = error_of(picture_folder(tmp_path, b"hello"), take=True)
    assert message.startswith(f"{tmp_path / 'metadata.jsonl'}, line 2: {tmp_path / 'bad.png'}: not a picture")


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_truncated_picture(tmp_path, share):
    content = whole_png(tmp_path)
    message = error_of(picture_folder(tmp_path, content[: int(len(content) * share)]), take=True)
    assert f"line 2: {tmp_path / 'bad.png'}: cannot be read" in message


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_picture_of_size_zero(tmp_path, size):
    data = chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    assert f"line 2: {tmp_path / 'bad.png'}: " in error_of(picture_folder(tmp_path, png(*size, data)), take=True)


def test_empty_file(tmp_path):
    assert f"line 2: {tmp_path / 'bad.png'}: not a picture" in error_of(picture_folder(tmp_path, b""), take=True)


@pytest.mark.parametrize("size", [(20_000, 20_000), (8_000, 8_000), (100_000, 1_000)])
def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path, size):
    width, height = size
    pixels = zlib.compressobj(9)
    rows = b"".join(pixels.compress(bytes(width + 1)) for _ in range(height // 100)) + pixels.flush()
    folder = picture_folder(tmp_path, png(width, height, chunk(b"IDAT", rows), chunk(b"IEND", b"")))
    tracemalloc.start()
    message = error_of(folder, take=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert f"line 2: {tmp_path / 'bad.png'}: " in message and "pixels" in message
    assert peak < 2_000_000


def test_no_pixel_of_a_huge_picture_is_loaded(tmp_path, monkeypatch):
    """Pillow's own buffers are not Python's memory: that they are never asked for is checked here."""
    folder = picture_folder(tmp_path, png(20_000, 20_000, chunk(b"IDAT", b""), chunk(b"IEND", b"")))
    examples = read_imagefolder(folder, LANGUAGE)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda *_: pytest.fail("decoded"))
    with pytest.raises(ImageFolderError, match="line 2"):
        examples[1]


RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.fromarray(RAMP), RAMP),
        (Image.fromarray(RAMP).convert("RGB"), RAMP),
        (Image.merge("RGBA", [Image.new("L", (16, 16), 0)] * 3 + [Image.fromarray(RAMP)]), 255 - RAMP),
        (Image.fromarray(RAMP.astype(np.uint16) * 257), RAMP),
        (Image.fromarray(RAMP).convert("P"), RAMP),
        (Image.fromarray(RAMP).convert("1", dither=Image.Dither.NONE), (RAMP > 127) * 255),
        (Image.merge("LA", [Image.fromarray(RAMP), Image.new("L", (16, 16), 255)]), RAMP),
    ],
    ids=["grey", "rgb", "transparent", "16-bit", "palette", "1-bit", "grey-alpha"],
)
def test_every_mode_is_read_alike(tmp_path, image, expected):
    folder = write_folder(tmp_path, entry(DOT, file_name="kind.png"))
    image.save(folder / "kind.png")
    (example,) = read_imagefolder(folder, LANGUAGE)
    grey = to_uint8(example["image"], channels=1)[:, :, 0].astype(int)
    assert np.abs(grey - expected.astype(int)).max() <= 1


def test_real_pictures_are_read():
    from datasets_scripts import load_language_folder

    folder = Path(__file__).parents[2] / "shared" / "data" / "noisy_shapes_tikz"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent")
    examples = read_imagefolder(folder, load_language_folder("noisy_shapes").LANGUAGE)
    assert len(examples) == 200
    assert examples[199]["image"].size == (256, 256)
