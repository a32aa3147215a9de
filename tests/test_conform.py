"""Any picture in: what is brought to the canvas is the drawing, and what is no drawing is refused with its reason."""

import numpy as np
import pytest
from matplotlib import get_data_path
from odd_pictures import IN_PLACE, as_l, thick_lines
from PIL import Image

from datasets_scripts.noisy_shapes import LANGUAGE, render, sample_scene
from derender.conform import AS_THEY_ARE, LINES, Sheet, conform
from derender.errors import UnreadableError
from derender.frames import Frame, guess_frames, lay_on_canvas
from derender.ink import find_paper
from derender.likeness import Likeness
from derender.registration import register, straighten
from derender.strokes import drop_specks, set_width, stroke_width


CANVAS = LANGUAGE.canvas


def draw(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return render(sample_scene(rng, 4, 10), rng=rng, image_noise=False)


def distance(picture: np.ndarray, other: np.ndarray) -> float:
    return Likeness(None, picture, "blurred", CANVAS.width).distance(other)


@pytest.mark.parametrize("form", IN_PLACE, ids=lambda form: form.__name__)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_drawing_is_found_in_any_form(form, seed):
    picture = draw(seed)
    conformed = conform(form(picture), CANVAS, LINES)
    (canvas,) = conformed.canvases
    assert (canvas.thick is not None) == (form is thick_lines)
    found = canvas.picture
    assert found.shape == picture.shape and found.dtype == np.uint8
    assert distance(picture, found) < (0.25 if form is thick_lines else 0.1)
    assert (found == 255).mean() > 0.7  # no grain is left
    assert distance(picture, draw(seed + 2)) > 0.4  # what another drawing comes to


def test_a_renderers_picture_passes_unchanged():
    rng = np.random.default_rng(3)
    picture = render(sample_scene(rng, 12, 12), rng=rng, image_noise=False)
    conformed = conform(as_l(picture), CANVAS, LINES)
    assert np.array_equal(conformed.canvases[0].picture, picture)
    assert [step.told for step in [*conformed.steps, *conformed.canvases]] == [
        "256 x 256 pixels, mode L", "canvas: 256 pixels a side from (0, 0)",
    ]  # fmt: skip


def test_each_step_is_told_and_shown():
    conformed = conform(next(form for form in IN_PLACE if form.__name__ == "photographed")(draw(0)), CANVAS, LINES)
    told = [step.told for step in conformed.steps]
    assert "averaged down" in told[0] and "sheet of paper" in told[1] and "uneven light" in told[2]
    assert all(step.picture.dtype == np.uint8 and step.picture.ndim in (2, 3) for step in conformed.steps)


def photograph(name: str) -> Image.Image:
    return Image.open(f"{get_data_path()}/sample_data/{name}")


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8))


def gradient() -> Image.Image:
    return Image.fromarray(np.tile(np.linspace(0, 255, 400).astype(np.uint8), (300, 1)))


def blot() -> Image.Image:
    rows, columns = np.mgrid[:256, :256]
    return Image.fromarray(np.where((rows - 120) ** 2 + (columns - 130) ** 2 < 60**2, 0, 255).astype(np.uint8))


def specks() -> Image.Image:
    """More ink than on a blank page, and no stroke."""
    picture = np.full((256, 256), 255, np.uint8)
    picture[10::25, 10::25] = 0
    return Image.fromarray(picture)


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        (Image.new("L", (256, 256), 255), "blank"),
        (Image.new("L", (256, 256), 0), "blank"),
        (Image.new("RGB", (900, 300), (30, 90, 200)), "blank"),
        (Image.new("RGBA", (64, 64)), "blank"),
        (Image.new("L", (1, 1), 255), "blank"),
        (gradient(), "photograph"),
        (noise(), "photograph"),
        (blot(), "photograph"),
        (specks(), "blank"),
        (photograph("grace_hopper.jpg"), "photograph"),
        (photograph("Minduka_Present_Blue_Pack.png"), "photograph"),
    ],
    ids=["white", "black", "blue", "clear", "pixel", "gradient", "noise", "blot", "specks", "photograph", "clip art"],
)
def test_what_is_no_drawing_is_refused_with_the_reason(picture, code):
    with pytest.raises(UnreadableError, match="blank|no line drawing") as error:
        conform(picture, CANVAS, LINES)
    assert error.value.code == code


