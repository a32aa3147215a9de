"""The paper's tables: every run can be carried out, nothing is done twice, and the numbers are those of the runs."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import eval as eval_script
from datasets_scripts.noisy_shapes import LANGUAGE
from derender_training.options import read_options
from derender_training.scores import SCORES, score_specifications
from experiments import reproduction
from experiments.carry_weights import PIECE, pack, unpack
from experiments.paper_figures import plot_curves, plot_sizes
from experiments.paper_rows import NOISY, SCENES, TABLES
from experiments.paper_runs import REAL_PICTURES, list_runs, list_starts
from experiments.paper_scales import SCALES, find_setting
from experiments.paper_statistics import compare, describe_scores
from experiments.paper_table import as_markdown
from experiments.reading_figure import draw_reading_figure
from experiments.run_records import COUNTS, OTHERS, by_picture, describe_pictures, read_record, write_record
from experiments.runs import COMMANDS, OPTIONS_OF, RunError


CASES = [(name, scale) for name, table in TABLES.items() for scale in SCALES if table.setting_name in SCALES[scale]]


def make_runs(name, scale, folder, seeds=3):
    table = TABLES[name]
    data_dir = "clips" if table.data_set == SCENES else None
    return table, list_runs(table, find_setting(scale, table), folder, seeds, data_dir, folder / "real")


@pytest.mark.parametrize("name, scale", CASES)
def test_every_run_has_options_that_fit(name, scale, tmp_path):
    table, runs = make_runs(name, scale, tmp_path)
    setting, rows = find_setting(scale, table), {row.key: row for row in table.rows}
    for position, ((key, seed), run) in enumerate(runs.items()):
        row, (training, *evaluations) = rows[key], run.commands
        options = read_options(OPTIONS_OF[run.script], training[2:])
        end = options.steps if setting.by_steps else options.max_minutes
        assert (options.seed, end) == (seed, setting.budget[row.start is not None])
        assert options.output_dir == f"{tmp_path}/{key}_{seed}/training"
        if any(change.startswith("fresh") for change in row.changes):
            assert (options.data, options.train_size) == ("fresh", None)
        elif setting.train_size is not None:
            assert options.train_size == setting.train_size * row.share / 100
        for evaluation in evaluations:
            assert eval_script.parse_options(evaluation[2:]).model == f"{options.output_dir}/model"
        assert len(evaluations) == (1 + len(REAL_PICTURES) if table.data_set == NOISY else 1)
        if row.start is not None:
            start = runs[row.start, seed]
            assert (row.start, seed) in list(runs)[:position]
            given = options.checkpoint if row.reinforces else options.initial_model
            assert given == f"{start.output_dir}/model"
    assert {key for key, seed in runs if seed} == {row.key for row in table.rows if row.headline}


def test_image_noise_is_drawn_anew_at_the_papers_scale(tmp_path):
    for name, scale in CASES:
        table, runs = make_runs(name, scale, tmp_path)
        for run in runs.values():
            options = read_options(OPTIONS_OF[run.script], run.commands[0][2:])
            noise = (options.render, options.image_noise)
            assert noise == (("pencil", "anew") if (scale, table.data_set) == ("paper", NOISY) else (None, None))


def test_the_paper_is_quoted_whole():
    for table in TABLES.values():
        for row in table.rows:
            assert all(0 < value < 100 for value in row.paper.values())
    two = {row.key: row.paper for row in TABLES["2"].rows}
    for key, paper in two.items():
        if paper and key != "cnn_lstm":  # whose average is not the mean of its parts
            mean = (paper["inference_error"] + paper["reconstruction_error"]) / 2
            assert paper["average_error"] == pytest.approx(mean, abs=0.0101), key
    assert two["iou_image"]["iou_binned"] == 62.45 and "iou" not in two["iou_image"]
    assert sum(bool(row.paper) for row in TABLES["1"].rows) == 5 and sum(map(bool, two.values())) == 9


def draw_objects(rng):
    return [{"category": "circle", "x": int(x), "y": int(y)} for x, y in rng.integers(1, 4, (rng.integers(1, 5), 2))]


def make_record(seed, better=0.0, size=40):
    """A record of random readings of the same pictures; a share `better` of them is right."""
    rng, truth = np.random.default_rng(seed), np.random.default_rng(7)
    items = []
    for _ in range(size):
        reference = draw_objects(truth)
        objects = reference if rng.random() < better else draw_objects(rng)
        scores = score_specifications(LANGUAGE, [objects], [reference])
        others = {name: scores[name] for name in ("iou_binned", "inference_error")}
        items.append({"objects": objects, "reference": reference, **others, "reconstruction_error": rng.random()})
    total = score_specifications(LANGUAGE, *([item[side] for item in items] for side in ("objects", "reference")))
    total["reconstruction_error"] = float(np.mean([item["reconstruction_error"] for item in items]))
    total["average_error"] = (total["inference_error"] + total["reconstruction_error"]) / 2
    training = {"image_size": [32, 32], "batch_size": 8}
    curve = {"step": [5, 10], "iou": [0.1, 0.2], "inference_error": [0.5, 0.4]}
    return {
        "scores": total, "pictures": describe_pictures(items), "training": training, "curve": curve, "minutes": 1.5,
        "steps": 10, "best_step": 5, "images_per_second": 9.0, "commit": "abc", "hardware": "a machine",
        "more": {name: {"iou": 0.25, "iou_1.0": 0.125, "pictures": 8} for name in REAL_PICTURES},
    }  # fmt: skip


def test_the_counts_of_pictures_give_the_scores():
    record = make_record(0, 0.3)
    assert record["pictures"].keys() == {*COUNTS, *OTHERS}
    for name in SCORES:
        if name != "average_error":
            values, weights = by_picture(record, name)
            assert (values * weights).sum() / weights.sum() == pytest.approx(record["scores"][name], abs=2e-5), name


def test_the_comparison_finds_what_was_put_in():
    ours, theirs = [make_record(seed, 0.6) for seed in range(3)], [make_record(10)]
    found = compare(ours, theirs, SCORES)
    for name in SCORES:
        difference = np.mean([record["scores"][name] for record in ours]) - theirs[0]["scores"][name]
        assert found[name]["mean"] == pytest.approx(-difference if "error" in name else difference, abs=2e-5)
    assert found["iou"]["p"] < 0.01 and found["inference_error"]["mean"] > 0 and found["inference_error"]["p"] < 0.01
    same = compare(theirs, theirs, ["average_error"])["average_error"]
    assert (same["mean"], same["interval"], same["p"]) == (0, (0, 0), 1)


@pytest.mark.parametrize("name", TABLES)
def test_the_table_shows_ours_beside_the_papers(name, tmp_path):
    table, runs = make_runs(name, "cpu", tmp_path, seeds=2)
    records = {key: make_record(index, 0.5) for index, key in enumerate(runs)}
    result = reproduction.summarize(table, records) | {"scale": "cpu", "table": name, "instead": []}
    text = as_markdown(table, json.loads(json.dumps(result)))
    assert "CPU scale, not the paper's" in text and "Commit abc" in text and "a machine" in text
    for row in table.rows:
        assert row.label in text
        if row.recipe is not None:
            own = [records[key, seed] for key, seed in runs if key == row.key]
            scores = describe_scores(own, ["iou"])["iou"]
            assert scores["mean"] == pytest.approx(np.mean([record["scores"]["iou"] for record in own]))
            assert f"{100 * scores['mean']:.2f}" in text
            for measure, value in [item for item in row.paper.items() if item[0] in table.measures]:
                lacks = 100 * describe_scores(own, [measure])[measure]["mean"] - value
                assert f"{value:.2f} ({lacks:+.2f})" in text
        for base, found in next(item for item in result["rows"] if item["key"] == row.key)["against"].items():
            seeds = [seed for key, seed in runs if key == row.key and (base, seed) in runs]
            sides = ([records[key, seed] for seed in seeds] for key in (row.key, base))
            assert found == compare(*sides, table.measures)  # of the same seeds
    assert ("What is gained over" in text) == bool(table.bases)
    labels = {row["key"]: row["label"] for row in result["rows"]}
    for row in table.rows if name != "size" else ():
        assert all(f"| {row.label}, over: {labels[base]} | " in text for base in row.over)
    several = any(row.headline for row in table.rows)
    assert ("± " in text, "--seeds 2`" in text, "2 seeds for the rows" in text) == (several, several, several)
    assert plot_curves(table, records).startswith(b"\x89PNG")
    if name == "size":
        assert plot_sizes(result["rows"]).startswith(b"\x89PNG")


def test_the_table_says_which_rows_are_of_which_machine(tmp_path):
    table, runs = make_runs("3", "cpu", tmp_path, seeds=1)
    records = {key: make_record(index) for index, key in enumerate(runs)}
    first = next(iter(records))
    records[first]["hardware"] = "a bigger one"
    result = reproduction.summarize(table, records) | {"scale": "cpu", "table": "3", "instead": []}
    label, others = table.row(first[0]).label, ", ".join(row.label for row in table.rows if row.key != first[0])
    text = as_markdown(table, result)
    assert f". a bigger one: {label}; a machine: {others}. Commit" in text and ", seed 0." in text


def test_a_table_can_be_of_chosen_rows(tmp_path, monkeypatch):
    table, runs = make_runs("1", "tiny", tmp_path / "runs", seeds=1)
    carried_out = []

    def execute(now, jobs, title, deadline, keep):
        carried_out.extend(run.name for run in now)
        for run in now:
            keep(run)

    monkeypatch.setattr(reproduction, "execute_runs", execute)
    monkeypatch.setattr(reproduction, "make_record", lambda run: make_record(len(run.name), 0.5))
    for run in runs.values():
        monkeypatch.setattr(type(run), "is_done", lambda self: self.name in carried_out)
    found = reproduction.carry_out(table, runs, tmp_path / "records", 1, None, ["lstm", "iou"])
    assert carried_out == ["lstm_0", "transformer_0", "iou_0"]
    assert list(found) == [("lstm", 0), ("transformer", 0), ("iou", 0)]
    result = reproduction.summarize(table, found) | {"scale": "tiny", "table": "1", "instead": []}
    text = as_markdown(table, json.loads(json.dumps(result)))
    assert "--rows lstm transformer iou`" in text
    missing = ", ".join(table.row(key).label for key in ("longer", "image", "iou_image"))
    assert f"NOT RUN yet: {missing}." in text
    assert "over the Transformer with cross-entropy" in text and "over cross-entropy for as much longer" not in text
    assert plot_curves(table, found).startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="--rows lst: the table has lstm, transformer"):
        reproduction.carry_out(table, runs, tmp_path / "records", 1, None, ["lst"])


def test_a_row_that_fails_stops_only_those_that_begin_from_it(tmp_path, monkeypatch):
    """Where all of them go at a time."""
    table, runs = make_runs("size", "tiny", tmp_path / "runs", seeds=1)
    carried_out = []

    def execute(now, jobs, title, deadline, keep):
        done = [run for run in now if run.name != "transformer_10_0"]
        carried_out.extend(run.name for run in done)
        for run in done:
            keep(run)
        if any(run.name == "transformer_10_0" for run in now):
            raise RunError("transformer_10_0: ended with status 1")

    monkeypatch.setattr(reproduction, "execute_runs", execute)
    monkeypatch.setattr(reproduction, "make_record", lambda run: {"name": run.name})
    for run in runs.values():
        monkeypatch.setattr(type(run), "is_done", lambda self: self.name in carried_out)
    with pytest.raises(RunError, match="transformer_10_0: ended with status 1"):
        reproduction.carry_out(table, runs, tmp_path / "records", 1, None)
    names = {run.name for run in runs.values()} - {"transformer_10_0", "iou_10_0"}
    assert set(carried_out) == names == {path.stem for path in (tmp_path / "records").iterdir()}


def test_nothing_is_done_twice(tmp_path, monkeypatch):
    """What has a record is done; what it is begun from is trained again only where something begins from it."""
    table, runs = make_runs("1", "tiny", tmp_path / "runs", seeds=1)
    carried_out = []

    def execute(now, jobs, title, deadline, keep):
        carried_out.extend(run.name for run in now)
        for run in now:
            keep(run)

    monkeypatch.setattr(reproduction, "execute_runs", execute)
    monkeypatch.setattr(reproduction, "make_record", lambda run: {"name": run.name})
    for run in runs.values():
        monkeypatch.setattr(type(run), "is_done", lambda self: self.name in carried_out)
    monkeypatch.setattr(
        reproduction, "read_record", lambda path, run: json.loads(path.read_text()) if path.exists() else None
    )
    records = tmp_path / "records"
    write_record(records / "transformer_0.json", {"name": "transformer_0"})
    write_record(records / "lstm_0.json", {"name": "lstm_0"})
    write_record(records / "image_0.json", {"name": "image_0"})
    found = reproduction.carry_out(table, runs, records, 1, None)
    assert carried_out == ["transformer_0", "longer_0", "iou_0", "iou_image_0"]
    assert {key: record["name"] for key, record in found.items()} == {key: run.name for key, run in runs.items()}
    carried_out.clear()
    reproduction.carry_out(table, runs, records, 1, None)
    assert carried_out == []
    assert list_starts(table, [("iou", 2), ("lstm", 0)]) == {("transformer", 2)}


def test_a_record_of_another_recipe_does_not_count(tmp_path):
    _, runs = make_runs("2", "cpu", tmp_path)
    run = runs["iou_image", 0]
    options = read_options(OPTIONS_OF[run.script], run.commands[0][2:])
    commands = [[part for part in command if part not in ("--data_dir", "clips")] for command in run.commands]
    record = {"commands": commands, "training": {**vars(options), "data_dir": None}}
    write_record(tmp_path / "record.json", record)
    assert read_record(tmp_path / "record.json", run) == record
    train, evaluate = (tuple(part.replace("clips", "x") for part in side) for side in (run.train, run.evaluate))
    assert read_record(tmp_path / "record.json", replace(run, train=train, evaluate=evaluate)) == record
    assert read_record(tmp_path / "record.json", replace(run, evaluate=(*evaluate, "--limit", "5"))) is None
    write_record(tmp_path / "record.json", {**record, "training": {**record["training"], "learning_rate": 0.5}})
    assert read_record(tmp_path / "record.json", run) is None
    assert read_record(tmp_path / "none.json", run) is None


MODEL = "training/model/model.safetensors"


def make_run_folder(folder, size=100):
    (folder / "training" / "model").mkdir(parents=True, exist_ok=True)
    save_file({"weight": torch.randn(size), "count": torch.arange(3)}, folder / MODEL)
    checkpoint = folder / "training" / "checkpoints" / "step_000000007"
    checkpoint.mkdir(parents=True, exist_ok=True)
    (checkpoint / "progress.json").write_text("{}")
    (checkpoint / "optimizer.bin").write_bytes(bytes(1000))
    (folder / COMMANDS).write_text("[]")


def test_runs_are_carried_in_pieces(tmp_path):
    torch.manual_seed(0)
    make_run_folder(tmp_path / "runs" / "a" / "one_0", PIECE)
    make_run_folder(tmp_path / "runs" / "a" / "two_0")
    (tmp_path / "runs" / "a" / "unfinished").mkdir()
    pieces = pack(tmp_path / "runs", tmp_path / "out")
    assert len(pieces) == 3 and all(path.stat().st_size <= PIECE < 16 << 20 for path in pieces)
    unpack(tmp_path / "out", tmp_path / "new")
    names = sorted(str(path.relative_to(tmp_path / "new")) for path in (tmp_path / "new").rglob("*") if path.is_file())
    kept = (COMMANDS, "training/checkpoints/step_000000007/progress.json", MODEL)
    assert names == sorted(f"a/{run}/{name}" for run in ("one_0", "two_0") for name in kept)
    for run in ("one_0", "two_0"):
        before, after = (load_file(tmp_path / side / "a" / run / MODEL) for side in ("runs", "new"))
        assert after["weight"].dtype == torch.float32 and after["count"].tolist() == [0, 1, 2]
        assert torch.equal(after["weight"], before["weight"].bfloat16().float())
    pieces[1].unlink()
    with pytest.raises(ValueError, match="2 pieces, which are not all of one set"):
        unpack(tmp_path / "out", tmp_path / "new")
    with pytest.raises(ValueError, match="holds no run that is done"):
        pack(tmp_path / "out", tmp_path / "more")


def test_readings_are_drawn_where_models_differ():
    drawn = []

    def draw(scenes, size):
        drawn.append(scenes)
        return np.zeros((len(scenes), *size), np.uint8)

    def evaluation(*words):
        return {"predictions": [{"objects": [word], "reference": ["true"], "iou": 0.5} for word in words]}

    figure = draw_reading_figure(draw, (20, 30), [evaluation(*"abcd"), evaluation(*"axcy")], "iou", shown=2)
    assert figure.startswith(b"\x89PNG")
    assert drawn == [[["true"], ["true"]], [["b"], ["d"]], [["x"], ["y"]]]
    with pytest.raises(ValueError, match="read the same in every picture"):
        draw_reading_figure(draw, (20, 30), [evaluation(*"abcd")] * 2, "iou")


def test_bad_options_are_told(tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit) as error:
        reproduction.main(["--table", "1", "--scale", "tiny", "--real_pictures", str(tmp_path)])
    assert str(error.value) == f"error: --real_pictures {tmp_path}: has no {' and no '.join(REAL_PICTURES)}"
    monkeypatch.setattr(reproduction, "execute_runs", lambda *_: (_ for _ in ()).throw(RunError("it failed")))
    arguments = [
        "--table",
        "2",
        "--scale",
        "tiny",
        "--output_dir",
        str(tmp_path / "a"),
        "--results",
        str(tmp_path / "b"),
    ]
    with pytest.raises(SystemExit, match="error: it failed"):
        reproduction.main(arguments)


def test_the_command_starts_from_anywhere(tmp_path):
    script = Path(reproduction.__file__).with_name("reproduce.py")
    done = subprocess.run([sys.executable, script, "--help"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "--table {1,2,3,size" in done.stdout
