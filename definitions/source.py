"""YAML 1.2 text to nodes that know their place.

PyYAML's parser gives the events; scalars, keys, tags and aliases follow the language's own rules (core schema only).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from typing import Any

import yaml

from definitions.message import say
from definitions.problems import Place, Problem
from definitions.written import written_as

ALIAS_BUDGET = 10_000
DEPTH_BUDGET = 64

_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)
_SEPARATOR = re.compile(r"^---(?=[ \t\r\n]|$)|^\.\.\.(?=[ \t\r\n]|$)", re.MULTILINE)
_DIRECTIVES_ONLY = re.compile(r"\A(?:[ \t]*(?:#[^\n]*)?\n|%[^\n]*\n)*[ \t]*\Z")
_HEAD = re.compile(r"^([a-z][a-z0-9_]*):[ \t]+[\"']?([a-z][a-z0-9_]*)[\"']?[ \t]*(?:#.*)?$", re.MULTILINE)
_NULL = re.compile(r"null|Null|NULL|~|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_CONDITION = re.compile(
    r"(?:^|[\s{,-])(?:guard|if|where|read|create|update|delete|write|cancel_if|unless|measure|by|among)\s*:\s*\S"
    r"|:\s+[\"']?=|:\s+!|[!=<>]=|&&|\|\|",
)
_CUT = re.compile(r"[ \t]*[\[{,#]")
QUOTE_HINT = say("If this is an expression, put the whole of it in quotes: '…'.")

Plain = str | int | float | bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A single value: its text as written (unquoted, unescaped) and its core-schema value.

    `cut`: unquoted, and what follows on its line (a comment, a comma…) may have been meant to belong to it.
    """

    place: Place
    text: str
    value: Plain
    plain: bool = True
    raw: str = ""
    cut: bool = False

    def at(self, offset: int) -> Place:
        """Return the place in the file of the character `offset` of the text."""
        written = written_as(self.raw, self.text)
        index = written.index(min(offset, len(self.text)))
        line = bisect_right(written.lines, index) - 1
        column = self.place.column + index if line == 0 else index - written.lines[line] + 1
        return Place(self.place.file, self.place.line + line, column)


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """A list."""

    place: Place
    items: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A key of a mapping and what stands behind it."""

    key: Scalar
    value: Node


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """Keys and values in the order written; `flow` when written in braces."""

    place: Place
    entries: MappingType[str, Entry] = field(default_factory=dict)
    flow: bool = False

    def get(self, key: str) -> Node | None:
        """Return the node behind a key; None when it is absent."""
        entry = self.entries.get(key)
        return None if entry is None else entry.value


Node = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One document. `node` is None where it could not be read; `head` is then what its first line seems to define."""

    file: str
    node: Mapping | None
    head: tuple[str, str] | None = None


def data(node: Node) -> Any:
    """Return the node as plain Python values (for JSON Schema)."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [data(item) for item in node.items]
    return {key: data(entry.value) for key, entry in node.entries.items()}


def says_the_same(one: Node | None, other: Node | None) -> bool:
    """Whether two nodes say the same, wherever they stand."""
    if one is other:
        return True
    if isinstance(one, Scalar) and isinstance(other, Scalar):
        return (one.text, one.value, one.plain) == (other.text, other.value, other.plain)
    if isinstance(one, Sequence) and isinstance(other, Sequence):
        both = zip(one.items, other.items, strict=False)
        return len(one.items) == len(other.items) and all(says_the_same(*pair) for pair in both)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        pairs = ((entry.value, other.get(key)) for key, entry in one.entries.items())
        return list(one.entries) == list(other.entries) and all(says_the_same(*pair) for pair in pairs)
    return False


def read_documents(file: str, text: str) -> tuple[list[Document], list[Problem]]:
    """Return the documents of a file and what is wrong with its YAML; a broken document hides no other."""
    documents: list[Document] = []
    problems: list[Problem] = []
    for line, chunk in _chunks(text.removeprefix("\ufeff")):
        composer = _Composer(file, chunk, line)
        node = composer.document()
        problems += composer.problems
        if node is not None:
            documents.append(Document(file, node))
        elif composer.problems:
            head = _HEAD.search(chunk)
            documents.append(Document(file, None, (head[1], head[2]) if head else None))
    return documents, problems


def _chunks(text: str) -> Iterator[tuple[int, str]]:
    """Yield each document's text with the number of lines before it."""
    start = 0
    marks = [match.start() for match in _SEPARATOR.finditer(text)]
    for end in [*marks, len(text)]:
        chunk = text[start:end]
        if not _DIRECTIVES_ONLY.match(chunk.removeprefix("---").removeprefix("...")):
            yield text.count("\n", 0, start), chunk
        start = end


