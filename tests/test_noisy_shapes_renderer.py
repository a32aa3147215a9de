"""The renderers of Noisy Shapes: what they draw, the noise, small pictures, and the closeness to real TikZ."""

import inspect
import shutil

import numpy as np
import pytest

from benchmarks.renderer_closeness import REAL_DATA, ink_share, read_real_data, stroke_width
from datasets_scripts.noisy_shapes import drawing, strokes, tikz
from datasets_scripts.noisy_shapes.image_noise import add_image_noise, invert_pixels, sample_image_noise
from datasets_scripts.noisy_shapes.renderer import render, render_batch
from datasets_scripts.noisy_shapes.renderers import RENDERERS
from datasets_scripts.noisy_shapes.sampler import sample_scene


needs_tikz = pytest.mark.skipif(
    not (shutil.which("pdflatex") and shutil.which("pdftoppm")), reason="pdflatex or pdftoppm is not installed"
)
CIRCLE = {"category": "circle", "x": 4, "y": 11}
RECTANGLE = {"category": "rectangle", "x1": 8, "y1": 2, "x2": 14, "y2": 6}
ARROW = {"category": "line", "x1": 2, "y1": 3, "x2": 6, "y2": 3, "arrow": True, "solid": True}
LINE = {**ARROW, "arrow": False}
DASHED = {**LINE, "solid": False}


def generators(count: int, seed: int = 0) -> list[np.random.Generator]:
    return [np.random.default_rng([seed, index]) for index in range(count)]


@pytest.fixture(scope="module")
def scenes() -> list[list[dict]]:
    rng = np.random.default_rng(7)
    return [sample_scene(rng) for _ in range(100)]


def ink(pictures: np.ndarray) -> np.ndarray:
    return 255.0 - pictures


def average(pictures: np.ndarray, size: int) -> np.ndarray:
    """Box average of (B, H, W) to (B, size, size)."""
    factor = pictures.shape[1] // size
    return pictures.reshape(len(pictures), size, factor, size, factor).mean((2, 4))


# Shape and determinism


@pytest.mark.parametrize("size", [256, 224, 128, 64, 32, 300])
def test_shape_dtype_and_some_ink(size, scenes):
    for rng in (None, np.random.default_rng(0)):
        picture = render(scenes[0], (size, size), rng)
        assert picture.shape == (size, size)
        assert picture.dtype == np.uint8
        assert 0.002 < ink_share(picture[None])[0] < 0.2


def test_same_seed_same_bytes(scenes):
    first, again = (render(scenes[0], rng=np.random.default_rng(3)) for _ in range(2))
    assert (first == again).all()
    assert (first != render(scenes[0], rng=np.random.default_rng(4))).any()
    assert (render(scenes[0]) == render(scenes[0])).all()


@pytest.mark.parametrize("size", [256, 64])
@pytest.mark.parametrize("kind", ["noisy", "no image noise", "clean"])
def test_batch_has_the_bytes_of_single_pictures(size, kind, scenes):
    some = [*scenes[:8], [], *scenes[8:12]]
    rngs = (lambda: None) if kind == "clean" else (lambda: generators(len(some)))
    image_noise = kind == "noisy"
    batch = render_batch(some, (size, size), rngs(), image_noise)
    singles = [
        render(scene, (size, size), rng, image_noise)
        for scene, rng in zip(some, rngs() or [None] * len(some), strict=True)
    ]
    assert (batch == np.stack(singles)).all()


def test_chunks_do_not_show(scenes):
    size = (64, 64)
    many = scenes + scenes[:60]
    parts = [render_batch(many[part], size, generators(160)[part]) for part in (slice(0, 70), slice(70, 160))]
    assert (render_batch(many, size, generators(160)) == np.concatenate(parts)).all()


def test_blank_and_empty():
    assert (render([]) == 255).all()
    assert render_batch([], (64, 64)).shape == (0, 64, 64)
    assert render_batch([], (64, 64), []).shape == (0, 64, 64)


@pytest.mark.parametrize("size", [(64, 128), (0, 0), (-8, -8)])
def test_bad_size(size):
    with pytest.raises(ValueError, match="square"):
        render([], size)
    with pytest.raises(ValueError, match="square"):
        tikz.render_tikz([], size=size)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"category": "ellipse", "x": 1, "y": 2}, "ellipse"),
        ({"category": "circle", "x": 4}, "'y'"),
        ({"category": "circle", "x": 4, "y": None}, "None"),
        ({"category": "circle", "x": 4, "y": "seven"}, "seven"),
        ({"category": "circle", "x": 4, "y": "7"}, "'7'"),
        ({"category": "circle", "x": 4, "y": float("nan")}, "nan"),
        ({"category": "circle", "x": 4, "y": [7]}, r"\[7\]"),
        ({"category": "circle", "x": 4, "y": 10**30}, "1000"),
        ({**LINE, "solid": None}, "None"),
        ({**LINE, "arrow": None}, "None"),
        ({**LINE, "solid": "no"}, "'no'"),
        ({key: LINE[key] for key in LINE if key != "solid"}, "'solid'"),
    ],
)
def test_bad_object_is_named(item, message):
    with pytest.raises(ValueError, match=message):
        render([CIRCLE, item])


