"""`derender serve`: the page, on this machine unless told otherwise."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Sequence

from derender.cli import EXIT_STATUS, add_reader_options, number


LOOPBACK = "127.0.0.1"


def main(arguments: Sequence[str]) -> int:
    """Serve until interrupted; the exit status."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the folder is cleared away then too
    with tempfile.TemporaryDirectory(prefix="derender_") as folder:
        # Everything that the page writes, and all that it hands out, lies here.
        os.environ["GRADIO_TEMP_DIR"] = os.environ["MPLCONFIGDIR"] = tempfile.tempdir = folder
        try:
            from derender.models import ModelError
            from derender.page import LAUNCH, build_page
            from derender.reader import Reader
        except ImportError as error:
            return _fail(f"the page needs {error.name}: pip install 'derender[page]'", "model")
        try:
            page = build_page(Reader.open(options.model, options.data_dir, options.language, options.tta))
        except ModelError as error:
            return _fail(str(error), "model")
        except ValueError as error:
            return _fail(str(error), "usage")
        try:
            page.launch(server_name=options.host, server_port=options.port, **LAUNCH)
        except OSError as error:
            return _fail(str(error), "usage")
    return 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("derender serve", description=__doc__)
    parser.add_argument("--host", default=LOOPBACK, help=f"the address to listen on ({LOOPBACK}; 0.0.0.0: all)")
    parser.add_argument("--port", type=port, help="the port (the first free one from 7860)")
    add_reader_options(parser)
    return parser.parse_args(arguments)


def port(text: str) -> int:
    return number(text, int, lambda value: 1 <= value <= 65535, "a port, 1 to 65535")


def _fail(message: str, kind: str) -> int:
    print(f"derender: {message}", file=sys.stderr)
    return EXIT_STATUS[kind]
