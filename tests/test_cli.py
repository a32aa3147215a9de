"""The command `derender`: what it writes where, and how it fails, with a model of the toy language."""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import toy_language
from PIL import Image
from tiny_checkpoint import save_tiny_checkpoint

from datasets_scripts import abstract_scenes
from derender import read_files, reader
from derender.cli import EXIT_STATUS, main
from derender.conform import Step
from derender.explanation import draw_steps
from derender.reader import Reader
from modeling_derender.serialization import from_text


TOY = str(Path(__file__).parent / "toy_language")
LANGUAGE = toy_language.LANGUAGE
DOT = {"category": "dot", "x": 0, "y": 0}


@pytest.fixture(scope="module")
def model(options, trained) -> str:
    return f"{options.output_dir}/model"


@pytest.fixture
def run(model, capsysbinary, monkeypatch, tmp_path):
    """Runs the command in an empty folder: status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments, model=model):
        status = main([*map(str, arguments), "--model", str(model), "--language", TOY])
        output, told = capsysbinary.readouterr()
        return status, output, told.decode()

    return call


def draw(seed: int, folder: Path, name: str | None = None) -> list[dict]:
    objects = toy_language.sample_scene(np.random.default_rng(seed), max_objects=1)
    Image.fromarray(toy_language.render(objects)).save(folder / (name or f"{seed}.png"))
    return objects


def test_a_picture_comes_out_as_json(run, tmp_path):
    draw(1, tmp_path)
    status, output, told = run("1.png")
    content = json.loads(output)
    assert (status, told) == (0, "") and output.endswith(b"\n")
    assert content.keys() == {"file_name", "language", "objects", "confidences", "error"}
    assert (content["file_name"], content["language"]) == ("1.png", "toy")
    assert len(content["confidences"]) == len(content["objects"]) == 1
    assert all(0 <= sure <= 1 for sure in content["confidences"])


def test_it_reads_what_is_drawn(run, tmp_path):
    truth = {f"{seed}.png": draw(seed, tmp_path) for seed in range(20)}
    status, output, _ = run("*.png")
    lines = [json.loads(line) for line in output.splitlines()]
    right = [line["objects"] == truth[line["file_name"]] for line in lines]
    assert status == 0 and len(right) == 20 and np.mean(right) > 0.5


@pytest.mark.parametrize(("form", "ending"), [("json", ".json"), ("text", ".txt"), ("png", ".png")])
def test_forms_and_places(form, ending, run, tmp_path):
    draw(1, tmp_path)
    draw(2, tmp_path)
    _, streamed, _ = run("1.png", "--to", form)
    assert run("1.png", "--out", f"result{ending}")[0] == 0  # the ending tells the form
    assert Path(f"result{ending}").read_bytes() == streamed
    assert run("1.png", "2.png", "--to", form, "--out", "many")[0] == 0
    assert sorted(path.name for path in Path("many").iterdir()) == [f"1{ending}", f"2{ending}"]
    assert Path(f"many/1{ending}").read_bytes() == streamed
    assert run("1.png", "--to", form, "--out", "one/")[0] == 0 and Path(f"one/1{ending}").is_file()


def test_text_and_pictures_are_what_was_read(run, tmp_path):
    draw(1, tmp_path)
    objects = json.loads(run("1.png")[1])["objects"]
    assert from_text(LANGUAGE, run("1.png", "--to", "text")[1].decode()) == objects
    picture = np.asarray(Image.open(io.BytesIO(run("1.png", "--to", "png")[1])))
    assert np.array_equal(picture, toy_language.render(objects))


def test_several_texts_tell_their_pictures(run, tmp_path):
    draw(1, tmp_path)
    draw(2, tmp_path)
    output = run("1.png", "2.png", "--to", "text")[1].decode()
    assert [line for line in output.splitlines() if line.startswith("#")] == ["# 1.png", "# 2.png"]


def test_standard_input(model, tmp_path):
    draw(1, tmp_path)
    command = [sys.executable, "-m", "derender.cli", "-", "--model", model, "--language", TOY]
    with (tmp_path / "1.png").open("rb") as picture:
        done = subprocess.run(command, stdin=picture, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["file_name"] == "-"


def test_empty_standard_input(run, monkeypatch):
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        assert run("-") == (EXIT_STATUS["unreadable"], b"", "derender: standard input: is empty\n")


def test_unsure_objects_are_left_out(run, tmp_path):
    draw(1, tmp_path)
    assert json.loads(run("1.png", "--min-confidence", "1")[1])["objects"] == []


def test_augmentation_reads_with_other_features(model, run, tmp_path):
    draw(1, tmp_path)
    found = json.loads(run("1.png", "--tta")[1])
    reading = Reader.open(model, language=TOY, test_time_augmentation=True).read(Image.open("1.png"))
    assert found["objects"] == reading.objects
    assert found["confidences"] == pytest.approx(reading.confidences, abs=1e-3)
    assert found["confidences"] != json.loads(run("1.png")[1])["confidences"]


@pytest.mark.parametrize("how", [("--candidates", "4"), ("--refine", "40")])
def test_candidates_and_drawings_make_it_better(how, run, tmp_path, monkeypatch):
    """What was likeliest is made wrong first."""
    generate = Reader._generate

    def misread(self, features, **options):
        return generate(self, features, **options) if options else [[DOT]] * len(features)

    monkeypatch.setattr(Reader, "_generate", misread)
    monkeypatch.setattr(reader, "LEAST_ALIKE", -2)
    for seed in range(6):
        draw(seed, tmp_path)
    before, after = (
        [json.loads(line)["error"] for line in run("*.png", *options)[1].splitlines()] for options in ((), how)
    )
    assert len(after) == 6 and all(new <= old for new, old in zip(after, before, strict=True))
    assert sum(after) < sum(before)


@pytest.fixture(scope="module")
def scenes_model(tmp_path_factory) -> str:
    return str(save_tiny_checkpoint(tmp_path_factory.mktemp("scenes") / "model", abstract_scenes.LANGUAGE))


@pytest.mark.parametrize("form", ["png", "svg", "tikz"])
def test_a_scene_is_drawn_from_the_files_that_are_named(
    form, scenes_model, clip_art_dir, tmp_path, monkeypatch, capsysbinary
):
    """The model is untrained, so the truth is put in the place of what it reads."""
    monkeypatch.delenv("ABSTRACT_SCENES_DIR", raising=False)
    scene = [*abstract_scenes.read_scenes("test", data_dir=clip_art_dir).values()][0][:1]
    monkeypatch.setattr(Reader, "_generate", lambda self, features, **options: [scene] * len(features))
    picture = tmp_path / "scene.png"
    Image.fromarray(abstract_scenes.render(scene, data_dir=clip_art_dir)).save(picture)
    command, where = [str(picture), "--model", scenes_model], ["--data_dir", str(clip_art_dir)]
    assert main([*command, *where]) == 0
    found = json.loads(capsysbinary.readouterr().out)
    assert (found["language"], found["objects"], found["error"]) == ("abstract_scenes", scene, 0)
    assert main([*command, *where, "--to", form]) == 0
    output = capsysbinary.readouterr().out
    if form == "png":
        shown = np.asarray(Image.open(io.BytesIO(output)))
        assert np.array_equal(shown, abstract_scenes.render(scene, data_dir=clip_art_dir))
    else:
        assert output.decode() == abstract_scenes.EXPORTERS[form](scene, data_dir=clip_art_dir)
    assert main([*command, "--to", form]) == EXIT_STATUS["usage"]
    assert "name their folder by --data_dir" in capsysbinary.readouterr().err.decode()


def test_the_steps_are_told_and_drawn(run, tmp_path):
    draw(1, tmp_path)
    status, output, told = run("1.png", "--explain", "--out", "there/result.json")
    assert (status, output) == (0, b"") and "1.png: 1. 32 x 32 pixels, mode L" in told and "drawn again" in told
    assert Image.open("there/result.explain.png").width == 3 * 256


def test_the_steps_of_a_picture_that_is_refused_are_drawn_too(run, model, tmp_path):
    Image.new("L", (40, 40), 200).save("blank.png")
    status, output, told = run("blank.png", "--explain")
    assert (status, output) == (EXIT_STATUS["blank"], b"") and "blank.png: 1. 40 x 40 pixels" in told
    assert Image.open("blank.explain.png").width == 256
    draw(1, tmp_path)
    status, _, told = run("1.png", "--explain", model=make_narrow(model, tmp_path))
    assert status == EXIT_STATUS["crowded"] and "1.png: 3. 1 objects, drawn again" in told
    assert Image.open("1.explain.png").width == 3 * 256


def test_objects_that_are_rather_not_there_are_told(run, tmp_path, monkeypatch):
    draw(1, tmp_path)
    sure = run("1.png")
    monkeypatch.setattr(read_files, "UNSURE", 1.1)
    unsure = run("1.png")
    assert sure[2] == "" and sure[1] == unsure[1]
    assert unsure[2] == "derender: 1.png: unsure of 1 of 1 objects; --min-confidence 1.1 leaves out such\n"


def test_one_bad_picture_does_not_stop_the_others(run, tmp_path):
    draw(1, tmp_path)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    status, output, told = run("bad.png", "1.png", "missing.png")
    assert status == EXIT_STATUS["unreadable"] == 1
    assert json.loads(output)["file_name"] == "1.png"
    assert told.count("derender: bad.png: ") == 1 and told.count("derender: missing.png: no such file") == 1


def test_each_reason_has_its_exit_status(run, tmp_path):
    Image.new("L", (40, 40), 200).save("blank.png")
    status, output, told = run("blank.png", "--to", "png", "--out", "never.png")
    assert (status, output) == (EXIT_STATUS["blank"], b"") and "derender: blank.png: blank" in told
    assert not Path("never.png").exists()
    (tmp_path / "bad.png").write_bytes(b"")
    assert run("blank.png", "bad.png")[0] == EXIT_STATUS["unreadable"]  # the reasons differ
    assert len(set(EXIT_STATUS.values())) == len(EXIT_STATUS) and 0 not in EXIT_STATUS.values()


def make_narrow(model: str, folder: Path) -> Path:
    """A model that has room for a single object."""
    narrow = shutil.copytree(model, folder / "narrow")
    settings = json.loads((narrow / "generation_config.json").read_text())
    (narrow / "generation_config.json").write_text(json.dumps(settings | {"max_length": 6}))
    return narrow


def test_too_many_objects(run, model, tmp_path):
    """A model that has filled all the room it has may have left something out."""
    draw(1, tmp_path)
    status, output, told = run("1.png", model=make_narrow(model, tmp_path))
    assert (status, output) == (EXIT_STATUS["crowded"], b"") and "more than the" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["1.png", "--to", "tikz"], "--to tikz: toy has no such form; known: json, text, png"),
        (["1.png", "2.png", "--to", "png"], "--to png: 2 pictures need --out FOLDER"),
        (["1.png", "--out", "result.docx"], "--out result.docx: give --to"),
        (
            ["1.png", "./1.png", "--out", "folder"],
            "several of the pictures would be written to folder/1.json: 1.png and ./1.png",
        ),
        (["1.png", "2.png", "--to", "png", "--out", "."], "the picture 1.png would be overwritten"),
        (["1.png", "--to", "png", "--out", "./1.png"], "the picture 1.png would be overwritten"),
        (["2.explain.png", "2.png", "--explain"], "the picture 2.explain.png would be overwritten"),
        (["1.png", "./1.png", "--explain"], "several of the pictures would be written to 1.explain.png"),
        (["1.png", "--to", "tikz", "--out", "folder/"], "--to tikz: toy has no such form"),
        (["no*.png"], "no*.png: no file has such a name"),
        (["1.png", "--out", ""], "--out: names nothing"),
        (["1.png", "2.png", "--out", "1.png"], "--out 1.png: is a file"),
        (["1.png", "2.png", "--out", "both.svg"], "--out both.svg: names a file; several pictures need a folder"),
        (["1.png", "2.png", "--to", "text", "--out", "both.SVG"], "--out both.SVG: names a file"),
    ],
)
def test_options_that_do_not_fit(arguments, message, run, tmp_path):
    draw(1, tmp_path)
    draw(2, tmp_path)
    draw(3, tmp_path, "2.explain.png")
    before = sorted(tmp_path.iterdir())
    status, output, told = run(*arguments)
    assert (status, output) == (EXIT_STATUS["usage"], b"") and f"derender: {message}" in told
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [[], ["a.png", "--candidates", "0"], ["a.png", "--min-confidence", "2"], ["serve", "--port", "70000"]],
)
def test_wrong_numbers_are_refused_at_once(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == EXIT_STATUS["usage"] and "usage: derender" in capsys.readouterr().err


def test_a_folder_may_be_called_anything(run, tmp_path):
    draw(1, tmp_path)
    draw(2, tmp_path)
    assert run("1.png", "2.png", "--out", "run.1")[0] == 0
    assert sorted(path.name for path in Path("run.1").iterdir()) == ["1.json", "2.json"]
    assert run("1.png", "2.png", "--to", "text", "--out", "run.svg/")[0] == 0
    assert sorted(path.name for path in Path("run.svg").iterdir()) == ["1.txt", "2.txt"]


def test_an_ending_tells_the_form_in_capitals_too(run, tmp_path):
    objects = draw(1, tmp_path)
    assert run("1.png", "--out", "RESULT.TXT")[0] == 0
    assert from_text(LANGUAGE, Path("RESULT.TXT").read_text()) == objects


def test_drawings_cannot_better_what_nothing_draws(model, tmp_path, capsys):
    draw(1, tmp_path)
    picture = str(tmp_path / "1.png")
    assert main([picture, "--model", model]) == 0
    assert json.loads(capsys.readouterr().out)["error"] is None
    assert main([picture, "--model", model, "--refine", "5"]) == EXIT_STATUS["usage"]
    assert "--refine: drawing toy needs the folder of this language" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "hidden"),
    [(["1.png", "2.png"], True), (["1.png", "2.png", "--out", "there"], None), (["1.png", "--out", "there/"], True)],
)
def test_the_progress_bar_keeps_out_of_results_on_a_terminal(arguments, hidden, run, tmp_path, monkeypatch):
    draw(1, tmp_path)
    draw(2, tmp_path)
    told = []
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(read_files, "tqdm", lambda names, disable, **options: told.append(disable) or names)
    assert run(*arguments)[0] == 0
    assert told == [hidden]


def test_a_result_that_cannot_be_written(run, tmp_path):
    draw(1, tmp_path)
    (tmp_path / "file").write_text("kept")
    status, output, told = run("1.png", "1.png", "--out", "file/result/")
    assert (status, output) == (EXIT_STATUS["usage"], b"") and "several of the pictures" in told
    status, output, told = run("1.png", "--out", "file/result.json")
    assert (status, output) == (EXIT_STATUS["output"], b"") and "derender: file/result.json: file is a file" in told
    assert (tmp_path / "file").read_text() == "kept"


def test_links_and_pipes_stay_what_they_are(run, tmp_path):
    draw(1, tmp_path)
    _, expected, _ = run("1.png")
    (tmp_path / "there").mkdir()
    (tmp_path / "link.json").symlink_to("there/result.json")
    assert run("1.png", "--out", "link.json")[0] == 0 and (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "there" / "result.json").read_bytes() == expected
    os.mkfifo("pipe.json")
    reader = os.open("pipe.json", os.O_RDONLY | os.O_NONBLOCK)
    assert run("1.png", "--out", "pipe.json")[0] == 0 and (tmp_path / "pipe.json").is_fifo()
    assert os.read(reader, 10_000) == expected
    os.close(reader)


def test_no_picture_is_written_to_a_terminal(run, tmp_path, monkeypatch):
    draw(1, tmp_path)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    status, output, told = run("1.png", "--to", "png")
    assert (status, output) == (EXIT_STATUS["usage"], b"") and "--to png: a terminal shows no picture" in told


def test_a_folder_with_a_name_too_long(run, tmp_path):
    draw(1, tmp_path)
    draw(2, tmp_path)
    status, output, told = run("1.png", "2.png", "--out", "x" * 300)
    assert (status, output) == (EXIT_STATUS["output"], b"") and "File name too long" in told


def test_a_result_may_have_as_long_a_name_as_there_are(run, tmp_path):
    draw(1, tmp_path, "a" * 240 + ".png")
    draw(2, tmp_path)
    assert run("2.png", "*a.png", "--out", "read")[0] == 0
    assert sorted(path.name for path in (tmp_path / "read").iterdir()) == ["2.json", "a" * 240 + ".json"]


def test_a_name_that_is_no_text(run, tmp_path):
    draw(1, tmp_path, "caf\udce9.png")
    draw(2, tmp_path)
    status, output, told = run("caf\udce9.png", "2.png", "--to", "text")
    assert (status, told) == (0, "") and output.startswith(b"# caf\xe9.png\n") and b"\n# 2.png\n" in output


@pytest.mark.parametrize("ending", ["tif", "gif"])
def test_of_several_pages_the_first_is_read(ending, run, tmp_path):
    expected = draw(1, tmp_path)
    draw(2, tmp_path)
    pages = [Image.open(tmp_path / f"{number}.png") for number in (1, 2)]
    pages[0].save(tmp_path / f"pages.{ending}", save_all=True, append_images=pages[1:])
    status, output, told = run(f"pages.{ending}")
    assert status == 0 and json.loads(output)["objects"] == expected
    assert told == f"derender: pages.{ending}: has several pages or frames, of which the first is read\n"


def test_what_is_stopped_is_told_in_a_line(run, tmp_path, monkeypatch):
    draw(1, tmp_path)
    draw(2, tmp_path)
    read = reader.Reader.read
    stop = iter((False, True))

    def read_or_stop(*arguments):
        if next(stop):
            raise KeyboardInterrupt
        return read(*arguments)

    monkeypatch.setattr(reader.Reader, "read", read_or_stop)
    status, _, told = run("1.png", "2.png", "--out", "read")
    assert status == EXIT_STATUS["stopped"] == 130
    assert told.splitlines()[-1] == "derender: stopped; results that are written are whole"
    assert [path.name for path in (tmp_path / "read").iterdir()] == ["1.json"]


@pytest.mark.parametrize(("streams", "status"), [("1.png >&-", "output"), ("- <&-", "unreadable")])
def test_closed_streams(streams, status, model, tmp_path):
    draw(1, tmp_path)
    command = f"{sys.executable} -m derender.cli {streams} --model {model} --language {TOY}"
    done = subprocess.run(command, shell=True, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert done.returncode == EXIT_STATUS[status] and "is closed" in done.stderr and "Traceback" not in done.stderr


def test_a_reader_that_has_gone_away(model, tmp_path):
    draw(1, tmp_path)
    command = [sys.executable, "-m", "derender.cli", "1.png", "--model", model, "--language", TOY]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    told = process.stderr.read()
    assert process.wait() == EXIT_STATUS["output"] and told.strip() == "derender: standard output: Broken pipe"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x" * 5000 + ".png", "derender: "),
        ("no\0file.png", "derender: "),
        (".", "derender: .: is a folder, not a pict"),
    ],
)
def test_a_name_that_can_be_none(name, message, run):
    status, output, told = run(name)
    assert (status, output) == (EXIT_STATUS["unreadable"], b"") and told.startswith(message)


def test_a_strip_is_drawn_among_the_steps():
    picture = Image.open(io.BytesIO(draw_steps([Step("a strip", np.zeros((3, 3000), np.uint8))] * 2)))
    assert picture.width == 2 * 256


def test_a_model_that_is_not_there(run, tmp_path):
    draw(1, tmp_path)
    status, output, told = run("1.png", model=tmp_path)
    assert (status, output) == (EXIT_STATUS["model"], b"") and f"derender: model '{tmp_path}'" in told


def test_it_tells_its_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0 and capsys.readouterr().out.startswith("derender ")


def test_help_tells_the_exit_statuses(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    told = capsys.readouterr().out
    assert stop.value.code == 0 and all(f"\n  {status} " in told for status in EXIT_STATUS.values())