def test_every_scene_needs_a_generator():
    with pytest.raises(ValueError, match="2 scenes"):
        render_batch([[], []], rngs=generators(1))


# Clean geometry: 16 pixels a unit, y up


def test_clean_circle_lies_where_it_should():
    picture = render([CIRCLE])
    centre_row, centre_column = 256 - 11 * 16, 4 * 16
    rows, columns = np.nonzero(picture < 255)
    distance = np.hypot(rows + 0.5 - centre_row, columns + 0.5 - centre_column)
    assert distance.min() > 16 - 2.5
    assert distance.max() < 16 + 2.5
    angles = np.arctan2(rows + 0.5 - centre_row, columns + 0.5 - centre_column)
    assert np.diff(np.sort(angles)).max() < 0.15  # no gap


def test_clean_rectangle_lies_where_it_should():
    picture = render([RECTANGLE])
    rows, columns = np.nonzero(picture < 128)
    assert (rows.min(), rows.max()) == (256 - 6 * 16 - 1, 256 - 2 * 16)
    assert (columns.min(), columns.max()) == (8 * 16 - 1, 14 * 16)
    assert (picture[256 - 6 * 16, 8 * 16 : 14 * 16] == 0).all()
    assert (picture[256 - 5 * 16 : 256 - 3 * 16, 9 * 16 : 13 * 16] == 255).all()


def test_clean_line_lies_where_it_should():
    picture = render([LINE])
    rows, columns = np.nonzero(picture < 200)
    assert set(rows) == {256 - 3 * 16 - 1, 256 - 3 * 16}
    assert (columns.min(), columns.max()) == (2 * 16, 6 * 16 - 1)


def test_dashes_and_arrow_tips_show():
    assert 0.3 < ink(render([DASHED])).sum() / ink(render([LINE])).sum() < 0.7
    plain, arrow = render([LINE]), render([ARROW])
    assert ink(arrow).sum() > 1.1 * ink(plain).sum()
    assert (plain != arrow)[:, : 4 * 16].sum() == 0  # the tip is at the second end


@pytest.mark.parametrize("tip", [drawing.TO, drawing.STEALTH, drawing.LATEX])
def test_each_tip_ends_at_the_second_point_and_is_symmetric(tip, monkeypatch):
    monkeypatch.setattr(drawing, "_CLEAN_TIP", tip)
    picture = ink(render([ARROW]))
    assert np.nonzero(picture.max(axis=0) > 100)[0].max() in range(6 * 16 - 3, 6 * 16 + 1)
    middle = 256 - 3 * 16
    above, below = picture[middle - 12 : middle][::-1], picture[middle : middle + 12]
    assert np.abs(above - below).max() <= 24  # an edge may fall on either side of a cell
    assert above[3:].max() > 100


@pytest.mark.parametrize("size", [256, 64])
def test_strokes_outside_the_canvas_are_cut(size):
    outside = [{**LINE, "x1": -5, "x2": 30, "y1": 16, "y2": 16}, {**CIRCLE, "x": 16, "y": 0}]
    unit = size // 16
    for rng in (None, np.random.default_rng(0)):
        inked = ink(render(outside, (size, size), rng, image_noise=False)) > 0
        edge, corner = np.zeros_like(inked), np.zeros_like(inked)
        edge[:unit], corner[-2 * unit :, -2 * unit :] = True, True
        assert (inked & edge).any(axis=0).mean() > 0.9 and (inked & corner).any()
        assert not (inked & ~edge & ~corner).any()


# Drawing noise


