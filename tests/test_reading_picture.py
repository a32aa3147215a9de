"""The picture of what a model read: a panel for the input, one for all that was read and one for each object."""

import io

import numpy as np
import pytest
from PIL import Image
from toy_language import LANGUAGE, PIXELS, render_batch

from derender_training.reading_picture import RIGHT, WRONG, ReadObject, draw_reading


DOT, BAR = {"category": "dot", "x": 1, "y": 2}, {"category": "bar", "x1": 3, "x2": 6, "y": 5}
SIZE = LANGUAGE.canvas.pixels


def draw(objects, draw_batch=render_batch, image=None):
    image = render_batch([[DOT]])[0] if image is None else image
    content = draw_reading(image, objects, "a title", SIZE, LANGUAGE.canvas.channels, draw_batch)
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def read(item, correct=True, look=None):
    return ReadObject(item, str(item), 0.5, correct, look)


def share_of(picture, colour) -> float:
    return (np.abs(picture.astype(int) - colour).max(-1) < 12).mean()


def test_objects_are_drawn_in_the_colour_of_their_kind():
    picture = draw([read(DOT), read(BAR, correct=False)])
    # The cells of an 8 x 8 grid are there, four for a bar and one for a dot.
    assert share_of(picture, WRONG) > 3 * share_of(picture, RIGHT) > 0.003
    assert share_of(draw([read(DOT)]), WRONG) == 0


def test_the_look_is_drawn_where_it_is():
    look = np.zeros((4, 4))
    look[0, 3] = 1
    plain, shown = draw([read(DOT)]), draw([read(DOT, look=look)])
    rows, columns = np.nonzero((plain != shown).any(-1))
    panel = plain.shape[1] / 3
    assert (columns > 2 * panel).all(), "only the object's own panel is touched"
    assert (columns > 2.5 * panel).mean() > 0.9 and (rows < plain.shape[0] * 0.6).mean() > 0.9, "top right"


@pytest.mark.parametrize("count", [0, 1, 9])
def test_any_number_of_objects_with_or_without_a_renderer(count):
    objects = [read({**DOT, "x": number % 8}) for number in range(count)]
    assert (share_of(draw(objects), RIGHT) > 0) == (count > 0)
    without = draw(objects, draw_batch=None)
    assert share_of(without, RIGHT) < 0.01


def test_a_picture_of_another_size_and_mode():
    image = Image.new("RGBA", (3 * PIXELS, PIXELS), (255, 0, 0, 255))
    assert share_of(draw([read(DOT)], image=image), (76, 76, 76)) > 0.05  # red in grey
