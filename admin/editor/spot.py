"""What stands at a place of a document: the way to it through keys and items, and the scalar there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from definitions.problems import Place
from definitions.source import Document, Mapping, Node, Scalar, Sequence, read_documents

Way = tuple[str | int, ...]
MARK = "zqzqz"
"""What is written where the cursor is, so that it is found again in what the text becomes."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A scalar of a document, as a key or a value, and the way to it (of a key: with the key at its end)."""

    document: Document
    way: Way
    scalar: Scalar
    role: Literal["key", "value"]

    @property
    def kind(self) -> str:
        """The kind of the document, "" for none yet."""
        return next(iter(self.document.node.entries), "") if self.document.node is not None else ""

    def around(self) -> Iterator[tuple[Way, Node]]:
        """Yield what stands around it, the innermost first."""
        node: Node | None = self.document.node
        found: list[tuple[Way, Node]] = []
        for length, part in enumerate(self.way):
            if node is None:
                break
            found.append((self.way[:length], node))
            if isinstance(node, Mapping):
                node = node.get(str(part))
            elif isinstance(node, Sequence) and isinstance(part, int):
                node = node.items[part]
        yield from reversed(found)


def spots(document: Document) -> Iterator[Spot]:
    """Yield every key and every value of a document."""
    if document.node is not None:
        yield from _below(document, document.node, ())


def _below(document: Document, node: Node, way: Way) -> Iterator[Spot]:
    if isinstance(node, Scalar):
        yield Spot(document, way, node, "value")
    elif isinstance(node, Sequence):
        for number, item in enumerate(node.items):
            yield from _below(document, item, (*way, number))
    else:
        for name, entry in node.entries.items():
            yield Spot(document, (*way, name), entry.key, "key")
            yield from _below(document, entry.value, (*way, name))


def spot_at(documents: Iterable[Document], place: Place) -> Spot | None:
    """Return what stands at a place."""
    found = (spot for document in documents for spot in spots(document) if _holds(spot.scalar, place))
    return next(found, None)


def _holds(scalar: Scalar, place: Place) -> bool:
    begin = scalar.place
    lines = scalar.raw.split("\n")
    last = begin.line + len(lines) - 1
    if not begin.line <= place.line <= last or (place.line == begin.line and place.column < begin.column):
        return False
    end = len(lines[-1]) + (begin.column if last == begin.line else 1)
    return place.line < last or place.column <= end


def marked(file: str, text: str, place: Place) -> tuple[str, Spot] | None:
    """Return the text with the mark at a place, and the spot that then has it.

    A text under the pen is often no YAML: what follows is left out, and what is open closed, where that helps.
    """
    lines = text.split("\n")
    offset = sum(len(line) + 1 for line in lines[: place.line - 1]) + place.column - 1
    before, after = text[:offset], text[offset:]
    for candidate in _candidates(before, after):
        documents, _ = read_documents(file, candidate)
        found = [spot for document in documents for spot in spots(document) if MARK in spot.scalar.text]
        if found:
            return candidate, found[-1]
    return None


def _candidates(before: str, after: str) -> Iterator[str]:
    line, newline, rest = after.partition("\n")
    following = newline + rest
    for tail in (MARK, f"{MARK}: "):
        yield before + tail + after
    closed = _closers(before)
    for tail in (MARK, f"{MARK}: "):
        yield before + tail + closed + following
        yield before + tail + line + closed + following
    another = following.find("\n---")
    remaining = following[another:] if another >= 0 else "\n"
    for tail in (MARK, f"{MARK}: "):
        yield before + tail + closed + remaining


def _closers(before: str) -> str:
    """Return what closes the quotes, brackets and braces that are open at the end of a text, in its last document."""
    start = before.rfind("\n---")
    opened: list[str] = []
    quote = ""
    text = before[start + 1 :]
    for index, character in enumerate(text):
        if quote:
            quote = "" if character == quote and text[index - 1 : index] != "\\" else quote
        elif character == "#" and text[index - 1 : index] in {"", " ", "\n"}:
            opened.append("#")
        elif character == "\n":
            opened = [each for each in opened if each != "#"]
        elif "#" not in opened:
            quote = _step(character, text[index - 1 : index], opened)
    return quote + "".join(each for each in reversed(opened) if each != "#")


def _step(character: str, previous: str, opened: list[str]) -> str:
    """Note a bracket that opens or closes; return the quote that begins."""
    begins = previous in {"", " ", "\n", "[", "{", ",", ":"}
    if character in "\"'" and begins:
        return character
    if character in "[{" and (begins or opened):
        opened.append("]" if character == "[" else "}")
    elif opened and character == opened[-1]:
        opened.pop()
    return ""
