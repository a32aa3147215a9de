"""The weights that come with the package: they are what their cards say, and the command reads with them at once."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from odd_pictures import half_lit, halved, overexposed, photographed_on_light_wood, photographed_well, scanned
from PIL import Image
from safetensors import safe_open

import eval as eval_script
from datasets_scripts import noisy_shapes
from derender.cli import DEFAULT_MODEL, main
from derender.models import bundled_models
from derender.reader import Reader
from derender_training.scores import is_error
from experiments.publish_weights import EVALUATIONS, PUBLIC
from modeling_derender.scoring import set_scores


MODELS = bundled_models()
ROOT = Path(__file__).parents[1]
SCENES_DATA = ROOT.parent / "shared" / "data" / "abstract_scenes"
MIB = 1 << 20


def read_card(folder: Path) -> tuple[str, dict[str, float]]:
    """The title of the card's small evaluation, and its scores in percent."""
    lines = [line.strip("| ").split(" | ") for line in (folder / "README.md").read_text().splitlines()]
    header = next(cells for cells in lines if "iou" in cells)
    row = next(cells for cells in lines if cells[0].startswith("the first"))
    return row[0], dict(zip(header[-len(row) + 2 :], map(float, row[2:]), strict=True))


def test_every_model_is_there_and_scored_as_its_card_says():
    assert MODELS.keys() == EVALUATIONS.keys()
    for name, evaluations in EVALUATIONS.items():
        card = (MODELS[name] / "README.md").read_text().splitlines()
        for title, arguments in evaluations.items():
            where = f"--model pretrained/{name} {arguments.format(**PUBLIC)}"
            assert eval_script.parse_options(where.split()).model == f"pretrained/{name}"
            told = f"- {title}: `python eval.py {where}`"
            assert told in card and any(line.startswith(f"| {title} |") for line in card)


def test_the_help_names_every_model(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    assert all(name in told for name in MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_the_card_tells_what_eval_gives(name, tmp_path):
    title, told = read_card(MODELS[name])
    arguments = EVALUATIONS[name][title]
    if "{data}" in arguments and not SCENES_DATA.is_dir():
        pytest.skip("../shared/data/abstract_scenes is absent")
    result = tmp_path / "result.json"
    eval_script.main(
        ["--model", str(MODELS[name]), *arguments.format(data=SCENES_DATA).split(), "--json", str(result)]
    )
    found = json.loads(result.read_text())
    # On another processor sums come out in another order, and now and then a token of a picture with them.
    for score, percent in told.items():
        assert 100 * found[score] == pytest.approx(percent, abs=0.2 if is_error(score) else 1.0), score
    assert told["iou"] > 0


def test_weights_are_half_and_small():
    for folder in MODELS.values():
        with safe_open(folder / "model.safetensors", "pt") as weights:
            kinds = {str(weights.get_slice(name).get_dtype()) for name in weights.keys()}  # noqa: SIM118
        assert kinds <= {"BF16", "I64"} and (folder / "model.safetensors").stat().st_size < 30 * MIB
    files = [path for folder in MODELS.values() for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 40 * MIB


def test_the_command_reads_a_drawing_without_any_option(tmp_path, capsysbinary):
    rng = np.random.default_rng(77)
    objects = noisy_shapes.sample_scene(rng, 3, 3)
    Image.fromarray(noisy_shapes.render(objects, rng=rng)).save(tmp_path / "picture.png")
    assert set(DEFAULT_MODEL.split(",")) <= set(MODELS) and main([str(tmp_path / "picture.png")]) == 0
    read = json.loads(capsysbinary.readouterr().out)["objects"]
    assert set_scores(read, objects)["iou"] >= 0.5


@pytest.mark.parametrize("form", ["tikz", "svg"])
def test_what_is_exported_is_what_was_read(form, tmp_path, capsysbinary):
    picture = tmp_path / "picture.png"
    Image.fromarray(noisy_shapes.render(noisy_shapes.sample_scene(np.random.default_rng(77), 3, 3))).save(picture)
    assert main([str(picture)]) == 0
    objects = json.loads(capsysbinary.readouterr().out)["objects"]
    assert len(objects) == 3 and main([str(picture), "--to", form]) == 0
    assert capsysbinary.readouterr().out.decode() == noisy_shapes.EXPORTERS[form](objects)


def test_the_space_has_the_page():
    import gradio  # for long seconds, which each process that collects this file would wait

    assert isinstance(runpy.run_path(str(ROOT / "app.py"), run_name="app")["page"], gradio.Blocks)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.open(DEFAULT_MODEL)


@pytest.mark.parametrize(
    "form", [scanned, photographed_well, photographed_on_light_wood, overexposed, half_lit, halved]
)
def test_a_drawing_is_read_as_people_have_it(form, reader):
    rng = np.random.default_rng(5)
    objects = noisy_shapes.sample_scene(rng, 5, 5)
    read = reader.read(form(noisy_shapes.render(objects, rng=rng, image_noise=False))).objects
    # At half the size some are read beside their place.
    assert set_scores(read, objects)["iou"] >= (0.8 if form is halved else 1)
