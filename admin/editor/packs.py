"""Packs as an editor has them: the files on disk, and over them the texts that are not saved yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from admin.editor.outline import Symbol, every, kin_of, symbol_of
from definitions.build.notes import Use
from definitions.expr import Target
from definitions.pack import LIBRARY_MARK, PACKS, SUFFIXES, Files, Loaded, load, read_folder
from definitions.problems import Place
from definitions.source import Document, read_documents
from definitions.validate import kinds

_HEAD = r"(?:\A|^---[^\n]*\n)(?:[ \t]*(?:#[^\n]*)?\r?\n)*(?:{kinds})[ \t]*:"
_NETWORK = re.compile(_HEAD.format(kinds="network"), re.MULTILINE)


@dataclass(frozen=True)
class Pack:
    """A pack as it is now. Places in its files are relative to `folder`; those of packs it extends begin with `@`."""

    folder: Path
    loaded: Loaded

    @cached_property
    def symbols(self) -> Mapping[Target, Symbol]:
        """What it defines, by target: its own definitions take the place of those of packs that it extends."""
        names = sorted(self.loaded.files, key=lambda name: (not name.startswith(LIBRARY_MARK), name))
        found = (symbol for name in names for symbol in _outline(name, self.loaded.files[name]))
        return {symbol.target: symbol for symbol in every(found)}

    @cached_property
    def uses(self) -> Mapping[Target, tuple[Use, ...]]:
        """Where names stand for each definition."""
        found: dict[Target, dict[Place, Use]] = {}
        for use in self.loaded.notes.uses:
            found.setdefault(use.target, {}).setdefault(use.place, use)
        return {target: tuple(each.values()) for target, each in found.items()}

    @cached_property
    def named(self) -> Mapping[Place, frozenset[Target]]:
        """What is named at each place, defined or used: more than one thing where an alias shares it."""
        found: dict[Place, set[Target]] = {}
        for target, uses in self.uses.items():
            for use in uses:
                found.setdefault(use.place, set()).add(target)
        for target, symbol in self.symbols.items():
            if symbol.key.text == symbol.name:
                found.setdefault(symbol.key.place, set()).add(target)
        return {place: frozenset(targets) for place, targets in found.items()}

    def documents(self, file: str) -> list[Document]:
        """Return the documents of a file."""
        return read_documents(file, self.loaded.files[file])[0]

    def named_at(self, place: Place) -> Target | None:
        """Return the definition whose name stands at a place, there or where it is used."""
        here = (use for use in self.loaded.notes.uses if use.node.place.file == place.file)
        used = next((use.target for use in here if covers(use.place, use.length, place)), None)
        if used is not None:
            return used
        own = every(_outline(place.file, self.loaded.files.get(place.file, "")))
        return next((each.target for each in own if covers(each.key.place, len(each.key.raw), place)), None)

    def spans(self, target: Target, *, defined: bool = True) -> list[tuple[Place, int]]:
        """Return where a definition is named, and for how many characters; unless `defined`, only where it is used."""
        found = {(use.place, use.length) for use in self.uses.get(target, ())}
        symbol = self.symbols.get(target)
        if defined and symbol is not None:
            found.add((symbol.key.place, len(symbol.key.raw)))
        return sorted(found)

    def path(self, file: str) -> Path:
        """Return where a file of the pack is on disk."""
        if file.startswith(LIBRARY_MARK):
            return PACKS / file.removeprefix(LIBRARY_MARK)
        return self.folder / file


@lru_cache(maxsize=1024)
def _outline(file: str, text: str) -> tuple[Symbol, ...]:
    """Return what a file defines; most files of a pack are as they were when the next letter is typed."""
    found = [symbol for document in read_documents(file, text)[0] if (symbol := symbol_of(document))]
    return (*found, *(kin for symbol in found for kin in kin_of(symbol)))


def covers(begin: Place, length: int, place: Place) -> bool:
    """Whether so many characters from a place on, or their end, are at another place."""
    same = (begin.file, begin.line) == (place.file, place.line)
    return same and begin.column <= place.column <= begin.column + length


@dataclass
class Desk:
    """The folders that are open in an editor, the texts of its open files, and to which packs files belonged."""

    roots: tuple[Path, ...] = ()
    texts: dict[Path, str] = field(default_factory=dict)
    belonged: dict[Path, Path] = field(default_factory=dict)

    def folder_of(self, file: Path) -> Path | None:
        """Return the folder of the pack that a file belongs to: the nearest one with a network, else its own.

        The network stands in a file of that folder itself, else somewhere below it, as the only one there. None for a
        file that defines nothing, in no pack: other YAML. A file stays where it was while the network is rewritten.
        """
        text = self.texts[file] if file in self.texts else _text(file)
        defines = re.search(_HEAD.format(kinds="|".join(kinds())), text, re.MULTILINE) is not None
        above = list(self._above(file))
        for direct in (True, False) if defines else (True,):
            for folder in above:
                networks = self._networks(folder, direct=direct)
                if networks == 1 or (networks and direct):
                    self.belonged[file] = folder
                    return folder
        return self.belonged.get(file) or (file.parent if defines else None)

    def pack(self, folder: Path, instead: Mapping[Path, str] | None = None) -> Pack:
        """Return a pack as it is now; `instead`: with other texts for some files."""
        return Pack(folder, load(self.files(folder, instead)))

    def files(self, folder: Path, instead: Mapping[Path, str] | None = None) -> Files:
        """Return the texts of a pack's files."""
        found = dict(read_folder(folder)) if folder.is_dir() else {}
        for path, text in {**self.texts, **(instead or {})}.items():
            if path.suffix in SUFFIXES and path.is_relative_to(folder):
                found[path.relative_to(folder).as_posix()] = text
        return found

    def _above(self, file: Path) -> Iterator[Path]:
        roots = [root for root in self.roots if file.is_relative_to(root)]
        for folder in file.parents:
            yield folder
            if not roots or folder in roots:
                return

    def _networks(self, folder: Path, *, direct: bool) -> int:
        """Return in how many files of a folder a network stands; unless `direct`, of those below it too."""
        opened = {path: text for path, text in self.texts.items() if path.is_relative_to(folder)}
        found = sum(_is_network(text) for path, text in opened.items() if not direct or path.parent == folder)
        files = (folder.glob("*") if direct else folder.rglob("*")) if folder.is_dir() else ()
        saved = (path for path in files if path.suffix in SUFFIXES and path not in opened and path.is_file())
        return found + sum(_is_network(_text(path)) for path in saved)


def _is_network(text: str) -> bool:
    return _NETWORK.search(text) is not None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""
