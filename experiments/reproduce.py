"""Makes the tables of the paper: python experiments/reproduce.py --table 1|2|3|size --scale cpu|paper"""

import signal
import sys
from pathlib import Path


sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, not as a module

from derender_training.command_line import end_stopped  # noqa: E402
from experiments.reproduction import main  # noqa: E402


if __name__ == "__main__":
    # A shell that begins it in the background may have it ignore Ctrl+C, by which it ends its runs: they inherit this.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        main()
    except KeyboardInterrupt:
        end_stopped("the same command goes on")
