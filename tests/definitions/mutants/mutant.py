"""Mutants: packs with one change, and the lines at which the checker must say so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from definitions.pack import load
from definitions.problems import Problem
from tests.definitions.mutants.written import Pack, Spot

Position = tuple[str, int]
"""A file, and how many characters stand before."""


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Other characters in the place of some."""

    file: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change of a pack that makes it wrong, and where else than at the change that may be said.

    `codes` are the beginnings of the codes that tell of it; without any every code does.
    """

    kind: str
    edits: tuple[Edit, ...]
    also: tuple[Position, ...] = ()
    codes: tuple[str, ...] = ()

    def files(self, pack: Pack) -> dict[str, str]:
        """Return the files of the pack with the change."""
        found = dict(pack.files)
        for edit in sorted(self.edits, reverse=True):
            text = found[edit.file]
            found[edit.file] = text[: edit.start] + edit.text + text[edit.end :]
        return found

    def lines(self, pack: Pack) -> frozenset[tuple[str, int]]:
        """Return the lines of the changed files at which a problem tells of the change."""
        files = self.files(pack)
        found = set()
        for edit in self.edits:
            start = edit.start + self._shift(edit, edit.start)
            first = _line(files[edit.file], start)
            last = _line(files[edit.file], start + len(edit.text.rstrip()))
            found |= {(edit.file, line) for line in range(first, last + 1)}
        for file, index in self.also:
            found.add((file, _line(files[file], index + self._shift(Edit(file, index, index, ""), index))))
        return frozenset(found)

    def _shift(self, own: Edit, index: int) -> int:
        """Return how far the changes before a character move it."""
        before = (edit for edit in self.edits if edit.file == own.file and edit.end <= index and edit is not own)
        return sum(len(edit.text) - (edit.end - edit.start) for edit in before)

    def problems(self, pack: Pack) -> tuple[Problem, ...]:
        """Return what the checker says of the pack with the change."""
        return load(self.files(pack)).problems

    def caught(self, pack: Pack, problems: Iterable[Problem]) -> bool:
        """Whether some of the problems, of this pack with the change, tell of it at the right line."""
        lines = self.lines(pack)
        return any(
            (problem.place.file, problem.place.line) in lines and problem.code.startswith(self.codes or ("",))
            for problem in problems
        )

    def shown(self, pack: Pack) -> str:
        """Return a line that tells a reader what was changed."""
        edit = min(self.edits)
        text = pack.files[edit.file]
        was = " ".join(text[edit.start : edit.end].split())
        now = " ".join(edit.text.split())
        return f"{self.kind}: {pack.name}/{edit.file}:{_line(text, edit.start)}: {was[:50]!r} → {now[:70]!r}"


def _line(text: str, index: int) -> int:
    return text.count("\n", 0, index) + 1


# Changes of the text ----------------------------------------------------------------------------------------------


def put(spot: Spot, text: str) -> Edit:
    """Return the change of a value into another text."""
    return Edit(spot.file, spot.start, spot.end, text)


def rename(spot: Spot, name: str) -> Edit:
    """Return the change of the key before a value."""
    assert spot.key is not None
    return Edit(spot.file, spot.key.start_mark.index, spot.key.end_mark.index, name)


def drop(spot: Spot) -> Edit | None:
    """Return the change that leaves out an entry or an item; None for the only one."""
    beside = spot.above.children if spot.above else (spot,)
    number = next(i for i, each in enumerate(beside) if each.way == spot.way)
    if number + 1 < len(beside):
        return Edit(spot.file, spot.begin, beside[number + 1].begin, "")
    if number and not beside[number - 1].alias and not spot.alias:
        return Edit(spot.file, beside[number - 1].end, spot.end, "")
    return None


def insert(spot: Spot, text: str) -> Edit:
    """Return the change that adds an entry (`key: value`) or an item in the first place; in documents after it."""
    if spot.flow:
        at = spot.document.text.index("{" if spot.mapping else "[", spot.start) + 1
        return Edit(spot.file, at, at, f"{text}, " if spot.children else text)
    first = spot.children[0 if spot.way else 1]
    column = first.begin - (spot.document.text.rfind("\n", 0, first.begin) + 1)
    if spot.mapping:
        return Edit(spot.file, first.begin, first.begin, f"{text}\n{' ' * column}")
    line = spot.document.text[first.begin - column : first.begin]
    return Edit(spot.file, first.begin, first.begin, f"{text}\n{line}")


def add(spot: Spot, *texts: str) -> Edit:
    """Return the change that adds entries to keys and values (see `insert`)."""
    if spot.flow:
        return insert(spot, ", ".join(texts))
    first = spot.children[0 if spot.way else 1]
    column = first.begin - (spot.document.text.rfind("\n", 0, first.begin) + 1)
    return insert(spot, f"\n{' ' * column}".join(texts))


def around(spot: Spot) -> tuple[Position, ...]:
    """Return where it is said that something is missing in a value: at its beginning, or at the key before it."""
    found = [(spot.file, spot.start), (spot.file, spot.begin)]
    if not spot.way:
        found.append((spot.file, spot.children[0].start))
    return tuple(found)


def mutants(kind: str, edits: Iterable[Edit | None], *also: Position, codes: tuple[str, ...] = ()) -> Iterator[Mutant]:
    """Yield a mutant for each change that could be made."""
    for edit in edits:
        if edit is not None:
            yield Mutant(kind, (edit,), also, codes)
