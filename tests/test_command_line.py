"""How the training scripts end: with their help, with an error in a line, or stopped by Ctrl-C."""

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
