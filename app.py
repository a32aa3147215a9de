"""The Hugging Face Space: the page of `derender serve` with the models of line drawings."""

from derender.cli import DEFAULT_MODEL
from derender.page import LAUNCH, build_page
from derender.reader import Reader


page = build_page(Reader.open(DEFAULT_MODEL))

if __name__ == "__main__":
    page.launch(**LAUNCH)
