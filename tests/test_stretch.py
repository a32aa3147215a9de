"""What half an hour of a GPU is spent on: its commands, their order, and what they leave."""

import tarfile
from dataclasses import replace

import pytest
from test_reproduce import make_run_folder

from experiments import reproduction, stretch
from experiments.carry_weights import unpack
from experiments.paper_rows import TABLES


ARGUMENTS = ["--scale", "tiny", "--data_dir", "clips"]


@pytest.fixture
def places(tmp_path, monkeypatch):
    monkeypatch.setattr(stretch, "RESULTS", str(tmp_path / "committed"))
    return [*ARGUMENTS, "--output_dir", str(tmp_path / "runs"), "--folder", str(tmp_path / "left")]


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
        assert parsed.results == str(tmp_path / "results") and parsed.jobs >= len(part.rows)
        known = {row.key for row in TABLES[part.table].rows if row.recipe is not None}
        assert tuple(parsed.rows) == part.rows and set(part.rows) <= known


def fake(monkeypatch, parts, code):
    monkeypatch.setattr(stretch, "STRETCHES", {"one": parts})
    monkeypatch.setattr(stretch, "find_command", lambda part, options, results: ["python", "-c", code, part.table])


def test_it_leaves_records_and_weights(tmp_path, monkeypatch, places):
    committed = tmp_path / "committed" / "records" / "tiny" / "old.json"
    committed.parent.mkdir(parents=True)
    committed.write_text("{}")
    for name in ("one_0", "other_0"):
        make_run_folder(tmp_path / "runs" / "tiny" / "shapes" / name)
    code = f"import sys; open({str(tmp_path / 'left' / 'one' / 'results')!r} + '/table.md', 'w').write(str(sys.argv))"
    fake(monkeypatch, (stretch.Part("1", (), kept=("shapes/one_0", "shapes/never_0")),), code)
    stretch.main(["one", *places, "--stop_after", "5"])
    with tarfile.open(tmp_path / "left" / "one" / "results.tgz") as archive:
        text = archive.extractfile("results/table.md").read().decode()
        assert "results/records/tiny/old.json" in archive.getnames()
    assert "'1', '--stop_after', '4.9" in text
    unpack(tmp_path / "left" / "one", tmp_path / "new")
    assert [path.name for path in (tmp_path / "new" / "shapes").iterdir()] == ["one_0"]
    stretch.main(["one", *places])  # once more, with what is there


def test_what_is_done_is_left_though_a_command_fails(tmp_path, monkeypatch, places):
    fake(monkeypatch, tuple(stretch.Part(name, ()) for name in "12"), "import sys; sys.exit(sys.argv[1] == '2')")
    with pytest.raises(SystemExit, match="table_2.log: the command did not come to its end") as error:
        stretch.main(["one", *places])
    assert "table_1" not in str(error.value)
    assert (tmp_path / "left" / "one" / "results.tgz").is_file()


@pytest.mark.parametrize("done", [True, False])
def test_a_part_waits_for_the_run_that_is_alone(done, tmp_path, monkeypatch, places):
    fake(monkeypatch, (stretch.Part("1", (), after="shapes/one_0"),), "")
    setting = replace(stretch.SCALES["tiny"]["noisy_shapes"], budget=(2 / 60, 0))
    monkeypatch.setitem(stretch.SCALES, "tiny", {"noisy_shapes": setting})
    if done:
        make_run_folder(tmp_path / "runs" / "tiny" / "shapes" / "one_0")
    slept = []
    monkeypatch.setattr(stretch.time, "sleep", slept.append)
    clock = iter(range(1000))
    monkeypatch.setattr(stretch.time, "monotonic", lambda: next(clock))
    stretch.main(["one", *places])
    assert bool(slept) != done