class _BrokenError(Exception):
    """The rest of a document can't be read."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


class _Composer:
    """Builds the nodes of one document out of its events."""

    def __init__(self, file: str, text: str, line: int) -> None:
        self.file = file
        self.text = "   " + text[3:] if text.startswith("...") else text
        self.line = line
        self.problems: list[Problem] = []
        self._events: Iterator[yaml.Event] = iter(())
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._count = 0
        self._expanded = 0

    def document(self) -> Mapping | None:
        """Return the document's mapping, None when it is empty or broken."""
        try:
            self._events = yaml.parse(self.text, Loader=_LOADER)
            return self._document()
        except _BrokenError as error:
            self.problems.append(error.problem)
        except yaml.MarkedYAMLError as error:
            self.problems.append(self._syntax(error))
        except (yaml.YAMLError, UnicodeError) as error:
            self._report("yaml.characters", self._place(0, 0), _characters(error), say("Save the file as UTF-8 text."))
        return None

    def _document(self) -> Mapping | None:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.NodeEvent):
                root = self._node(event, 0)
        if root is None or (isinstance(root, Scalar) and root.value is None):
            return None
        if isinstance(root, Mapping):
            return root
        self._report(
            "yaml.not_a_mapping",
            root.place,
            say("A document is keys and values."),
            say("Begin with its kind and its name: 'entity: a_name'."),
        )
        return None

    def _node(self, event: yaml.NodeEvent, depth: int) -> Node:
        place = self._mark(event.start_mark)
        if depth > DEPTH_BUDGET:
            raise _BrokenError(
                Problem(
                    "yaml.depth",
                    place,
                    say("Nothing may be nested deeper than {most} levels.", most=DEPTH_BUDGET),
                )
            )
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, place)
        before = self._count
        self._count += 1
        self._refuse_tag(event, place)
        node = self._composed(event, place, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, self._count - before)
        return node

    def _composed(self, event: yaml.NodeEvent, place: Place, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, place)
        if isinstance(event, yaml.SequenceStartEvent):
            return Sequence(place, tuple(self._items(depth)))
        return self._mapping(place, depth, flow=bool(getattr(event, "flow_style", False)))

    def _alias(self, event: yaml.AliasEvent, place: Place) -> Node:
        found = self._anchors.get(event.anchor or "")
        if found is None:
            raise _BrokenError(
                Problem("yaml.alias", place, say("There is no anchor '&{anchor}' before this.", anchor=event.anchor))
            )
        node, size = found
        self._count += size
        self._expanded += size
        if self._expanded > ALIAS_BUDGET:
            sentence = say(
                "The aliases of this document expand to more than {most} nodes.",
                most=f"{ALIAS_BUDGET:,}",
            )
            raise _BrokenError(
                Problem("yaml.alias_budget", place, sentence, say("Write it without aliases of aliases."))
            )
        return node

    def _refuse_tag(self, event: yaml.NodeEvent, place: Place) -> None:
        tag = getattr(event, "tag", None)
        if tag is None:
            return
        hint = QUOTE_HINT if not tag.startswith(("tag:", "!!")) else say("Leave the tag out.")
        self._report("yaml.tag", place, say("The tag '{tag}' is not allowed.", tag=_shown_tag(tag)), hint)

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Scalar:
        start, end = event.start_mark, event.end_mark
        raw = self.text[start.index : end.index] if start and end else ""
        if event.style in {None, ""} and end:
            cut = _CUT.match(self.text, end.index) is not None
            return Scalar(place, event.value, core_value(event.value), plain=True, raw=raw, cut=cut)
        return Scalar(place, event.value, event.value, plain=False, raw=raw)

    def _items(self, depth: int) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                return
            if isinstance(event, yaml.NodeEvent):
                yield self._node(event, depth + 1)

    def _mapping(self, place: Place, depth: int, *, flow: bool) -> Mapping:
        entries: dict[str, Entry] = {}
        nodes = iter(self._pairs(depth))
        for key, value in nodes:
            if not isinstance(key, Scalar) or key.text == "":
                hint = QUOTE_HINT if flow else say("A key is a word.")
                self._report("yaml.key", key.place, say("This key is not a word."), hint)
            elif key.text in entries:
                first = entries[key.text].key.place.line
                sentence = say(
                    "The key '{written}' is written twice; the first is in line {first}.", written=key.text, first=first
                )
                self._report("yaml.duplicate_key", key.place, sentence, say("Keep one of them."))
            else:
                entries[key.text] = Entry(key, value)
        return Mapping(place, entries, flow)

    def _pairs(self, depth: int) -> Iterator[tuple[Node, Node]]:
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                return
            if isinstance(event, yaml.NodeEvent):
                key = self._node(event, depth + 1)
                following = next(self._events)
                if isinstance(following, yaml.NodeEvent):
                    yield key, self._node(following, depth + 1)

    def _syntax(self, error: yaml.MarkedYAMLError) -> Problem:
        mark = error.problem_mark or error.context_mark
        place = self._mark(mark) if mark else self._place(0, 0)
        found = " ".join(part for part in (error.context, error.problem) if part)
        hint = say("Look at the indentation, the colons and the quotes around here.")
        lines = self.text.splitlines()
        near = {m.line for m in (mark, error.context_mark) if m} | ({mark.line - 1} if mark else set())
        if any(_CONDITION.search(lines[number]) for number in near if 0 <= number < len(lines)):
            hint = QUOTE_HINT
        elif lines[mark.line : mark.line + 1] and lines[mark.line][: mark.column + 1].endswith("\t") if mark else False:
            hint = say("Indent with spaces, not with tabs.")
        return Problem("yaml.syntax", place, say("This is not YAML: {found}.", found=found), hint)

    def _report(self, code: str, place: Place, message: str, hint: str = "") -> None:
        self.problems.append(Problem(code, place, message, hint))

    def _mark(self, mark: Any) -> Place:
        return self._place(mark.line, mark.column)

    def _place(self, line: int, column: int) -> Place:
        return Place(self.file, self.line + line + 1, column + 1)


def core_value(text: str) -> Plain:
    """Return what a plain scalar means in YAML 1.2's core schema."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text[0] in "tT"
    return _number(text)


def _number(text: str) -> Plain:
    if len(text) <= 400:  # Python refuses to convert thousands of digits; nobody writes a number like that
        if _INTEGER.fullmatch(text):
            return int(text)
        if _OCTAL.fullmatch(text):
            return int(text[2:], 8)
        if _HEXADECIMAL.fullmatch(text):
            return int(text[2:], 16)
        if _FLOAT.fullmatch(text):
            return float(text)
        if _SPECIAL_FLOAT.fullmatch(text):
            return float(text.replace(".", "", 1))
    return text


def _shown_tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


def _characters(error: Exception) -> str:
    reason = getattr(error, "reason", None) or say("a character that YAML does not allow")
    return say("This file holds something that is not text: {reason}.", reason=reason)
