"""What the builders share: the documents by name, the problems found, and how texts, names and expressions are read."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Collection, Iterable
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from definitions.build.index import Answers, Index
from definitions.build.notes import Asked, Notes
from definitions.documents import Source
from definitions.duration import MOST_WORKING, Duration, parse_duration
from definitions.expr import BOOL, DYN, Expression, Member, RecordOf, Scope, Type, compile_expression
from definitions.expr.outcomes import contested, settled_parts
from definitions.message import say
from definitions.problems import DefinitionError, Place, Problem, Severity, did_you_mean
from definitions.source import QUOTE_HINT, Mapping, Node, Scalar, Sequence
from definitions.spec.entity import Field
from definitions.text import Text, plain

Names = MappingType[str, Type]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Around:
    """What is in scope of an expression: names, records of their own (a form), and why other names are not known.

    `row` is the name of the row where the expression is a query.
    """

    names: Names
    records: MappingType[str, MappingType[str, Member]] = field(default_factory=dict)
    hints: MappingType[str, str] = field(default_factory=dict)
    row: str = "record"


@dataclass(frozen=True, slots=True)
class Kept:
    """What was made of a document, out of what, and everything that was noted on the way."""

    before: tuple[object, ...]
    asked: Answers
    made: Any
    problems: tuple[Problem, ...]
    used: frozenset[tuple[str, str]]
    notes: Notes
    damaged: bool


@dataclass(slots=True)
class Draft:
    """A network while it is being built: what is known of the pack, and what is found about it."""

    index: Index
    problems: list[Problem] = field(default_factory=list)
    languages: tuple[str, ...] = ()
    current: Source | None = None
    used: set[tuple[str, str]] = field(default_factory=set)
    notes: Notes = field(default_factory=Notes)

    @property
    def shapes(self) -> MappingType[str, MappingType[str, Field]]:
        """The fields of entities."""
        return self.index.shapes

    @property
    def records(self) -> MappingType[str, MappingType[str, Member]]:
        """What expressions see of records."""
        return self.index.records

    def each(self, kind: str, make: Callable[[Draft, Source, Mapping], T | None]) -> dict[str, T]:
        """Return what is made of each document of a kind that can be made, by name."""
        found = {}
        for name, source in self.index.sources.get(kind, {}).items():
            made = None if source.node is None else self.make(make, source, source.node)
            if made is not None:
                found[name] = made
        return found

    def make(self, make: Callable[[Draft, Source, Mapping], T], source: Source, node: Mapping) -> T:
        """Return what is made of a document; as before, where all that was asked to make it has the same answers."""
        self.current = source
        before = (self.languages, source.damaged)
        kept: Kept | None = source.kept.get(make)
        if kept is None or kept.before != before or not self.index.asking.hold(kept.asked):
            own = replace(self, problems=[], used=set(), notes=Notes())
            made, asked = self.index.asking.noting(lambda: make(own, source, node))
            kept = Kept(before, asked, made, (*own.problems,), frozenset(own.used), own.notes, source.damaged)
            source.kept[make] = kept
        self.problems += kept.problems
        self.used |= kept.used
        self.notes.add(kept.notes)
        source.damaged = kept.damaged
        return cast("T", kept.made)

    def report(self, code: str, place: Place, message: str, hint: str = "", *, severity: Severity = "error") -> None:
        """Note a problem."""
        self.problems.append(Problem(code, place, message, hint, severity))

    def unfit(self, code: str, place: Place, message: str, hint: str = "") -> None:
        """Note an error that leaves a hole in the current document, so that checks of the whole spare it."""
        self.report(code, place, message, hint)
        if self.current is not None:
            self.current.damaged = True

    def source(self, kind: str, name: str) -> Source | None:
        """Return a document by kind and name."""
        return self.index.of(kind).get(name)

    def known(self, kind: str, node: Scalar, *, extra: Collection[str] = ()) -> bool:
        """Whether a document of that kind has the name written here; reports it when not."""
        documents = self.index.of(kind)
        if node.text in documents or node.text in extra:
            self.used.add((kind, node.text))
            self.notes.name((kind, node.text), node)
            return True
        self.unfit(
            f"{kind}.unknown",
            node.place,
            say("There is no {kind} '{written}'.", kind=kind, written=node.text),
            did_you_mean(node.text, [*documents, *extra]),
        )
        return False

    def names(self, kind: str, node: Node | None, *, extra: Collection[str] = ()) -> tuple[str, ...]:
        """Return the names written here (one, or a list), those that exist."""
        return tuple(item.text for item in scalars(node) if self.known(kind, item, extra=extra))

    def text(self, node: Node | None, name: str = "") -> Text:
        """Return the text for people; without one, made from the name."""
        if isinstance(node, Scalar):
            return plain(node.text)
        if not isinstance(node, Mapping):
            return plain(label_of(name))
        values = {key: word(entry.value) for key, entry in node.entries.items()}
        missing = [language for language in self.languages if language not in values]
        if missing:
            sentence = say("This text has no translation for: {missing}.", missing=", ".join(missing))
            self.report(
                "text.missing_language",
                node.place,
                sentence,
                say("Add it, or leave the languages out."),
                severity="warning",
            )
        return Text(values)

    def optional_text(self, node: Node | None) -> Text | None:
        """Return the text, None without one."""
        return None if node is None else self.text(node)

    def duration(self, node: Node | None) -> Duration | None:
        """Return the duration written here."""
        if not isinstance(node, Scalar):
            return None
        found = parse_duration(node.text)
        if found is None:
            hint = say("Write 10m, 72h, 3d, 2w, 6 months, 2 years, 4 working hours or 3 working days.")
            self.unfit("duration.syntax", node.place, say("'{written}' is not a duration.", written=node.text), hint)
        elif not found.is_countable:
            message = say("'{written}' has too many working hours or days.", written=node.text)
            hint = say("Write at most {most} of them, or days, months or years.", most=MOST_WORKING)
            self.unfit("duration.syntax", node.place, message, hint)
        return found

    def record_type(self, entity: str | None) -> Type:
        """Return the type of an entity's records; anything where the entity could not be read."""
        return RecordOf(entity) if entity is not None and entity in self.records else DYN

    def beside(self, own: MappingType[str, MappingType[str, Member]]) -> MappingType[str, MappingType[str, Member]]:
        """Return the records of the pack, with others that something has for itself."""
        return ChainMap(dict(own), cast("dict[str, MappingType[str, Member]]", self.records)) if own else self.records

    def base(self, names: Names | None = None, *, without: Iterable[str] = ()) -> dict[str, Type]:
        """Return the names that are in scope everywhere, and those given."""
        everywhere = {"actor": RecordOf("member"), "network": RecordOf(NETWORK), "settings": RecordOf(SETTINGS)}
        for name in without:
            everywhere.pop(name, None)
        return {**everywhere, **(names or {})}

    def condition(
        self,
        node: Node | None,
        names: Names | Around,
        *,
        query: bool = False,
    ) -> Expression | None:
        """Return the condition written here, without a leading `=`."""
        found = self.expression(node, names, expect=BOOL, query=query)
        if found is not None and isinstance(node, Scalar):
            self.settled(node, found, len(node.text) - len(found.text))
        return found

    def settled(self, node: Scalar, condition: Expression, offset: int) -> None:
        """Report what nothing can change in a condition that begins at `offset`: the whole, or parts of it."""
        for part, holds in settled_parts(condition):
            whole = part is condition.tree
            value = "true" if holds else "false"
            sentence = say("This condition is always {value}.", value=value)
            if not whole:
                sentence = say("This part of the condition is always {value}.", value=value)
            hint = say("Compare with something that changes.")
            if condition.reads:
                hint = say("Look for a contradiction, or leave out what says nothing.")
            clash = None if holds else contested(condition, part)
            if clash is not None:
                hint = say("'{term}' can't be all of that at once.", term=condition.text[clash.start : clash.end])
            self.report("expression.constant", node.at(offset + part.start), sentence, hint)

    def expression(
        self,
        node: Node | None,
        names: Names | Around,
        *,
        offset: int = 0,
        length: int | None = None,
        expect: Type | tuple[Type, ...] | None = None,
        query: bool = False,
    ) -> Expression | None:
        """Return the expression in a scalar's text from `offset` on; None where it is absent or wrong (reported)."""
        if not isinstance(node, Scalar):
            return None
        text = node.text[offset:] if length is None else node.text[offset : offset + length]
        if offset == 0 and text.startswith("="):
            self.report(
                "expression.equals",
                node.place,
                say("This is always an expression: it needs no '='."),
                say("Write: {text}", text=text[1:].strip()),
            )
            offset, text = 1, text[1:]
        around = names if isinstance(names, Around) else Around(names)
        own = Scope(around.names, around.records, around.row, around.hints)
        self.notes.asked.append(Asked(node, offset, own))
        scope = replace(own, records=self.beside(around.records))
        try:
            found = compile_expression(text, Place(node.place.file, 1, 1), scope, expect=expect, query=query)
        except DefinitionError as error:
            blamed = [each for each in error.problems if each.code != NOT_IN_QUERY or not self.index.holes("entity")]
            self.problems += [_moved(problem, node, text, offset) for problem in blamed]
            return None
        self.used |= {("setting", path[1]) for path in found.reads if path[0] == "settings" and len(path) > 1}
        self.notes.read(node, offset, found.typing)
        found.typing.scope = own  # the pack is not held by what was made of it
        return replace(found, place=node.at(offset))


