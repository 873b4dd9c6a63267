"""Places of a pack as positions of the editors' protocol, and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from lsprotocol import types
from pygls.uris import from_fs_path, to_fs_path
from pygls.workspace import PositionCodec

from definitions.problems import Place

_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|[\w.-]+|\S")


class Text:
    """A text by lines, with the units that the editor counts columns in."""

    def __init__(self, text: str, codec: PositionCodec) -> None:
        """Take the text apart."""
        self.lines = text.split("\n")
        self._codec = codec

    def position(self, line: int, column: int) -> types.Position:
        """Return the position of a line and column that count from 1."""
        row = min(max(line - 1, 0), len(self.lines) - 1)
        before = self.lines[row][: max(column - 1, 0)]
        return types.Position(row, self._codec.client_num_units(before))

    def place(self, file: str, position: types.Position) -> Place:
        """Return the place of a position in a file."""
        row = min(position.line, len(self.lines) - 1)
        server = types.Position(0, position.character)
        column = self._codec.position_from_client_units([self.lines[row]], server).character
        return Place(file, row + 1, min(column, len(self.lines[row])) + 1)

    def span(self, place: Place, length: int) -> types.Range:
        """Return the range of so many characters of a line."""
        return types.Range(
            self.position(place.line, place.column), self.position(place.line, place.column + max(length, 0))
        )

    def word(self, place: Place) -> types.Range:
        """Return the range of the word that begins at a place: what a problem is about."""
        line = self.lines[place.line - 1] if place.line <= len(self.lines) else ""
        found = _WORD.match(line, place.column - 1)
        return self.span(place, len(found[0]) if found else 0)


class Texts:
    """The texts of a pack's files, each taken apart once."""

    def __init__(self, files: Mapping[str, str], make: Callable[[str], Text]) -> None:
        """Begin without any."""
        self._files = files
        self._make = make
        self._made: dict[str, Text] = {}

    def __getitem__(self, file: str) -> Text:
        """Return the text of a file, an empty one for a file that is not there."""
        if file not in self._made:
            self._made[file] = self._make(self._files.get(file, ""))
        return self._made[file]


def path_of(uri: str) -> Path | None:
    """Return the path of a file's address, None for what is no file."""
    found = to_fs_path(uri) if uri.startswith("file:") else None
    return None if found is None else Path(found)


def uri_of(path: Path) -> str:
    """Return the address of a file."""
    return from_fs_path(str(path)) or path.as_uri()
