"""What the documents point at is there."""

import re
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\(([^)\s]+)\)")
PLACES = ("*.md", "docs/*.md", "*/*/README.md", "experiments/results/**/*.md")
DOCUMENTS = sorted({str(path.relative_to(ROOT)) for place in PLACES for path in ROOT.glob(place)})


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_links_of_a_document_lead_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    missing = [link for link in LINK.findall(text) if not link.startswith("http") and not leads(ROOT / name, link)]
    assert not missing


def leads(document, link):
    path, _, part = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    return target.exists() and (not part or part in list_anchors(target.read_text(encoding="utf-8")))


def list_anchors(text):
    """The names by which a page's headings are linked."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