def test_drawing_noise_has_the_spread_of_the_data():
    count = 2_000
    objects = [CIRCLE, RECTANGLE, {**ARROW, "solid": False}, {**ARROW, "x2": 3}]
    drawn = drawing.draw([objects] * count, generators(count))
    width = drawn.line_width.reshape(count, 4)
    spread = 0.53956  # standard deviation of a standard normal truncated to [-1, 1]
    for column, amplitude in zip(width.T, (0.03, 0.04, 0.04, 0.04), strict=True):
        assert np.abs(column - 0.1).max() <= amplitude
        assert np.std(column) == pytest.approx(amplitude * spread, rel=0.05)
    noise = (drawn.geometry - drawing.draw([objects] * count).geometry).reshape(count, 4, 4)
    circle, rectangle, line, short = noise.transpose(1, 2, 0)
    for values, amplitudes in (
        (circle[0], [0.2]),
        (circle[1], [0.2]),
        (circle[2], [0.1]),
        (rectangle[0], [0.14, 0.06]),
        (rectangle[2] - rectangle[0], [0.06, 0.06]),
        (line[3], [0.12, 0.08]),
        (line[3] - line[1], [0.08, 0.08]),
        (short[0], [0.006, 0.004]),
    ):
        assert np.abs(values).max() <= sum(amplitudes)
        assert np.std(values) == pytest.approx(spread * np.linalg.norm(amplitudes), rel=0.06)
    tips, numbers = np.unique(drawn.tip.reshape(count, 4)[:, 2], return_counts=True)
    assert tips.tolist() == [drawing.TO, drawing.STEALTH, drawing.LATEX]
    assert numbers.min() > 0.28 * count
    assert set(np.unique(drawn.dash.reshape(count, 4, 2)[:, 2])) == {2, 3, 4, 5, 6}
    assert not drawn.dash.reshape(count, 4, 2)[:, [0, 1, 3]].any()
    scale = drawn.tip_scale
    assert 1.2 <= scale.min() < 1.21
    assert 1.55 < scale.max() <= 1.56


def test_pencil_steps_stay_near_the_edge_and_join():
    drawn = drawing.draw([[LINE, RECTANGLE]], generators(1))
    segments, _ = strokes.trace(drawn, generators(1))
    line = segments.take(segments.layer == strokes.SHAFTS)
    start, end = drawn.geometry[0].view(np.complex128)
    assert line.start[0] == start
    assert line.end[-1] == pytest.approx(end)
    assert (line.start[1:] == line.end[:-1]).all()
    aside = ((line.end - start) * ((end - start) / abs(end - start)).conjugate()).imag
    assert np.abs(aside).max() <= drawing.POINT
    assert np.abs(aside[:-1]).min() > 0
    # A line of 4 units is about 113.8 pt: a step every 4 pt until at most 6 pt are left.
    assert len(line.start) == np.ceil((abs(end - start) / drawing.POINT - 6) / 4) + 1
    sides = segments.take(segments.layer == strokes.RECTANGLES)
    assert sides.end[-1] == pytest.approx(sides.start[0])


