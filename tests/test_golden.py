"""A frozen model of each decoder makes of some pictures what it made of them when it was frozen."""

import json
import shutil
import sys

import golden
import pytest
import torch
from golden import DECODERS, GOLDEN, describe, read_pictures


def test_the_frozen_models_stay_where_new_ones_are_not_finished(tmp_path, monkeypatch):
    here = tmp_path / "golden"
    shutil.copytree(GOLDEN, here)
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    monkeypatch.setattr(golden, "HERE", tmp_path)
    monkeypatch.setattr(golden, "GOLDEN", here)

    def stop(folder):
        folder.mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(golden, "write", stop)
    for arguments, reason in ([], KeyboardInterrupt), (["--help"], SystemExit):
        monkeypatch.setattr(sys, "argv", ["golden", *arguments])
        with pytest.raises(reason):
            golden.main()
        assert list(tmp_path.iterdir()) == [here]
        assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before
    monkeypatch.setattr(golden, "write", lambda folder: (folder.mkdir(), (folder / "new").touch()))
    monkeypatch.setattr(sys, "argv", ["golden"])
    golden.main()
    assert [path.name for path in here.iterdir()] == ["new"] and list(tmp_path.iterdir()) == [here]


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_frozen_model_says_what_it_said(decoder):
    expected = json.loads((GOLDEN / decoder / "expected.json").read_text())
    found = describe(GOLDEN / decoder, read_pictures(GOLDEN / "pictures"))
    assert found["tokens"] == expected["tokens"]
    assert found["beams"] == expected["beams"]
    torch.testing.assert_close(torch.tensor(found["logits"]), torch.tensor(expected["logits"]), atol=1e-3, rtol=1e-3)