NOT_IN_QUERY = "expression.not_in_query"
NETWORK = say("the network")
SETTINGS = say("the settings")
FORM = say("the form")
CALL = say("the call")


def _moved(problem: Problem, node: Scalar, text: str, offset: int) -> Problem:
    """Return the problem of an expression at its place in the file."""
    lines = text.split("\n")
    within = sum(len(line) + 1 for line in lines[: problem.place.line - 1]) + problem.place.column - 1
    hint = QUOTE_HINT if node.cut and problem.code.endswith(".syntax") else problem.hint
    return replace(problem, place=node.at(offset + within), hint=hint)


def scalars(node: Node | None) -> tuple[Scalar, ...]:
    """Return the scalar, or those of the list."""
    if isinstance(node, Scalar):
        return (node,)
    if isinstance(node, Sequence):
        return tuple(item for item in node.items if isinstance(item, Scalar))
    return ()


def mapping(node: Node | None) -> Mapping | None:
    """Return the node when it is keys and values."""
    return node if isinstance(node, Mapping) else None


def entries(node: Node | None) -> Iterable[tuple[str, Scalar, Node]]:
    """Yield the name, the key and the value of each entry."""
    if isinstance(node, Mapping):
        for name, entry in node.entries.items():
            yield name, entry.key, entry.value


def word(node: Node | None) -> str:
    """Return the scalar's text, "" without one."""
    return node.text if isinstance(node, Scalar) else ""


def optional_word(node: Node | None) -> str | None:
    """Return the scalar's text, None without one."""
    return node.text if isinstance(node, Scalar) else None


def flag(node: Node | None) -> bool:
    """Return whether true is written here."""
    return isinstance(node, Scalar) and node.value is True


def number(node: Node | None, default: int) -> int:
    """Return the whole number written here."""
    return node.value if isinstance(node, Scalar) and isinstance(node.value, int) else default


def label_of(name: str) -> str:
    """Return a label made from a name: `first_name` → `First name`."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
