"""Another name for a definition: everywhere it is used, with `was:` where the language wants the old one said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from admin.editor.outline import Symbol
from admin.editor.packs import Pack
from definitions.build.member import MEMBER
from definitions.expr import Target
from definitions.message import Message, say
from definitions.pack import LIBRARY_MARK
from definitions.problems import Place
from definitions.source import Mapping, Scalar
from definitions.validate import kinds

NAME = re.compile(r"[a-z][a-z0-9_]*")
SAYS_WAS = frozenset({"entity", "field", "process", "state", "transition", "option", "automation"})
"""What keeps records or runs under its name, so that another one is said."""


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """So many characters at a place, and the text that takes their place."""

    place: Place
    length: int
    text: str


OWN = say("Only what a pack defines for itself can have another name.")
ELSEWHERE = say("A pack that this one extends names '{written}' too: it keeps its name.")
OTHERWISE = say("In line {line} of {file} the name '{written}' is written in another way: write it plainly first.")
SHARED = say("What stands in line {line} of {file} belongs to '{other}' too: write it for each of them first.")
NO_ROOM = say("There is no place for `was: {written}` here: write it out with keys (`label: …`), without an anchor.")


def hindrance(pack: Pack, target: Target) -> Message | None:
    """Return why a definition can't have another name, None where it can.

    It is the pack's own, its name is written as it is wherever it stands and for nothing else there, and the old name
    can be said where it has to be.
    """
    symbol = pack.symbols.get(target)
    built_in = target == ("entity", MEMBER) or target[:1] in {("network",), ("parent",)}
    if symbol is None or built_in or symbol.key.place.file.startswith(LIBRARY_MARK):
        return OWN
    for place, length in pack.spans(target):
        if place.file.startswith(LIBRARY_MARK):
            return _said(ELSEWHERE, symbol, place)
        if _text(pack, place, length).strip("\"'") != symbol.name:
            return _said(OTHERWISE, symbol, place)
        other = next((each for each in pack.named.get(place, ()) if each != target), None)
        if other is not None:
            return _said(SHARED, symbol, place, other)
    if symbol.kind not in SAYS_WAS or symbol.written("was") is not None:
        return None
    sharing = next((each for each in pack.symbols.values() if _shares(symbol, each)), None)
    if sharing is not None:
        return _said(SHARED, symbol, symbol.node.place, sharing.target)
    return _said(NO_ROOM, symbol, symbol.key.place) if _was(pack, symbol) is None else None


def can_be_renamed(pack: Pack, target: Target) -> bool:
    """Whether nothing hinders a definition from having another name."""
    return hindrance(pack, target) is None


def _said(reason: Message, symbol: Symbol, place: Place, other: Target = ()) -> Message:
    values = {"written": symbol.name, "line": str(place.line), "file": place.file, "other": ".".join(other[1:])}
    return Message(reason.text, values)


def _shares(symbol: Symbol, other: Symbol) -> bool:
    """Whether the same is written for two definitions, through an alias."""
    return other.node is symbol.node and other.key is not symbol.key and other.kind not in {"lines", "parent"}


def _text(pack: Pack, place: Place, length: int) -> str:
    line = pack.loaded.files[place.file].split("\n")[place.line - 1]
    return line[place.column - 1 : place.column - 1 + length]


def renamed(pack: Pack, target: Target, name: str) -> list[Edit]:
    """Return what changes when a definition gets another name; nothing where it can't have that one."""
    symbol = pack.symbols.get(target)
    taken = (*target[:-1], name) in pack.symbols
    if target[:1] in {("field",), ("lines",)}:
        taken = taken or name in pack.loaded.notes.records.get(target[1], {})
    if symbol is None or taken or not NAME.fullmatch(name) or not can_be_renamed(pack, target):
        return []
    edits = [Edit(place, length, name) for place, length in pack.spans(target)]
    if symbol.kind in SAYS_WAS and symbol.written("was") is None:
        said = _was(pack, symbol)
        edits += [] if said is None else [said]
    return sorted(edits)


def _was(pack: Pack, symbol: Symbol) -> Edit | None:
    """Return what says the old name of a definition, None where it would take more than a few words."""
    said = f"was: {symbol.name}"
    if symbol.kind in kinds():
        return _behind_name(pack, symbol, said)
    node = symbol.node
    if isinstance(node, Scalar):
        return _in_place_of(symbol, node, said)
    if not isinstance(node, Mapping) or (symbol.kind == "option" and "label" not in node.entries):
        return None
    if node.flow and _text(pack, node.place, 1) != "{":
        return None
    if node.flow:
        return Edit(_after(node.place, 1), 0, f"{said}, " if node.entries else said)
    first = next((entry.key.place for entry in node.entries.values()), None)
    return None if first is None else Edit(first, 0, f"{said}\n{' ' * (first.column - 1)}")


def _behind_name(pack: Pack, symbol: Symbol, said: str) -> Edit | None:
    """Return a line below the one with the name of a document, which comes first in it."""
    node, place = symbol.node, symbol.key.place
    if not isinstance(node, Mapping) or node.flow:
        return None
    line = pack.loaded.files[place.file].split("\n")[place.line - 1]
    return Edit(Place(place.file, place.line, len(line) + 1), 0, f"\n{' ' * (node.place.column - 1)}{said}")


def _in_place_of(symbol: Symbol, node: Scalar, said: str) -> Edit | None:
    """Return keys for what has none yet: a state without any, an option that is its label."""
    if "\n" in node.raw or node.raw.startswith(("|", ">", "&", "*")):
        return None
    if node.value is None and not node.raw:
        return Edit(_after(symbol.key.place, len(symbol.key.raw) + 1), 0, f" {{{said}}}")
    return Edit(node.place, len(node.raw), f"{{label: {node.raw}, {said}}}") if symbol.kind == "option" else None


def _after(place: Place, columns: int) -> Place:
    return Place(place.file, place.line, place.column + columns)


def applied(text: str, edits: Iterator[Edit] | list[Edit]) -> str:
    """Return a text with edits to it done."""
    lines = text.split("\n")
    for edit in sorted(edits, reverse=True):
        line = lines[edit.place.line - 1]
        at = edit.place.column - 1
        lines[edit.place.line - 1] = line[:at] + edit.text + line[at + edit.length :]
    return "\n".join(lines)
