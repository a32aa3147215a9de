"""How scripts end: with their help, with an error in a line, or stopped by Ctrl-C."""

import argparse
import runpy
import signal
from pathlib import Path

import pytest

import rl_train
import train
from derender_training.options import OptionError


@pytest.mark.parametrize("script", [train, rl_train])
def test_how_a_script_ends(script, monkeypatch, capsys, tmp_path):
    script.main(["--help"])
    assert script.__doc__.splitlines()[0] in capsys.readouterr().out

    def end_by(error):
        def training_function(options):
            raise error

        monkeypatch.setattr(script, "training_function", training_function)
        monkeypatch.setattr("derender_training.command_line.read_options", lambda kind, arguments: None)
        with pytest.raises(SystemExit) as stop:
            script.main([])
        return stop.value.code

    assert end_by(OptionError("option 'steps': no")) == "error: option 'steps': no"
    assert end_by(KeyboardInterrupt()) == 130
    assert "stopped; the same command goes on from the last checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("script", "what_now"),
    [("eval", "begins again"), ("report", "begins again"), ("experiments/reproduce", "goes on")],
)
def test_other_scripts_that_take_long(script, what_now, monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", interrupt)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(Path(__file__).parents[1] / f"{script}.py"), run_name="__main__")
    assert stop.value.code == 130
    assert capsys.readouterr().err == f"\nstopped; the same command {what_now}\n"