def test_dashes_follow_their_lengths():
    drawn = drawing.draw([[DASHED]])
    segments, _ = strokes.trace(drawn)
    inked = np.abs(segments.end - segments.start).sum() / drawing.POINT
    length = 4 / drawing.POINT
    assert inked == pytest.approx(4 * (length // 8) + min(length % 8, 4))


# Image noise


def test_image_noise_is_factor_then_shift_then_ten_inverted_pixels(scenes):
    factors, shifts = [], []
    for index, objects in enumerate(scenes[:20]):
        rng = np.random.default_rng(index)
        plain = ink(render(objects, rng=rng, image_noise=False))
        noise = sample_image_noise([rng])
        expected = np.rint(np.minimum(plain * noise.factor[0], 255))
        right, down = noise.shift[0].astype(int)
        expected = np.roll(expected, (down, right), (0, 1))
        columns, rows = np.floor(noise.inverted[0] * 256).astype(int).T
        expected[rows, columns] = 255 - expected[rows, columns]
        assert (ink(render(objects, rng=np.random.default_rng(index))) == expected).all()
        factors.append(noise.factor[0])
        shifts.append(noise.shift[0])
    noise = sample_image_noise(generators(2_000))
    assert 0.5 <= noise.factor.min() < 0.51
    assert 1.49 < noise.factor.max() <= 1.5
    assert set(noise.shift.ravel()) == set(range(-4, 5))


def test_ten_pixels_of_a_blank_scene_are_inverted():
    picture = render([], rng=np.random.default_rng(0))
    assert (picture == 0).sum() == 10
    assert (picture == 255).sum() == 256 * 256 - 10


@pytest.mark.parametrize("size", [256, 64])
def test_shift_wraps(size):
    edge = [{**LINE, "x1": 0, "x2": 0, "y1": 1, "y2": 15}]
    pictures = [ink(render(edge, (size, size), np.random.default_rng(seed))) for seed in range(12)]
    # 6% of the height would be 16 pixels of 256 in a column: more than ten inverted pixels can do.
    far_side = [picture[:, -2:].mean() > 16 for picture in pictures]
    assert any(far_side)
    assert not all(far_side)
    for picture in pictures:
        # The line is at most 4 pixels of 256 and its own jitter from the edge, so between there are inverted pixels.
        assert (picture[:, size // 16 : -size // 16] > 0).sum() <= 10


@pytest.mark.parametrize("size", [256, 224])
def test_a_pixel_named_twice_is_inverted_once(size):
    picture = np.full((1, size, size), 100, np.uint8)
    invert_pixels(picture, np.full((1, 10, 2), 0.5))
    assert np.argwhere(picture != 100).tolist() == [[0, size // 2, size // 2]]
    assert picture[0, size // 2, size // 2] == 155


# Small pictures


@pytest.mark.parametrize("image_noise", [False, True])
@pytest.mark.parametrize(("size", "mean_error"), [(128, 1), (64, 3), (32, 3)])
def test_small_picture_is_the_large_one_averaged(size, mean_error, image_noise, scenes):
    """Mean absolute difference over inked pixels in grey levels of 255, and the ink share over 100 scenes."""
    large = average(ink(render_batch(scenes, rngs=generators(100), image_noise=image_noise)), size)
    small = ink(render_batch(scenes, (size, size), generators(100), image_noise))
    inked = large > 4
    assert np.abs(small - large)[inked].mean() < mean_error
    assert small.mean() == pytest.approx(large.mean(), rel=0.015)


# Real TikZ


@pytest.mark.skipif(not REAL_DATA.is_dir(), reason="../shared/data/noisy_shapes_tikz is absent")
def test_close_to_pictures_made_by_tikz():
    objects, real = read_real_data()
    ours = render_batch(objects, rngs=generators(len(objects)), image_noise=False)
    assert ink_share(ours).mean() == pytest.approx(ink_share(real).mean(), rel=0.05)
    assert stroke_width(ours).mean() == pytest.approx(stroke_width(real).mean(), rel=0.05)
    # The grey levels of pdftoppm: sixteenths to the power of 1.5.
    ours, real = (np.bincount(pictures.ravel(), minlength=256) for pictures in (ours, real))
    common = np.flatnonzero(real > 5_000)
    assert len(common) == 17
    assert ours[common] == pytest.approx(real[common], rel=0.25)


@needs_tikz
def test_close_to_tikz_scene_by_scene(scenes):
    busy = sorted(scenes, key=lambda scene: -sum(item.get("arrow", False) for item in scene))[:6]
    real = tikz.render_tikz(busy, rngs=generators(6))
    ours = render_batch(busy, rngs=generators(6), image_noise=False)
    assert ink_share(ours) == pytest.approx(ink_share(real), rel=0.08)
    assert stroke_width(ours) == pytest.approx(stroke_width(real), rel=0.08)
    # The same jitter: at a scale where the pencil's steps hardly show, the pictures agree.
    ours, real = average(ink(ours), 32), average(ink(real), 32)
    assert np.corrcoef(ours.ravel(), real.ravel())[0, 1] > 0.97


@pytest.mark.parametrize("size", [256, 512])
def test_image_noise_added_later_is_that_of_the_renderer(scenes, size):
    rngs = generators(20)
    drawn = RENDERERS["pencil"](scenes[:20], (size, size), rngs)
    before = drawn.copy()
    later = add_image_noise(drawn, rngs)
    assert np.array_equal(later, render_batch(scenes[:20], (size, size), generators(20)))
    assert np.array_equal(drawn, before)


@pytest.mark.parametrize("size", [(128, 128), (400, 400), (256, 320), (512, 256)])
def test_image_noise_is_added_later_to_full_size_pictures_only(size):
    with pytest.raises(ValueError, match=f"pictures of a multiple of 256 pixels, not of {size[0]} x {size[1]}"):
        add_image_noise(np.full((1, *size), 255, np.uint8), generators(1))


@needs_tikz
def test_tikz_sizes_and_latex_error():
    scene = [CIRCLE, RECTANGLE, DASHED]
    small = tikz.render_tikz([scene], (64, 64), generators(1))
    assert small.shape == (1, 64, 64)
    assert ink_share(small)[0] > 0.005
    with pytest.raises(tikz.TikzError, match=r"(?s)pdflatex failed.*Undefined control sequence"):
        tikz.compile_pictures([r"\begin{tikzpicture}\nonsense\end{tikzpicture}"], 256)


def test_missing_program_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(tikz.TikzNotFoundError, match="texlive-pictures"):
        tikz.render_tikz([[CIRCLE]])


def test_tikz_source_repeats_with_the_seed():
    first, again, other = (tikz.to_tikz([ARROW, DASHED], np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again != other
    clean = tikz.to_tikz([ARROW, DASHED])
    assert "pencil" not in clean
    assert r"\draw[line width=0.1cm,-{Stealth[scale=1.3]}] (2,3) -- (6,3);" in clean
    assert "dash pattern=on 4pt off 4pt" in clean


def test_the_renderers_take_the_same_arguments():
    for name, renderer in RENDERERS.items():
        parameters = inspect.signature(renderer).parameters
        assert list(parameters)[:3] == ["scenes", "size", "rngs"], name
        assert (parameters["size"].default, parameters["rngs"].default) == ((256, 256), None), name
