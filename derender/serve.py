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
            from transformers.utils.logging import disable_progress_bar

            from derender.models import ModelError
            from derender.page import LAUNCH, build_page
            from derender.reader import Reader
        except ImportError as error:
            return _fail(f"the page needs {error.name}: pip install '.[page]' in Derender's checkout", "model")
        disable_progress_bar()  # Transformers shows one for the weights
        try:
            page = build_page(Reader.open(options.model, options.data_dir, options.language, options.tta))
        except ModelError as error:
            return _fail(str(error), "model")
        except ValueError as error:
            return _fail(str(error), "usage")
        try:
            # Gradio's own words are about an option that this command has not.
            how = {"quiet": True, "prevent_thread_lock": True, **LAUNCH}
            _, address, _ = page.launch(server_name=options.host, server_port=options.port, **how)
        except OSError:
            where = "any port" if options.port is None else f"port {options.port}"
            told = f"cannot listen on {where} of {options.host}: in use, not allowed, or no address of this machine"
            return _fail(told, "usage")
        print(f"the page: {address} (Ctrl+C ends it)", flush=True)
        page.block_thread()
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
