"""Packs as they are written: each value with the characters that it takes, so that it can be changed in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import yaml

Way = tuple[str, ...]
"""How a value is reached from the top of its document: keys, and numbers in lists."""


@dataclass(frozen=True, eq=False)
class Spot:
    """A value in a document: where it is reached, and where it stands (`start` and `end` count characters)."""

    document: Document
    way: Way
    node: yaml.Node
    above: Spot | None
    key: yaml.ScalarNode | None = None

    @property
    def file(self) -> str:
        """The file it stands in."""
        return self.document.file

    @property
    def start(self) -> int:
        """Where the value begins."""
        return int(self.node.start_mark.index)

    @property
    def end(self) -> int:
        """Where the value ends, empty lines and comments after it aside."""
        if isinstance(self.node, yaml.ScalarNode) and self.node.style not in {"|", ">"}:
            return int(self.node.end_mark.index)
        if self.flow:
            return int(self.node.end_mark.index)
        if self.children and not self.children[-1].alias:
            return self.children[-1].end
        return self.start + len(self.document.text[self.start : self.node.end_mark.index].rstrip())

    @property
    def begin(self) -> int:
        """Where the entry begins: at its key, where it has one."""
        return self.start if self.key is None else int(self.key.start_mark.index)

    @property
    def name(self) -> str:
        """The last step of the way: its key, or its number."""
        return self.way[-1] if self.way else ""

    @property
    def text(self) -> str:
        """What a scalar says, "" for anything else."""
        return str(self.node.value) if isinstance(self.node, yaml.ScalarNode) else ""

    @property
    def raw(self) -> str:
        """What stands in the file."""
        return self.document.text[self.start : self.end]

    @property
    def scalar(self) -> bool:
        """Whether it is a single value."""
        return isinstance(self.node, yaml.ScalarNode)

    @property
    def mapping(self) -> bool:
        """Whether it is keys and values."""
        return isinstance(self.node, yaml.MappingNode)

    @property
    def sequence(self) -> bool:
        """Whether it is a list."""
        return isinstance(self.node, yaml.SequenceNode)

    @property
    def alias(self) -> bool:
        """Whether an alias stands here, and what it says elsewhere."""
        before = self.key or (self.above.node if self.above else None)
        return before is not None and self.start < int(before.start_mark.index)

    @property
    def anchored(self) -> bool:
        """Whether aliases may repeat what is written here."""
        return not self.alias and self.document.text[self.start] == "&"

    @property
    def flow(self) -> bool:
        """Whether it is written in braces or brackets."""
        return isinstance(self.node, yaml.CollectionNode) and bool(self.node.flow_style)

    @cached_property
    def children(self) -> tuple[Spot, ...]:
        """The values inside; what an alias repeats stands where it is written first."""
        return tuple(self._inside())

    def _inside(self) -> Iterator[Spot]:
        if isinstance(self.node, yaml.MappingNode):
            for key, value in self.node.value:
                yield Spot(self.document, (*self.way, key.value), value, self, key)
        elif isinstance(self.node, yaml.SequenceNode):
            for number, item in enumerate(self.node.value):
                yield Spot(self.document, (*self.way, str(number)), item, self)

    def get(self, *way: str) -> Spot | None:
        """Return what is reached from here, None where there is nothing."""
        here: Spot | None = self
        for step in way:
            here = next((child for child in here.children if child.name == step), None) if here else None
        return here

    def each(self) -> Iterator[Spot]:
        """Yield it and everything inside."""
        yield self
        for child in self.children:
            yield from child.each()

    @property
    def items(self) -> tuple[Spot, ...]:
        """The items of a list, or itself where one stands without brackets."""
        return self.children if self.sequence else (self,)


@dataclass(frozen=True, eq=False)
class Document:
    """A document of a pack: its kind and name, and its values."""

    file: str
    text: str
    kind: str
    name: str
    node: yaml.MappingNode = field(repr=False)

    @cached_property
    def root(self) -> Spot:
        """The whole of it."""
        return Spot(self, (), self.node, None)

    @cached_property
    def spots(self) -> tuple[Spot, ...]:
        """Every value, each place of the file once."""
        return tuple(_once(self.root, set()))

    def at(self, pattern: str) -> Iterator[Spot]:
        """Yield the values that are reached by a pattern: `fields/*/type`, where `**` is any way and `*` any step."""
        whole = re.compile(_regular(pattern))
        return (spot for spot in self.spots if whole.fullmatch("/".join(spot.way)))


def _once(spot: Spot, seen: set[int]) -> Iterator[Spot]:
    """Yield a spot and what is inside; what an alias repeats was met where it is written."""
    if id(spot.node) not in seen:
        seen.add(id(spot.node))
        yield spot
        for child in spot.children:
            yield from _once(child, seen)


def _regular(pattern: str) -> str:
    parts = []
    for part in pattern.split("/"):
        if part == "**":
            parts.append("(?:[^/]+/)*")
        else:
            parts.append("[^/]+/" if part == "*" else f"(?:{part})/")
    return "".join(parts).removesuffix("/")


@dataclass(frozen=True, eq=False)
class Pack:
    """A pack as written. `files` holds those of the packs that it extends too, below `@`."""

    name: str
    files: Mapping[str, str]

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """Its own documents, in the order of the files."""
        found = []
        for file, text in sorted(self.files.items()):
            if file.startswith("@"):
                continue
            for node in yaml.compose_all(text, Loader=yaml.CSafeLoader):
                if isinstance(node, yaml.MappingNode):
                    kind, name = node.value[0]
                    found.append(Document(file, text, kind.value, name.value, node))
        return tuple(found)

    def of(self, *kinds: str) -> Iterator[Document]:
        """Yield the documents of some kinds."""
        return (document for document in self.documents if document.kind in kinds)

    def document(self, kind: str, name: str) -> Document | None:
        """Return a document by kind and name."""
        return next((each for each in self.of(kind) if each.name == name), None)

    def every(self, kind: str, *way: str) -> Iterator[Spot]:
        """Yield what is reached by a way in each document of a kind, aliases too."""
        found = (document.root.get(*way) for document in self.of(kind))
        return (spot for spot in found if spot is not None)

    def at(self, kind: str, *patterns: str) -> Iterator[Spot]:
        """Yield the values of documents of a kind that are reached by one of some patterns."""
        for document in self.of(kind):
            for pattern in patterns:
                yield from document.at(pattern)
