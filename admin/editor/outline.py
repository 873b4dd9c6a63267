"""What a document defines: its own name, and the names inside of it, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from definitions.build.lines import LINES
from definitions.expr import Target
from definitions.source import Document, Node, Scalar, Sequence
from definitions.source import Mapping as Keys
from definitions.validate import kinds

INSIDE: Mapping[str, Mapping[str, str]] = {
    "entity": {"fields": "field"},
    "field": {"options": "option"},
    "process": {"states": "state", "transitions": "transition"},
    "state": {"states": "state"},
    "transition": {"form": "question"},
    "question": {"options": "option"},
    "network": {"settings": "setting"},
    "setting": {"options": "option"},
    "screen": {"views": "view"},
}
"""Which keys of a definition hold further ones, and of which kind."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A definition: where its name stands, what is written about it, and what it defines in turn."""

    target: Target
    key: Scalar
    node: Node
    inside: tuple[Symbol, ...] = ()

    @property
    def kind(self) -> str:
        """What it is: entity, field, state…"""
        return self.target[0]

    @property
    def name(self) -> str:
        """What it is called."""
        return self.target[-1]

    def written(self, key: str) -> Node | None:
        """Return what stands behind a key of it."""
        return self.node.get(key) if isinstance(self.node, Keys) else None

    def word(self, key: str) -> str:
        """Return the word behind a key of it, "" without one."""
        found = self.written(key)
        return found.text if isinstance(found, Scalar) else ""


def symbol_of(document: Document) -> Symbol | None:
    """Return what a document defines, None where it can't be read or is of no kind that there is."""
    first = next(iter(document.node.entries.items()), None) if document.node is not None else None
    if document.node is None or first is None or first[0] not in kinds() or not isinstance(first[1].value, Scalar):
        return None
    kind, name = first[0], first[1].value
    return Symbol((kind, name.text), name, document.node, tuple(_inside((kind, name.text), kind, document.node)))


def kin_of(symbol: Symbol) -> Iterator[Symbol]:
    """Yield what lines are called in their parent, where that is written, and the parent in its lines."""
    parent, written = symbol.written("parent"), symbol.written("as")
    if symbol.kind == "entity" and isinstance(parent, Scalar):
        called = written if isinstance(written, Scalar) else parent
        yield Symbol(("parent", symbol.name, "parent"), parent, parent)
        yield Symbol(("lines", parent.text, symbol.word("as") or LINES), called, symbol.node, symbol.inside)


def _inside(outer: Target, kind: str, node: Node) -> Iterator[Symbol]:
    for key, below in INSIDE.get(kind, {}).items():
        written = node.get(key) if isinstance(node, Keys) else None
        for name, entry in written.entries.items() if isinstance(written, Keys) else ():
            target = _target(outer, below, name)
            yield Symbol(target, entry.key, entry.value, tuple(_inside(target, below, entry.value)))


def _target(outer: Target, kind: str, name: str) -> Target:
    """Return the target of what stands inside; states are named without the path of those around, settings alone."""
    if kind == outer[0]:
        return (*outer[:-1], name)
    return (kind, *(() if kind == "setting" else outer[1:]), name)


def every(symbols: Iterable[Symbol]) -> Iterator[Symbol]:
    """Yield definitions with all those inside of them."""
    for symbol in symbols:
        yield symbol
        yield from every(symbol.inside)


def last_line(node: Node) -> int:
    """Return the last line that something is written on."""
    if isinstance(node, Scalar):
        return node.place.line + node.raw.rstrip().count("\n")
    inner = (
        list(node.items)
        if isinstance(node, Sequence)
        else [part for e in node.entries.values() for part in (e.key, e.value)]
    )
    return max([node.place.line, *map(last_line, inner)])