def test_paper_is_found_only_where_there_is_some():
    drawing = draw(0)
    for form in IN_PLACE:
        pixels = np.asarray(form(drawing).convert("RGB"))
        assert (find_paper(pixels) is not None) == form.__name__.startswith("photographed"), form.__name__


def test_a_square_picture_is_the_canvas_and_any_other_holds_it():
    ink = (255 - draw(0)).astype(np.float32) / 255
    assert guess_frames(ink, 1 / 16) == [Frame(0, 0, 256)]
    small = np.zeros((600, 600), np.float32)
    small[100:200, 300:400] = ink[:100, :100] > 0  # an eighth of the page
    small[100, 300] = small[199, 399] = 1
    first, *others = guess_frames(small, 1 / 16)
    assert first == Frame(0, 0, 600) and others[0] == Frame(350 - 800 / 14, 150 - 800 / 14, 1600 / 14)
    assert [frame.side for frame in others] == sorted(frame.side for frame in others)
    wide = np.zeros((300, 900), np.float32)
    wide[50:250, 100:800] = 1
    first, *_, last = guess_frames(wide, 1 / 16)
    assert first == Frame(50, -250, 800) and last == Frame(0, -300, 900)


def test_ink_is_laid_on_the_canvas_at_its_place():
    ink = np.zeros((40, 80), np.float32)
    ink[10:20, 30:40] = 1
    laid = lay_on_canvas(ink, Frame(0, -20, 80), 16)
    dark = np.argwhere(laid == 0)
    assert dark.tolist() == [[6, 6], [6, 7], [7, 6], [7, 7]] and (laid == 255).sum() == 256 - 4


@pytest.mark.parametrize("frame", [Frame(0, 0, 256), Frame(17, -9, 250), Frame(-12, 14, 280), Frame(5, 5, 225)])
def test_a_canvas_laid_askew_is_moved_to_where_its_reading_lies(frame):
    scene = sample_scene(np.random.default_rng(11), 8, 8)
    drawn = render(scene)
    sheet = Sheet((255 - drawn).astype(np.float32) / 255, 1.8, 256)
    askew = sheet.lay(frame)
    moved = askew.moved(*register(askew.picture, drawn, 16))
    assert moved.frame.side == pytest.approx(256, rel=0.03)
    assert (moved.frame.left, moved.frame.top) == pytest.approx((0, 0), abs=5)
    assert distance(drawn, moved.picture) < max(0.05, 0.2 * distance(drawn, askew.picture))


@pytest.mark.parametrize("rows, frame", [(256, Frame(5, -4, 256)), (256, Frame(-4, -2, 263)), (200, Frame(4, 2, 256))])
def test_a_picture_is_straightened(rows, frame):
    drawn = render(sample_scene(np.random.default_rng(11), 8, 8))
    beside = Sheet((255 - drawn).astype(np.float32) / 255, 1.8, 256).lay(frame).picture[:rows]
    drawn = drawn[:rows]
    straight = straighten(beside, drawn, 16)
    assert straight.shape == drawn.shape and straight.dtype == np.uint8 and (straight[:, [0, -1]] == 255).all()
    assert distance(drawn, straight) < max(0.05, 0.2 * distance(drawn, beside))
    assert np.array_equal(straighten(drawn, drawn, 16), drawn)


@pytest.mark.parametrize("wrong", [{"x": 4}, {"x": 2}, {"y": 9}])
def test_a_picture_is_not_straightened_to_where_an_object_was_read_wrong(wrong):
    circle = {"category": "circle", "x": 3, "y": 8}
    for others in ([], [circle | {"x": 12}]):
        picture, read = render([circle, *others]), render([circle | wrong, *others])
        straight = straighten(picture, read, 16)
        assert distance(straight, picture) < distance(straight, read)


