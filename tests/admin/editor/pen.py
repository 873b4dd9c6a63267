"""Somebody who writes: a pack of the documentation, and texts in which `|` is the cursor."""

from __future__ import annotations

from pathlib import Path

from admin.editor.completion import Offer, offers
from admin.editor.packs import Desk, Pack
from definitions.problems import Place

TOOLSHED = Path(__file__).parents[3] / "docs" / "examples" / "toolshed"
NEW = "new.yaml"
"""A file that is not on disk."""


def cursor(text: str, mark: str = "|") -> tuple[str, int, int]:
    """Return a text without its cursor, and the line and column, from 1, where that was."""
    before, _, after = text.partition(mark)
    return before + after, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def offered(text: str, *, file: str = NEW, mark: str = "|", folder: Path = TOOLSHED) -> list[Offer]:
    """Return what is offered at the cursor of a file that is written in the tool shed."""
    written, line, column = cursor(text, mark)
    desk = Desk((folder,), {folder / file: written})
    return offers(desk, folder, file, Place(file, line, column))


def words(text: str, **where: str) -> list[str]:
    """Return what is offered, as it would be written."""
    return [offer.insert for offer in offered(text, **where)]  # type: ignore[arg-type] # file and mark are texts


def toolshed(**texts: str) -> Pack:
    """Return the tool shed with other texts in some of its files (`loans=…`)."""
    desk = Desk((TOOLSHED,), {TOOLSHED / f"{name}.yaml": text for name, text in texts.items()})
    return desk.pack(TOOLSHED)


def place_of(pack: Pack, file: str, words: str, *, into: int = 0, nth: int = 0) -> Place:
    """Return the place of some words in a file of a pack, or so many characters into them."""
    text = pack.loaded.files[file]
    offset = -1
    for _ in range(nth + 1):
        offset = text.index(words, offset + 1)
    offset += into
    return Place(file, text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1)
