"""A hundred hostile pictures through the command in one process; `make fuzz` throws a thousand."""

import json
import subprocess
import sys
from pathlib import Path

from hostile_pictures import make_pictures
from tiny_checkpoint import save_tiny_checkpoint

from datasets_scripts.noisy_shapes import LANGUAGE


COUNT = 100


def test_hostile_pictures_end_in_a_reading_or_a_named_error(tmp_path):
    model = save_tiny_checkpoint(tmp_path, LANGUAGE)
    command = [sys.executable, str(Path(__file__).with_name("fuzz.py")), str(COUNT), str(model)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    endings = json.loads(done.stdout)["endings"]
    assert sum(endings.values()) == COUNT
    # The generator is no good where nothing is damaged, or everything.
    assert endings["unreadable"] > 20 and sum(endings.get(name, 0) for name in ("read", "photograph", "crowded")) > 20


def test_hostile_pictures_are_the_same_each_time():
    first, again = (list(make_pictures(20)) for _ in range(2))
    assert first == again and first != list(make_pictures(20, seed=1))