def test_where_nothing_was_read_the_canvas_stays():
    assert register(render(sample_scene(np.random.default_rng(1), 4, 4)), render([]), 16) == (1, 0, 0)


def test_specks_are_dirt_but_dashes_are_not():
    ink = np.zeros((400, 400), np.float32)
    ink[50, 20:380:8] = 1  # a dashed line of single pixels
    ink[300, 300] = 1
    clean, count = drop_specks(ink)
    assert count == 1 and clean[300, 300] == 0 and np.array_equal(clean[50], ink[50])


@pytest.mark.parametrize("width", [2, 5, 9])
def test_strokes_get_the_width_that_is_wanted(width):
    ink = np.zeros((100, 100), np.float32)
    ink[40 : 40 + width, 10:90] = 1
    assert stroke_width(ink) == pytest.approx(width, abs=1)
    for wanted in (1.8, 5, 12):
        changed = set_width(ink, stroke_width(ink), wanted)
        assert changed[:, 50].sum() == pytest.approx(wanted, abs=1.5)


@pytest.mark.parametrize("width, widths", [(2, [2]), (6, [6, 2]), (14, [2])])
def test_thick_strokes_are_seen_as_they_are_and_thin(width, widths):
    ink = np.zeros((256, 256), np.float32)
    ink[100 : 100 + width, 20:230] = 1
    canvas = Sheet(ink, width, 256).lay(Frame(0, 0, 256))
    for laid in (canvas, canvas.looks[0].moved(1.0, 0.0, 0.0)):
        assert [(look.picture[:, 120] < 128).sum() for look in laid.looks] == pytest.approx(widths, abs=1)
        assert ["as they are" in look.told for look in laid.looks] == [True, False][-len(widths) :]
        assert laid.looks[-1] is laid and all(look.frame == laid.frame for look in laid.looks)


def test_other_pictures_are_fitted_into_the_canvas():
    from datasets_scripts.abstract_scenes.language import LANGUAGE as SCENES

    picture = np.zeros((200, 500, 3), np.uint8)
    picture[:, :250] = (200, 10, 10)
    found = conform(Image.fromarray(picture), SCENES.canvas, AS_THEY_ARE).canvases[0].picture
    assert found.shape == (400, 500, 3) and (found[200, 0] == (200, 10, 10)).all() and (found[0] == 255).all()
    with pytest.raises(UnreadableError, match="one colour"):
        conform(Image.new("RGB", (50, 40), "green"), SCENES.canvas, AS_THEY_ARE)


@pytest.mark.parametrize("quality", [None, 75])
def test_even_margins_around_a_canvas_are_cut_off(quality, tmp_path):
    from datasets_scripts.abstract_scenes.language import LANGUAGE as SCENES

    scene = np.random.default_rng(0).integers(0, 200, (8, 10, 3), np.uint8).repeat(50, 0).repeat(50, 1)
    framed = Image.new("RGB", (620, 530), "white")
    framed.paste(Image.fromarray(scene), (50, 90))
    if quality:
        framed.save(tmp_path / "framed.jpg", quality=quality)
        framed = Image.open(tmp_path / "framed.jpg")
    found = conform(framed, SCENES.canvas, AS_THEY_ARE)
    assert [canvas.told.startswith("margins cut off") for canvas in found.canvases] == [False, True]
    assert not found.is_whole  # narrow margins around a scene leave it much like one without
    assert np.abs(found.canvases[1].picture - scene.astype(float)).mean() < (12 if quality else 0.5)
    # What they would leave is no canvas: a thing in the middle of a page is part of it.
    framed.paste("white", (40, 80, 560, 390))
    found = conform(framed, SCENES.canvas, AS_THEY_ARE)
    assert len(found.canvases) == 1 and found.is_whole
