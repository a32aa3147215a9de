"""What is published replaces what was published before only when all of it is there."""

from types import SimpleNamespace

import pytest

from experiments import publish_weights
from experiments.publish_weights import CARD, RUN, SEVERAL_RUNS, WEIGHTS, main


RESULT = {"counts": {"pictures": 3}, "hardware": "a machine", "iou": 0.5, "command": "python eval.py"}


@pytest.fixture
def places(options, trained, tmp_path, monkeypatch):
    """The folder of what is published, with something in it, and a trained model to publish."""
    published, real = tmp_path / "published" / "noisy_shapes", tmp_path / "real"
    monkeypatch.setattr(publish_weights, "PRETRAINED", published.parent)
    for folder in (published, real / "noisy_shapes_tikz", real / "hand_drawings"):
        folder.mkdir(parents=True)
    (published / CARD).write_text("the card before")
    return SimpleNamespace(published=published, model=f"{options.output_dir}/model", real=real)


def publish(places, *more):
    main(["noisy_shapes", places.model, *more, "--real_pictures", str(places.real)])


def test_all_of_it_takes_the_place_of_what_was_there(places, monkeypatch):
    monkeypatch.setattr(publish_weights, "evaluate", lambda name, model, places: {"some pictures": dict(RESULT)})
    publish(places)
    names = {path.name for path in places.published.iterdir()}
    assert {CARD, WEIGHTS, "config.json", "processor_config.json"} <= names
    assert not any(name.endswith(".py") for name in names)
    assert "| some pictures | 3 | 50.00 |" in (places.published / CARD).read_text()
    assert [path.name for path in places.published.parent.iterdir()] == ["noisy_shapes"]


def test_a_card_tells_the_language_where_the_weights_are_called_otherwise(places, monkeypatch):
    monkeypatch.setattr(publish_weights, "evaluate", lambda name, model, places: {"some pictures": dict(RESULT)})
    main(["coarse_drawings", places.model, "--real_pictures", str(places.real)])
    card = (places.published.with_name("coarse_drawings") / CARD).read_text()
    assert "# coarse_drawings" in card and "language `noisy_shapes`" in card and "license: apache-2.0" in card


def test_a_card_tells_every_run_and_once_that_they_are_several(places, monkeypatch):
    monkeypatch.setattr(publish_weights, "evaluate", lambda name, model, places: {"some pictures": dict(RESULT)})
    publish(places)
    assert SEVERAL_RUNS not in (places.published / CARD).read_text()
    for number in (2, 3):
        publish(places, str(places.published))
        card = (places.published / CARD).read_text()
        assert (card.count(RUN), card.count(SEVERAL_RUNS)) == (number, 1)


def test_what_was_there_stays_where_something_is_missing(places, tmp_path, monkeypatch):
    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(publish_weights, "evaluate", stop)
    with pytest.raises(KeyboardInterrupt):
        publish(places)
    with pytest.raises(SystemExit, match="absent"):
        publish(places, str(tmp_path / "absent"))
    (places.real / "hand_drawings").rmdir()
    with pytest.raises(SystemExit, match="hand_drawings: no folder of the data that noisy_shapes is scored on"):
        publish(places)
    assert [path.name for path in places.published.iterdir()] == [CARD]
    assert (places.published / CARD).read_text() == "the card before"
    assert [path.name for path in places.published.parent.iterdir()] == ["noisy_shapes"]


def test_a_folder_of_data_has_to_be_named(places):
    with pytest.raises(SystemExit, match="{data}: no folder of the data that abstract_scenes is scored on"):
        main(["abstract_scenes", places.model])
