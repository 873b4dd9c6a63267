"""Finds every sentence of the product: in Python, in the templates, and the forms that the JSON Schemas describe.

`python -m tests.admin.sentences fr` prints what the French catalogue lacks.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

ROOT = Path(__file__).parents[2]
PACKAGES = ("definitions", "models", "workflows", "admin")
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "say": None,
    "gettext": None,
    "spoken": None,
    "spoken_number": (1, 2),
    "_n": (1, 2),
    "ngettext": (1, 2),
    "count": (1, 2),
}
"""The functions whose first texts are sentences (a counted one has two)."""
FORMS = ("pattern", "minLength", "maxProperties")
"""What a schema can ask for that the checker explains in the schema's own words."""


def sentences() -> set[str | tuple[str, str]]:
    """Return every sentence; a counted one as a pair."""
    return set(_in_python()) | set(_in_templates()) | set(_in_schemas())


def _in_python() -> Iterator[str | tuple[str, str]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for _, found, _, _ in extract_from_file("python", path, keywords=KEYWORDS):
                yield found if isinstance(found, str) else (found[0], found[1])


def _in_templates() -> Iterator[str | tuple[str, str]]:
    for path in sorted((ROOT / "admin" / "templates").rglob("*.html")):
        with path.open("rb") as file:
            for _, name, found, _ in babel_extract(file, list(KEYWORDS), [], {}):
                texts = [found] if isinstance(found, str) else [text for text in found or () if text is not None]
                if not texts:
                    continue
                counted = KEYWORDS.get(str(name)) is not None
                if counted and len(texts) > 1:
                    yield texts[0], texts[1]
                elif not counted:
                    yield texts[0]


def _in_schemas() -> Iterator[str]:
    """Yield what the checker says as a hint where a form does not fit: the schema's description of it."""
    for path in sorted((ROOT / "definitions" / "schemas").glob("*.json")):
        waiting: list[object] = [json.loads(path.read_text("utf-8"))]
        while waiting:
            node = waiting.pop()
            if isinstance(node, dict):
                waiting += node.values()
                if "description" in node and any(isinstance(node.get(each), str | int) for each in FORMS):
                    yield node["description"]
            elif isinstance(node, list):
                waiting += node


def missing(language: str) -> str:
    """Return what a catalogue lacks, as entries to be filled in."""
    with (ROOT / "admin" / "locale" / f"{language}.po").open("rb") as file:
        known = {entry.id if isinstance(entry.id, str) else tuple(entry.id) for entry in read_po(file, locale=language)}
    blank = Catalog(locale=language)
    for found in sorted(sentences() - known, key=str):
        blank.add(found)
    written = BytesIO()
    write_po(written, blank, width=0, omit_header=True)
    return written.getvalue().decode()


if __name__ == "__main__":  # python -m tests.admin.sentences fr
    sys.stdout.write(missing(sys.argv[1]))
