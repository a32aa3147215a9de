"""`derender picture.png`: what is drawn in a picture, as JSON, text, TikZ, SVG or a clean picture.

`derender serve` serves a page for the browser that does the same; see `derender serve --help`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version


EXIT_STATUS = {
    "unreadable": 1, "usage": 2, "blank": 3, "photograph": 4, "crowded": 5, "model": 6, "output": 7, "stopped": 130,
}  # fmt: skip
DEFAULT_MODEL = "noisy_shapes,coarse_drawings"
EPILOG = f"""exit status: 0 every picture was read; otherwise messages on standard error name each that was not, and
  {EXIT_STATUS["unreadable"]} a file is missing, damaged or no picture; or several, for different reasons
  {EXIT_STATUS["usage"]} options that do not fit
  {EXIT_STATUS["blank"]} nothing is drawn in it
  {EXIT_STATUS["photograph"]} no picture of the model's kind, such as a photograph
  {EXIT_STATUS["crowded"]} more objects than the model can write
  {EXIT_STATUS["model"]} the model cannot be used
  {EXIT_STATUS["output"]} a result cannot be written; no more pictures are read then
  {EXIT_STATUS["stopped"]} Ctrl-C stopped it"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments[:1] == ["serve"]:
        from derender.serve import main as serve

        return serve(arguments[1:])
    options = parse(arguments)
    try:
        from derender.read_files import read_files  # takes seconds, which --help need not wait

        return read_files(options)
    except KeyboardInterrupt:
        print("\nderender: stopped; results that are written are whole", file=sys.stderr)
        return EXIT_STATUS["stopped"]


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "derender", description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", nargs="+", metavar="PICTURE", help="files, patterns such as 'scans/*.png', or -")
    parser.add_argument(
        "--to", metavar="FORM", help="json (the default), text, tikz, svg or png; or by --out's ending"
    )
    parser.add_argument("--out", metavar="PATH", help="a file, a folder (for several pictures), or - (the default)")
    add_reader_options(parser)
    parser.add_argument("--candidates", type=positive, default=1, metavar="N", help="read N times, keep the best (1)")
    parser.add_argument(
        "--refine", type=not_negative, default=0, metavar="BUDGET", help="try changes, drawing so often (0)"
    )
    parser.add_argument(
        "--min-confidence", type=share, default=0.0, metavar="P", help="leave out less sure objects (0)"
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {_find_version()}")
    parser.add_argument("--explain", action="store_true", help="tell each step, and draw them beside the result")
    return parser.parse_args(arguments)


def _find_version() -> str:
    try:
        return version("derender")
    except PackageNotFoundError:  # run where it is not installed
        return "(not installed)"


def add_reader_options(parser: argparse.ArgumentParser) -> None:
    """Those of the model and what belongs to it."""
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        help="noisy_shapes (line drawings), coarse_drawings (the same by thick pens or in few pixels), "
        "abstract_scenes (clip art), a folder, or one on the Hub; several with commas between: each picture "
        "is read by the one that makes most sense of it (%(default)s)",
    )
    parser.add_argument("--language", metavar="FOLDER", help="the language's folder, where it is none of derender's")
    parser.add_argument("--data_dir", metavar="FOLDER", help="the language's own files (clip art), where it has such")
    parser.add_argument(
        "--tta",
        action="store_true",
        help="look five times, a pixel apart: slower, fewer errors on drawings by hand and clip art",
    )


def positive(text: str) -> int:
    return number(text, int, lambda value: value >= 1, "a whole number above 0")


def not_negative(text: str) -> int:
    return number(text, int, lambda value: value >= 0, "a whole number, 0 or above")


def share(text: str) -> float:
    return number(text, float, lambda value: 0 <= value <= 1, "a number from 0 to 1")


def number(text: str, kind: type, fits: Callable, wanted: str):
    """`text` as a `kind` that `fits`; argparse tells of any other that it is not `wanted`."""
    try:
        value = kind(text)
        if fits(value):
            return value
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")


if __name__ == "__main__":
    sys.exit(main())
