"""What half an hour of a GPU is spent on: its commands, their order, and what they leave."""

import json
import shutil
import tarfile

import pytest
from test_reproduce import make_run_folder

from experiments import reproduction, stretch
from experiments.carry_weights import PIECE, unpack
from experiments.paper_rows import TABLES
from experiments.runs import COMMANDS, Run


ARGUMENTS = ["--scale", "tiny", "--data_dir", "clips"]


def test_the_stretches_have_every_row_that_is_to_be_run():
    parts = [part for parts in stretch.STRETCHES.values() for part in parts]
    found = {  # tables of one data set share their runs
        (TABLES[part.table].data_set, row, seed) for part in parts for row in part.rows for seed in range(part.seeds)
    }
    for name in ("1", "2", "3", "size"):
        for row in TABLES[name].rows:
            if row.recipe is not None and (name != "2" or row.headline or row.key.endswith("lstm")):
                assert {(TABLES[name].data_set, row.key, seed) for seed in range(3 if row.headline else 1)} <= found


@pytest.mark.parametrize("name", stretch.STRETCHES)
def test_each_command_is_one_of_reproduce(name, tmp_path):
    options = stretch._parse([name, *ARGUMENTS])
    for part in stretch.STRETCHES[name]:
        command = stretch.find_command(part, options, tmp_path / "results")
        parsed = reproduction._parse(command[2:])
        assert command[:2] == ["python", "experiments/reproduce.py"]
        assert (parsed.table, parsed.scale, parsed.seeds, parsed.data_dir) == (part.table, "tiny", part.seeds, "clips")
        assert parsed.results == str(tmp_path / "results") and parsed.jobs == len(part.rows) * part.seeds
        known = {row.key for row in TABLES[part.table].rows if row.recipe is not None}
        assert tuple(parsed.rows) == part.rows and set(part.kept) <= set(part.rows) <= known


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Makes a stretch "one" of these parts, whose commands are Python's `code`, and says where its places are."""
    monkeypatch.setattr(stretch, "RESULTS", str(tmp_path / "committed"))
    monkeypatch.setattr(Run, "is_done", lambda run: (run.folder / COMMANDS).is_file())

    def make(parts, code):
        monkeypatch.setattr(stretch, "STRETCHES", {"one": parts})
        monkeypatch.setattr(stretch, "find_command", lambda part, *_: ["python", "-c", code, part.table])
        return ["one", *ARGUMENTS, "--output_dir", str(tmp_path / "runs"), "--folder", str(tmp_path / "left")]

    return make


def test_it_leaves_records_and_weights(tmp_path, fake):
    committed, left = tmp_path / "committed" / "records" / "tiny" / "old.json", tmp_path / "left" / "one"
    committed.parent.mkdir(parents=True)
    committed.write_text("{}")
    code = f"import sys; open({str(left / 'results')!r} + '/table.md', 'w').write(str(sys.argv))"
    arguments = fake((stretch.Part("1", ("transformer",), kept=("transformer",)), stretch.Part("2", ())), code)
    stretch.main([*arguments, "--stop_after", "5"])
    with tarfile.open(left / "results.tgz") as archive:
        text = archive.extractfile("results/table.md").read().decode()
        assert "results/records/tiny/old.json" in archive.getnames()
    assert "'--stop_after', '4.9" in text
    assert not list(left.glob("*.part"))  # nothing is done
    for name, size in (("transformer_0", 1), ("lstm_0", 1)):
        make_run_folder(tmp_path / "runs" / "tiny" / "noisy_shapes" / name, size)
    stretch.main(arguments)
    make_run_folder(tmp_path / "runs" / "tiny" / "noisy_shapes" / "transformer_0", PIECE)
    stretch.main(arguments)  # once more, with another number of pieces
    unpack(left, tmp_path / "new")
    assert [path.name for path in (tmp_path / "new" / "noisy_shapes").iterdir()] == ["transformer_0"]


def test_no_more_weights_are_left_than_a_machine_gives_back(tmp_path, fake, monkeypatch, capsys):
    monkeypatch.setattr(stretch, "MOST", 5 << 19)
    seeds = tuple(f"transformer_{seed}" for seed in range(3))
    for name in seeds:
        make_run_folder(tmp_path / "runs" / "tiny" / "noisy_shapes" / name, 1 << 19)
    stretch.main(fake((stretch.Part("1", ("transformer",), seeds=3, kept=("transformer",)),), ""))
    unpack(tmp_path / "left" / "one", tmp_path / "new")
    left = sorted(path.name for path in (tmp_path / "new" / "noisy_shapes").iterdir())
    assert left == list(seeds[:2])
    told = "".join(capsys.readouterr())
    assert [name for name in seeds if f"{name}: its weights are not left" in told] == [seeds[2]]


def test_what_is_done_is_left_though_a_command_fails(tmp_path, fake):
    arguments = fake(tuple(stretch.Part(name, ()) for name in "12"), "import sys; sys.exit(sys.argv[1] == '2')")
    with pytest.raises(SystemExit, match="table_2.log: the command did not come to its end") as error:
        stretch.main(arguments)
    assert "table_1" not in str(error.value)
    assert (tmp_path / "left" / "one" / "results.tgz").is_file()


ALONE = (stretch.Part("1", ("transformer",)), stretch.Part("2", (), later=True))


def test_a_run_that_is_alone_is_waited_for(tmp_path, fake):
    options, run = stretch._parse(fake(ALONE, "")), tmp_path / "runs" / "tiny" / "noisy_shapes" / "transformer_0"
    assert stretch._find_delay(ALONE[0], options) == 4.5  # of the tiny scale's tenth of a minute
    for step, elapsed, seconds in ((10, 3.0, 1.5), (20, 5.0, 0.0)):
        progress = run / "training" / "checkpoints" / f"step_{step:09d}" / "progress.json"
        progress.parent.mkdir(parents=True)
        progress.write_text(json.dumps({"elapsed": elapsed}))
        assert stretch._find_delay(ALONE[0], options) == seconds
    shutil.rmtree(run)
    make_run_folder(run)
    assert stretch._find_delay(ALONE[0], options) == 0.0


def test_what_there_is_is_left_again_and_again(tmp_path, fake, monkeypatch):
    """With the runs' logs; a machine may be taken away at any moment."""
    monkeypatch.setattr(stretch, "OFTEN", 0.1)
    log = tmp_path / "runs" / "tiny" / "noisy_shapes" / "transformer_0" / "log.txt"
    left = tmp_path / "left" / "one" / "results.tgz"
    code = f"""
import pathlib, sys, tarfile, time
log, left = pathlib.Path({str(log)!r}), pathlib.Path({str(left)!r})
log.parent.mkdir(parents=True)
log.write_text("step 7")
for _ in range(200):
    if left.exists() and "logs/noisy_shapes/transformer_0/log.txt" in tarfile.open(left).getnames():
        sys.exit(0)
    time.sleep(0.1)
sys.exit("nothing is left while it works")
"""
    stretch.main(fake((stretch.Part("1", ("transformer",)),), code))


def test_a_later_part_begins_when_the_first_has_ended(tmp_path, fake, monkeypatch):
    monkeypatch.setattr(stretch, "_find_delay", lambda *_: 600.0)
    code = (
        f"import sys, time; time.sleep(sys.argv[1] == '1'); open({str(tmp_path / 'order')!r}, 'a').write(sys.argv[1])"
    )
    stretch.main(fake(ALONE, code))
    assert (tmp_path / "order").read_text() == "12"
