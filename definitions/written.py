"""Where the characters of a scalar stand in its YAML source, be it quoted, folded or indented."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

_FOLD = re.compile(r"[ \t\r]*\n\s*")
_LINE = re.compile(r"\n")
_JOINED = re.compile(r"\\\r?\n[ \t]*")


@dataclass(frozen=True, slots=True)
class Written:
    """How a scalar stands in its source: where its characters are, and where lines begin.

    Without `indexes` its characters are those of the source from `first` on.
    """

    lines: Sequence[int]
    first: int
    indexes: Sequence[int] | None = None

    def index(self, offset: int) -> int:
        """Return where in the source the character `offset` of the value stands."""
        return self.first + offset if self.indexes is None else self.indexes[offset]


@lru_cache(maxsize=64)
def written_as(raw: str, text: str) -> Written:
    """Return how a value stands in its source; kept, since many places of one text are asked for."""
    lines = array("Q", (0, *(found.end() for found in _LINE.finditer(raw))))
    first = int(raw[:1] in {"'", '"'})
    if raw[first : len(raw) - first] == text:
        return Written(lines, first)
    return Written(lines, first, array("Q", (min(index, len(raw)) for index in _indexes(raw, text))))


def _indexes(raw: str, text: str) -> Iterator[int]:
    """Yield where the characters of a value stand in the source, and its end."""
    if raw[:1] in {"|", ">"}:
        return _block_indexes(raw, text)
    quote = raw[:1] if raw[:1] in {"'", '"'} else ""
    return _steps(raw, len(quote), text, quote)


def _steps(raw: str, index: int, text: str, quote: str) -> Iterator[int]:
    for character in text:
        yield index
        index += _step(raw, index, character, quote)
    yield index


def _step(raw: str, index: int, character: str, quote: str) -> int:
    joined = _JOINED.match(raw, index) if quote == '"' else None
    if joined:
        return len(joined[0]) + _step(raw, joined.end(), character, quote)
    if character in " \n":
        fold = _FOLD.match(raw, index)
        if fold:
            return len(fold[0])
        if character == "\n" and raw[index : index + 1] != "\\":
            return 0
    if quote == "'" and raw.startswith("''", index):
        return 2
    if quote == '"' and raw.startswith("\\", index):
        return {"x": 4, "u": 6, "U": 10}.get(raw[index + 1 : index + 2], 2)
    return 1


def _block_indexes(raw: str, text: str) -> Iterator[int]:
    """The same for block scalars: lines of the value are lines of the source, indented (folded ones may be joined)."""
    start = raw.find("\n") + 1
    lines = raw[start:].split("\n")
    indent = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
    if raw[0] == ">":
        yield from _steps(raw, start + indent, text, "")
        return
    rows = text.split("\n")
    for row, line in enumerate(rows):
        yield from range(start + indent, start + indent + len(line) + 1)
        start += len(lines[row]) + 1 if row < len(lines) else 0
