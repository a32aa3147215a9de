"""Damaged, odd and hostile picture files, each a function of a random generator: (name, content)."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, PngImagePlugin
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from datasets_scripts.noisy_shapes import render, sample_scene


FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "ICO", "PCX", "SGI", "JPEG2000", "DDS", "BLP")
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def draw(rng: np.random.Generator) -> Image.Image:
    return Image.fromarray(render(sample_scene(rng, 1, 12), rng=rng))


def encode(image: Image.Image, form: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def any_format(rng: np.random.Generator) -> tuple[str, bytes]:
    form = str(rng.choice(FORMATS))
    mode = str(rng.choice(["L", "RGB"])) if form not in ("PPM", "ICO", "PCX", "BLP") else "RGB"
    image = draw(rng).convert("P" if form == "BLP" else mode)
    return f"whole.{form.lower()}", encode(image, form)


def cut(rng: np.random.Generator) -> tuple[str, bytes]:
    name, content = any_format(rng)
    return f"cut_{name}", content[: rng.integers(len(content))]


def flipped(rng: np.random.Generator) -> tuple[str, bytes]:
    name, content = any_format(rng)
    changed = np.frombuffer(content, np.uint8).copy()
    places = rng.integers(len(changed), size=rng.integers(1, 30))
    changed[places] ^= (1 << rng.integers(8, size=len(places))).astype(np.uint8)
    return f"flipped_{name}", changed.tobytes()


def overwritten_head(rng: np.random.Generator) -> tuple[str, bytes]:
    name, content = any_format(rng)
    keep, length = int(rng.integers(2, 40)), int(rng.integers(1, 60))
    return f"head_{name}", content[:keep] + rng.bytes(length) + content[keep + length :]


def wrong_ending(rng: np.random.Generator) -> tuple[str, bytes]:
    name, content = any_format(rng)
    return f"wrong.{rng.choice(['png', 'jpg', 'gif', 'txt', 'tiff'])}", content


def no_picture(rng: np.random.Generator) -> tuple[str, bytes]:
    contents = {
        "empty.png": b"", "text.png": b"hello\n" * 100, "page.jpg": b"<html><script>alert(1)</script></html>",
        "random.gif": rng.bytes(int(rng.integers(1, 5000))), "archive.png": b"PK\x03\x04" + rng.bytes(500),
        "signature.png": SIGNATURE, "jpeg.jpg": b"\xff\xd8\xff", "zeros.bmp": bytes(2000),
        "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>',
        "script.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(written) (w) file closefile\n%%EOF\n",
        "script.pdf": b"%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n",
    }  # fmt: skip
    name = str(rng.choice(sorted(contents)))
    return name, contents[name]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png(width: int, height: int, data: bytes, depth: int = 8, colour: int = 0, *more: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return SIGNATURE + _chunk(b"IHDR", head) + b"".join(more) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def huge_header(rng: np.random.Generator) -> tuple[str, bytes]:
    """A few bytes that claim up to 2**31 pixels a side."""
    width, height = (int(2 ** rng.uniform(0, 31)) for _ in range(2))
    kind = rng.integers(3)
    if kind == 0:
        return "huge.png", _png(width, height, zlib.compress(bytes(1000)))
    if kind == 1:
        return "huge.bmp", b"BM" + struct.pack(
            "<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0
        )
    return "huge.gif", b"GIF89a" + struct.pack("<HHBBB", width % 65536, height % 65536, 0, 0, 0) + b",;"


def bomb(rng: np.random.Generator) -> tuple[str, bytes]:
    """Small files of many pixels, below Pillow's limit and above it."""
    side = int(rng.choice([3000, 7000, 7071, 7100, 12000]))
    rows = zlib.compress(bytes((side + 7) // 8 + 1) * side, 9)
    return f"bomb_{side}.png", _png(side, side, rows, depth=1)


def colour_bomb(rng: np.random.Generator) -> tuple[str, bytes]:
    side = int(rng.choice([4000, 7000]))
    compressor = zlib.compressobj(1)
    row = bytes(4 * side + 1)
    data = b"".join(compressor.compress(row) for _ in range(side)) + compressor.flush()
    return f"colour_bomb_{side}.png", _png(side, side, data, 8, 6)


def chunk_bomb(rng: np.random.Generator) -> tuple[str, bytes]:
    """Text that unpacks to a hundred million letters, beside a picture."""
    text = b"key\0\0" + zlib.compress(bytes(100_000_000 if rng.random() < 0.3 else 1_000_000), 9)
    return "chunk.png", _png(16, 16, zlib.compress(bytes(17 * 16)), 8, 0, _chunk(b"zTXt", text))


def animated(rng: np.random.Generator) -> tuple[str, bytes]:
    frames = [draw(rng) for _ in range(int(rng.integers(2, 6)))]
    form = str(rng.choice(["GIF", "PNG", "WEBP", "TIFF"]))
    return f"animated.{form.lower()}", encode(frames[0], form, save_all=True, append_images=frames[1:])


def odd_mode(rng: np.random.Generator) -> tuple[str, bytes]:
    image, mode = draw(rng), str(rng.choice(["CMYK", "LAB", "1", "P", "LA", "RGBA", "I", "F", "I;16", "YCbCr", "nan"]))
    if mode == "nan":
        values = rng.choice([np.nan, np.inf, -1e30, 0.5], (64, 64)).astype(np.float32)
        return "nan.tiff", encode(Image.fromarray(values), "TIFF")
    if mode == "I;16":
        return "deep.png", encode(Image.fromarray(np.asarray(image).astype(np.uint16) * 257), "PNG")
    form = "TIFF" if mode in ("CMYK", "LAB", "I", "F") else "JPEG" if mode == "YCbCr" else "PNG"
    changed = Image.merge("LAB", [image] * 3) if mode == "LAB" else image.convert(mode)
    return f"{mode}.{form.lower()}", encode(changed, form)


def odd_size(rng: np.random.Generator) -> tuple[str, bytes]:
    width, height = (int(rng.choice([1, 2, 3, 17, 255, 2000, 20000])) for _ in range(2))
    if width * height > 4_000_000:
        height = 1
    return f"{width}x{height}.png", encode(draw(rng).resize((width, height)), "PNG")


def odd_content(rng: np.random.Generator) -> tuple[str, bytes]:
    kind = int(rng.integers(5))
    if kind == 0:
        array = rng.integers(0, 256, (200, 300, 3), np.uint8)
    elif kind == 1:
        array = np.full((200, 200), rng.integers(256), np.uint8)
    elif kind == 2:
        array = np.tile(np.linspace(0, 255, 300), (200, 1)).astype(np.uint8)
    elif kind == 3:
        array = (255 * (rng.random((256, 256)) > rng.uniform(0, 0.5))).astype(np.uint8)
    else:
        array = np.where(np.indices((300, 300)).sum(0) % int(rng.integers(2, 40)), 255, 0).astype(np.uint8)
    return f"content_{kind}.png", encode(Image.fromarray(array), "PNG")


def bad_metadata(rng: np.random.Generator) -> tuple[str, bytes]:
    kind = int(rng.integers(3))
    if kind == 0:
        return "exif.jpg", encode(draw(rng), "JPEG", exif=b"Exif\0\0" + rng.bytes(60))
    if kind == 1:
        return "profile.png", encode(draw(rng), "PNG", icc_profile=rng.bytes(500))
    information = PngImagePlugin.PngInfo()
    information.add_text("a" * 70, "b" * 100_000)
    return "text.png", encode(draw(rng), "PNG", pnginfo=information)


def turned(rng: np.random.Generator) -> tuple[str, bytes]:
    exif = Image.Exif()
    exif[0x0112] = int(rng.choice([2, 3, 6, 8, 9, 77]))
    return "turned.jpg", encode(draw(rng), "JPEG", exif=exif)


def bad_tiff(rng: np.random.Generator) -> tuple[str, bytes]:
    """Strips that lie outside the file, and sizes that are not those of the data."""
    directory = ImageFileDirectory_v2()
    directory[256], directory[257] = (int(2 ** rng.uniform(0, 20)) for _ in range(2))
    directory[258], directory[259], directory[262] = 8, int(rng.choice([1, 5, 7, 32773])), 1
    directory[273], directory[279] = int(2 ** rng.uniform(0, 31)), int(2 ** rng.uniform(0, 31))
    return "strips.tiff", b"II*\0\x08\0\0\0" + directory.tobytes(8) + rng.bytes(100)


def icon_bomb(rng: np.random.Generator) -> tuple[str, bytes]:
    """An icon that says it is small, around a picture that is not."""
    side = int(rng.choice([3000, 9000, 12000]))
    inner = _png(side, side, zlib.compress(bytes((side + 7) // 8 + 1) * side, 9), depth=1)
    return f"icon_{side}.ico", struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(inner), 22) + inner


def bad_blocks(rng: np.random.Generator) -> tuple[str, bytes]:
    """Formats of games, whose readers trust what they read."""
    width, height = (int(rng.integers(1, 600)) for _ in range(2))
    if rng.integers(2):
        head = b"qoif" + struct.pack(">IIBB", width, height, int(rng.choice([3, 4])), 0)
        return "blocks.qoi", head + rng.bytes(int(rng.integers(2000)))
    name, content = "blocks.dds", encode(draw(rng).convert("RGB"), "DDS")
    return name, content[:84] + rng.bytes(4) + content[88 : rng.integers(100, len(content))]


KINDS: tuple[Callable, ...] = (
    any_format, cut, cut, cut, flipped, flipped, flipped, overwritten_head, wrong_ending, no_picture, huge_header,
    bomb, chunk_bomb, animated, odd_mode, odd_size, odd_content, bad_metadata, turned, bad_tiff,
    icon_bomb, bad_blocks,
)  # fmt: skip


def make_pictures(count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """`count` files of all kinds in turn, and one of 50 million pixels in colour for every hundred."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        kind = colour_bomb if number % 100 == 50 else KINDS[number % len(KINDS)]
        name, content = kind(rng)
        yield f"{number:04d}_{name}", content
